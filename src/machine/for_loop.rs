//! `for`: the body runs once per item, each time on the output of the time before.
//!
//! `while` is asked before each iteration, `exit` and the end of the list finish the iteration only.

use super::decide::{Completion, Decision, Task};
use super::program::ForRule;
use super::scope::{LocalValue, Scope, View};
use super::state::{List, ListEnd, Shared, Work};
use crate::domain::{Failure, StandardType};
use serde_json::Value;
use std::sync::Arc;

/// What is iterated over. `null` is no items.
pub(super) fn collection(
    scope: &Scope<'_>,
    rule: &ForRule,
    input: &Shared,
    view: &View<'_>,
) -> Result<Vec<Value>, Failure> {
    match scope.evaluate(&rule.collection, input, Some(view))? {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            let shown: String = other.to_string().chars().take(100).collect();
            let detail = format!("The collection of a for task must be an array, not {shown}");
            Err(Failure::new(StandardType::Expression, "Not an array", detail)
                .with_suggestion("correct `for.in`, or the task before it that makes the collection"))
        }
    }
}

pub(super) fn decide(task: &Task<'_>, rule: &ForRule) -> Option<Decision> {
    let Work::For { collection, index, list } = &task.frame.work else { return None };
    match list {
        None => next(task, rule, collection, 0, Arc::clone(&task.frame.input)),
        Some(list) if matches!(list.end, ListEnd::Done) => {
            next(task, rule, collection, index.saturating_add(1), Arc::clone(&list.value))
        }
        Some(list) => in_iteration(task, rule, collection, *index, |scope| {
            task.decide_list(scope, list, |value| task.complete(value, Completion::default()))
        }),
    }
}

/// Begins an iteration on a value, or completes the loop with it.
fn next(task: &Task<'_>, rule: &ForRule, collection: &[Value], index: usize, value: Shared) -> Option<Decision> {
    if task.scope.program.list(rule.body).is_empty() {
        return Some(without_body(task, rule, collection, value));
    }
    if index >= collection.len() {
        return Some(task.complete(value, Completion::default()));
    }
    let body = List::new(rule.body, iteration_path(&task.frame.path, index), Arc::clone(&value));
    in_iteration(task, rule, collection, index, |scope| match goes_on(task, rule, scope, &value) {
        Err(failure) => Some(task.fail(failure)),
        Ok(false) => Some(task.complete(Arc::clone(&value), Completion::default())),
        Ok(true) => task.decide_list(scope, &body, |value| task.complete(value, Completion::default())),
    })
}

/// Nothing in an empty body changes the value, but `while` is asked all the same, and may fail.
fn without_body(task: &Task<'_>, rule: &ForRule, collection: &[Value], value: Shared) -> Decision {
    for index in 0..collection.len() {
        match in_iteration(task, rule, collection, index, |scope| goes_on(task, rule, scope, &value)) {
            Err(failure) => return task.fail(failure),
            Ok(false) => break,
            Ok(true) => {}
        }
    }
    task.complete(value, Completion::default())
}

/// Whether `while` lets an iteration begin.
fn goes_on(task: &Task<'_>, rule: &ForRule, scope: &Scope<'_>, value: &Value) -> Result<bool, Failure> {
    rule.condition.as_ref().map_or(Ok(true), |condition| scope.is_true(condition, value, Some(&task.view())))
}

/// The path that the steps of an iteration continue.
pub(super) fn iteration_path(path: &str, index: usize) -> Arc<str> {
    format!("{path}/i{index}").into()
}

/// Runs something in the scope of an iteration.
pub(super) fn in_iteration<T>(
    task: &Task<'_>,
    rule: &ForRule,
    collection: &[Value],
    index: usize,
    run: impl FnOnce(&Scope<'_>) -> T,
) -> T {
    let item = collection.get(index).unwrap_or(&Value::Null);
    task.with_local(&rule.each, LocalValue::Item(item), |scope| {
        let task = Task { scope: *scope, ..*task };
        task.with_local(&rule.at, LocalValue::Index(index), run)
    })
}
