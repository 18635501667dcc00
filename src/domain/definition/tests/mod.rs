//! The rules of the DSL as tables: what is accepted, and for each rule a definition that breaks it.

mod accepted;
mod carrier;
mod problems;
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

/// Compiles expressions with the jq compiler, knowing the standard variables and the local ones.
struct Compiler;

impl ExpressionCheck for Compiler {
    fn check(&self, expression: &Expression, locals: &[Arc<str>]) -> Result<(), String> {
        use jaq_core::load::{Arena, File, Loader};
        type Data = jaq_core::data::JustLut<jaq_json::Val>;
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs::<Data>().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: expression.text(), path: () })
            .map_err(|errors| format!("{errors:?}"))?;
        let names: Vec<String> = STANDARD_VARIABLES
            .into_iter()
            .chain(locals.iter().map(|name| &**name))
            .map(|name| format!("${name}"))
            .collect();
        jaq_core::Compiler::default()
            .with_funs(functions)
            .with_global_vars(names.iter().map(String::as_str))
            .compile(modules)
            .map(|_| ())
            .map_err(|errors| format!("{errors:?}"))
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
