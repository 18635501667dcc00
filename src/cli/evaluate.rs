//! `callboard evaluate` (hidden): a worker process that evaluates expressions for a service.
//!
//! The actors start it for expressions whose time is not bounded by their input, and kill it when one takes too long. It
//! reads an [`EvaluationJob`] per line on standard input and answers each with one line on standard output: the JSON of a
//! `Result`, `{"Ok": value}` or `{"Err": failure}`. A limit of its address space keeps an expression from eating the machine:
//! beyond it the process aborts, which the service sees as the end of its output.

use super::Exit;
use super::error::{Error, finish};
use crate::domain::{Failure, StandardType};
use crate::machine::{EvaluationJob, evaluate_job};
use nix::sys::resource::{Resource, setrlimit};
use serde_json::Value;
use std::io::{BufRead, Write};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Most address space the process may use
    #[arg(long, default_value_t = 1 << 30, value_name = "BYTES")]
    memory_bytes: u64,
}

/// Evaluates until its input ends.
pub fn execute(arguments: &Arguments) -> Exit {
    finish(limit(arguments.memory_bytes).and_then(|()| work(std::io::stdin().lock(), std::io::stdout().lock())))
}

fn limit(memory_bytes: u64) -> Result<(), Error> {
    // No core dumps: an abort at the memory limit is expected.
    let limits = [(Resource::RLIMIT_AS, memory_bytes), (Resource::RLIMIT_CORE, 0)];
    for (resource, bytes) in limits {
        setrlimit(resource, bytes, bytes)
            .map_err(|error| Error::failure(format!("cannot limit the worker process: {error}")))?;
    }
    Ok(())
}

fn work(jobs: impl BufRead, mut answers: impl Write) -> Result<Exit, Error> {
    for line in jobs.lines() {
        let line = line.map_err(|error| Error::failure(format!("cannot read a job: {error}")))?;
        let answer = serde_json::to_string(&answer(&line))
            .map_err(|error| Error::failure(format!("cannot write an answer: {error}")))?;
        let written = writeln!(answers, "{answer}").and_then(|()| answers.flush());
        if written.is_err() {
            // The service has gone.
            break;
        }
    }
    Ok(Exit::Success)
}

fn answer(line: &str) -> Result<Value, Box<Failure>> {
    let job: EvaluationJob = serde_json::from_str(line).map_err(|error| {
        Failure::new(StandardType::Runtime, "Evaluation failed", format!("the job cannot be read: {error}"))
    })?;
    evaluate_job(&job).map_err(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_answered_with_a_line() {
        let job = |expression: &str| {
            format!(
                r#"{{"expression":"{expression}","variables":[["x",2]],"input":{{"a":3}},"now":"2026-01-01T00:00:00Z"}}"#
            )
        };
        let jobs = [job(".a * $x"), "no job".to_owned(), job("error(\\\"no\\\")")].join("\n");
        let mut output = Vec::new();
        work(jobs.as_bytes(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        let answers: Vec<Result<Value, Failure>> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers[0], Ok(Value::from(6)));
        assert!(answers[1].as_ref().is_err_and(|failure| failure.error_type.ends_with("/runtime")));
        assert!(answers[2].as_ref().is_err_and(|failure| failure.error_type.ends_with("/expression")));
    }
}
