//! What is evaluated at the start of a task or of the workflow: the transformed input, the end of the timeout, what a loop iterates
//! over and a function is given.

use super::for_loop;
use super::program::Kind;
use super::scope::{Scope, View};
use super::state::Shared;
use crate::domain::{Failure, StandardType, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Function calls may be nested this deep.
const MAX_CALLS: usize = 64;

/// What is decided when a task is started.
#[derive(Default)]
pub(super) struct Preparation {
    pub(super) input: Option<Value>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) collection: Option<Vec<Value>>,
    pub(super) arguments: Option<Value>,
}

/// The input of a task and what is evaluated once on it. The order of checks is that of the DSL digest's data flow.
pub(super) fn prepare(scope: &Scope<'_>, raw_input: &Shared, view: &View<'_>) -> Result<Preparation, Failure> {
    let node = view.node;
    let input = scope.checked_then_transformed(&node.input, raw_input, Some(view))?;
    let transformed = input.as_ref().map_or_else(|| Arc::clone(raw_input), |input| Arc::new(input.clone()));
    let view = &View { input: Some(&transformed), ..*view };
    let mut preparation = Preparation { input, ..Preparation::default() };
    if let Some(timeout) = &node.timeout {
        preparation.deadline = Some(timeout.end(scope, &transformed, Some(view), scope.moment.at)?);
    }
    match &node.kind {
        Kind::For(rule) => preparation.collection = Some(for_loop::collection(scope, rule, &transformed, view)?),
        Kind::Function { with, .. } => {
            if scope.calls >= MAX_CALLS {
                let detail = format!("Functions call each other more than {MAX_CALLS} levels deep");
                return Err(Failure::new(StandardType::Runtime, "Too many nested function calls", detail));
            }
            preparation.arguments = Some(scope.template(with, &transformed, Some(view))?);
        }
        Kind::Do(_)
        | Kind::Set(_)
        | Kind::Switch(_)
        | Kind::Fork { .. }
        | Kind::Try(_)
        | Kind::Raise(_)
        | Kind::Wait(_)
        | Kind::Http(_)
        | Kind::Agent(_)
        | Kind::Shell(_)
        | Kind::Workflow(_) => {}
    }
    Ok(preparation)
}

/// The deadline and the transformed input of a workflow that begins.
///
/// # Errors
/// What cannot be evaluated, and an input that does not fit an inline schema.
pub(super) fn prepared(scope: &Scope<'_>) -> Result<(Option<Timestamp>, Option<Value>), Failure> {
    let (program, state) = (scope.program, scope.state);
    let raw_input = &*state.raw_input;
    let before = Scope { context: &Arc::default(), ..*scope };
    let input = before.checked_then_transformed(&program.input, raw_input, None);
    let input = input.map_err(|failure| failure.at("/input"))?;
    let seen = input.as_ref().unwrap_or(raw_input);
    let timeout = program.timeout.as_ref().map(|timeout| timeout.end(scope, seen, None, scope.moment.at));
    Ok((timeout.transpose().map_err(|failure| failure.at("/timeout"))?, input))
}
