//! The rules of the DSL as tables: what is accepted, and for each rule a definition that breaks it.

mod accepted;
mod calls;
mod carrier;
mod structure;
mod values;
mod words;

use super::model::Expression;
use super::*;
use std::sync::Arc;

/// Lines before the body that [`around`] adds.
const HEADER: &str = "document:\n  dsl: '1.0.3'\n  namespace: test\n  name: case\n  version: '0.1.0'\n";

/// A definition with the given root properties, which start on line 6.
fn around(body: &str) -> String {
    format!("{HEADER}{body}")
}

/// Parses expressions as jq and knows the standard variables and the local ones.
struct Compiler;

impl ExpressionCheck for Compiler {
    fn check(&self, expression: &Expression, locals: &[Arc<str>]) -> Result<(), String> {
        if jaq_core::load::parse(expression.text(), |parser| parser.term()).is_none() {
            return Err("it is not jq".to_owned());
        }
        let is_known = |name: &str| STANDARD_VARIABLES.contains(&name) || locals.iter().any(|local| **local == *name);
        match variables(expression.text()).iter().find(|used| !is_known(used.name)) {
            Some(unknown) => Err(format!("there is no variable ${}", unknown.name)),
            None => Ok(()),
        }
    }
}

/// A definition that has no problem at all.
fn accepted(body: &str) -> Definition {
    let review = review(&around(body), &Compiler);
    assert_eq!(review.problems, [], "{body}");
    review.definition.expect("a definition without problems")
}

/// The problems of a text, one line each: `error code pointer line:column`.
fn problems_of(text: &str) -> Vec<String> {
    let review = review(text, &Compiler);
    let has_errors = review.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(review.definition.is_none(), has_errors, "there is a definition exactly when there is no error");
    review.problems.iter().map(line).collect()
}

fn line(problem: &Problem) -> String {
    let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
    let place = match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("{line}:{column}"),
        _ => "-".to_owned(),
    };
    format!("{severity} {} {} {place}", problem.code, problem.pointer)
}

/// Checks a table of bodies and their problems, and shows all that differ at once.
fn hold(cases: &[(&str, &[&str])]) {
    let mut differences = String::new();
    for (body, wanted) in cases {
        let found = problems_of(&around(body));
        if found != *wanted {
            differences.push_str(&format!("\n--- {body}\nwanted {wanted:#?}\nfound  {found:#?}\n"));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}
