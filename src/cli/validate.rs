//! `callboard validate`: every problem of a definition, without a service.

use super::Exit;
use super::error::{Error, finish};
use super::terminal::{print, print_json, tell};
use crate::domain::definition::{Problem, Severity, render, review};
use crate::machine::{Compiles, Program};
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Report every problem of workflow definitions, with line, column and a suggestion
#[derive(Args, Debug)]
pub struct Arguments {
    /// Definitions, YAML or JSON; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object per file
    #[arg(long)]
    json: bool,
}

/// Checks every file; the exit code says whether all of them can be registered.
pub fn execute(arguments: &Arguments) -> Exit {
    let exits: Vec<Exit> = arguments.files.iter().map(|file| finish(validate(file, arguments.json))).collect();
    if exits.iter().all(|exit| *exit == Exit::Success) { Exit::Success } else { Exit::Invalid }
}

fn validate(file: &Path, as_json: bool) -> Result<Exit, Error> {
    let (name, text) = read(file)?;
    let problems = problems(&text);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    if as_json {
        print_json(&json!({ "file": name, "valid": errors == 0, "problems": problems }));
    } else {
        tell(render(&name, &problems).trim_end());
        match (errors, problems.len()) {
            (0, 0) => print(&format!("{name}: valid")),
            (0, warnings) => print(&format!("{name}: valid, with {}", counted(warnings, "warning"))),
            (errors, _) => print(&format!("{name}: {}", counted(errors, "error"))),
        }
    }
    Ok(if errors == 0 { Exit::Success } else { Exit::Invalid })
}

/// What registering the text would report: the review, and what only compiling it as a whole can find.
pub fn problems(text: &str) -> Vec<Problem> {
    let review = review(text, &Compiles);
    let mut problems = review.problems;
    if let Some(definition) = review.definition {
        problems.extend(Program::compile(Arc::new(definition)).err().unwrap_or_default());
    }
    problems
}

fn read(file: &Path) -> Result<(String, String), Error> {
    if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| ("-".to_owned(), text)).map_err(|error| Error::file("read", file, &error));
    }
    let text = std::fs::read_to_string(file).map_err(|error| Error::file("read", file, &error))?;
    Ok((file.display().to_string(), text))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
