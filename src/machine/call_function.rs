//! `call` of a function in `use.functions`: one task with the evaluated `with` as its raw input and the context of its caller.
//!
//! It sees none of the caller's variables; its pointer is that of the caller and its own `then` is ignored.

use super::decide::{Completion, Decision, Task};
use super::scope::Scope;
use super::state::Work;
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>) -> Option<Decision> {
    let Work::List(list) = &task.frame.work else { return None };
    in_body(task, |scope| task.decide_list(scope, list, |value| task.complete(value, Completion::default())))
}

/// The path of the called task.
pub(super) fn body_path(path: &str) -> Arc<str> {
    format!("{path}/f").into()
}

/// Runs something in the scope of the function's body.
pub(super) fn in_body<T>(task: &Task<'_>, run: impl FnOnce(&Scope<'_>) -> T) -> T {
    let calls = task.scope.calls.saturating_add(1);
    run(&Scope { locals: None, caller: Some(&task.frame.pointer), calls, ..task.scope })
}
