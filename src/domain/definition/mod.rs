//! Workflow definitions in the Serverless Workflow DSL 1.0.3: the model, how it is read from YAML or JSON, and what makes
//! one valid. Every problem of a definition is reported at once, with line, column, pointer and a suggestion.
//!
//! [`review`] is for definitions that come in: it checks everything. [`parse`] is for those that were accepted before.
//! Nothing is evaluated here; `docs/dsl-conformance.md` says which parts of the DSL there are.

mod digest;
mod document;
pub mod duration;
mod expression;
mod footprint;
pub mod model;
mod problem;
mod reader;
mod render;
mod scalar;
pub mod schema;
mod suggestion;
mod variables;

pub use document::{MAX_DEPTH, MAX_NODES, MAX_TEXT_BYTES};
pub use expression::{ExpressionCheck, STANDARD_VARIABLES, Unchecked};
pub use footprint::{Subject, Touch, Touched, footprint};
pub use model::Definition;
pub use problem::{MAX_PROBLEMS, Mark, Problem, Severity};
pub use render::render;
pub use variables::{VariableUse, variables};

use document::Node;
use problem::Problems;
use serde_json::Value;

/// What a review found.
#[derive(Clone, Debug)]
pub struct Review {
    /// The definition, when no problem is an error.
    pub definition: Option<Definition>,
    /// Errors and warnings in the order of the text.
    pub problems: Vec<Problem>,
}

/// Reads a definition from YAML or JSON text and checks everything about it, its expressions with `check`.
pub fn review(text: &str, check: &dyn ExpressionCheck) -> Review {
    let mut problems = Problems::default();
    let root = Node::parse(text, &mut problems);
    finish(root, problems, check)
}

/// Like [`review`] for a definition that is already a value, such as part of a request; its problems have no line.
pub fn review_value(value: &Value, check: &dyn ExpressionCheck) -> Review {
    finish(Some(Node::from_value(value)), Problems::default(), check)
}

fn finish(root: Option<Node>, mut problems: Problems, check: &dyn ExpressionCheck) -> Review {
    let definition = root.and_then(|root| reader::read_definition(&root, &mut problems, check));
    Review { definition, problems: problems.into_sorted() }
}

/// Reads a definition from YAML or JSON text without looking into its expressions, and without its warnings.
///
/// # Errors
/// Every error that was found, when there is one.
pub fn parse(text: &str) -> Result<Definition, Vec<Problem>> {
    accept(review(text, &Unchecked))
}

/// Like [`parse`] for a definition that is already a value.
///
/// # Errors
/// Every error that was found, when there is one.
pub fn parse_value(value: &Value) -> Result<Definition, Vec<Problem>> {
    accept(review_value(value, &Unchecked))
}

/// Reads a document of any content from YAML or JSON text, with the same bounds as a definition.
///
/// # Errors
/// A phrase for people: what is wrong with the text.
pub fn read_document(text: &str) -> Result<Value, String> {
    let mut problems = Problems::default();
    match Node::parse(text, &mut problems) {
        Some(root) if !problems.has_errors() => Ok(root.to_value()),
        _ => Err(problems.into_sorted().into_iter().next().map_or_else(String::new, |problem| problem.message)),
    }
}

fn accept(review: Review) -> Result<Definition, Vec<Problem>> {
    let Review { definition, mut problems } = review;
    definition.ok_or_else(|| {
        problems.retain(|problem| problem.severity == Severity::Error);
        problems
    })
}

#[cfg(test)]
mod tests;
