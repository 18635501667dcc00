//! `fork`: branches that run side by side, each on a copy of the context.
//!
//! Without `compete` the output is the array of the branches' outputs in the order of the declaration, and the first failure
//! cancels the others. With it the first branch that completes wins and the others are cancelled; a failing branch just drops
//! out. Branches that are ready are advanced in the order of the declaration, each until it blocks: the search begins at the branch
//! that an event was about last, because those before it have been asked already; a pause begins it anew.

use super::decide::{Completion, Decision, ListStep, Task, decide as decide_list};
use super::scope::Scope;
use super::state::{Branch, ListEnd, Shared, Work};
use crate::domain::Failure;
use serde_json::Value;
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>, compete: bool) -> Option<Decision> {
    let Work::Fork { branches, context, last_error, latest } = &task.frame.work else { return None };
    if let Some(ended) = branches.iter().find(|branch| branch.list.end == ListEnd::Ended) {
        let contexts: Vec<&Branch> = if compete { vec![ended] } else { completed(branches).collect() };
        let context = Some(merged(context, &contexts));
        return Some(finish(task, Arc::clone(&ended.list.value), Completion { is_end: true, context, then: None }));
    }
    if compete {
        if let Some(winner) = completed(branches).find(|branch| !branch.list.only_skipped) {
            let context = Some(Arc::clone(&winner.context));
            return Some(finish(task, Arc::clone(&winner.list.value), Completion { context, ..Completion::default() }));
        }
    } else if let Some(failure) = branches.iter().find_map(|branch| failure_of(branch)) {
        return Some(task.fail(failure.clone()));
    }
    let mut is_blocked = false;
    for branch in branches.iter().skip(*latest).chain(branches.iter().take(*latest)) {
        match decide_list(&Scope { context: &branch.context, ..task.scope }, &branch.list) {
            ListStep::Decided(decision) => return Some(decision),
            ListStep::Blocked => is_blocked = true,
            ListStep::Finished => {}
        }
    }
    if is_blocked {
        return None;
    }
    Some(match last_error {
        Some(error) => task.fail(Failure::clone(error)),
        None if compete => task.complete(Arc::clone(&task.frame.input), Completion::default()),
        None => {
            let outputs = branches.iter().map(|branch| Value::clone(&branch.list.value));
            let context = Some(merged(context, &branches.iter().collect::<Vec<_>>()));
            task.complete(Arc::new(Value::Array(outputs.collect())), Completion { context, ..Completion::default() })
        }
    })
}

/// The path that the steps of a branch continue.
pub(super) fn branch_path(path: &str, index: usize) -> Arc<str> {
    format!("{path}/b{index}").into()
}

/// The branch of the fork at `fork` that a path is in. Forks may have thousands of branches: it is not searched for.
pub(super) fn branch_index(fork: &str, path: &str) -> Option<usize> {
    let inside = path.strip_prefix(fork)?.strip_prefix("/b")?;
    inside.split('/').next()?.parse().ok()
}

fn completed(branches: &[Branch]) -> impl Iterator<Item = &Branch> {
    branches.iter().filter(|branch| matches!(branch.list.end, ListEnd::Done | ListEnd::Ended))
}

fn failure_of(branch: &Branch) -> Option<&Failure> {
    if let ListEnd::Failed(failure) = &branch.list.end { Some(failure) } else { None }
}

/// Completes the fork while branches may still be under way: they are cancelled.
fn finish(task: &Task<'_>, raw_output: Shared, completion: Completion<'_>) -> Decision {
    let mut decision = Decision::default();
    decision.cancel_below(task.frame, "another branch was first");
    let completed = task.complete(raw_output, completion);
    if completed.drafts.len() > 1 {
        // The completion failed and has cancelled the branches itself.
        return completed;
    }
    decision.drafts.extend(completed.drafts);
    decision.actions.extend(completed.actions);
    decision
}

/// The context after the join: for each branch in the order of the declaration the keys it changed are laid over; a context
/// that is no object replaces.
fn merged(start: &Shared, branches: &[&Branch]) -> Shared {
    let mut result = Arc::clone(start);
    for branch in branches.iter().filter(|branch| branch.context != *start) {
        match (Arc::make_mut(&mut result), &*branch.context, &**start) {
            (Value::Object(known), Value::Object(changed), Value::Object(start)) => {
                let differing = changed.iter().filter(|(key, value)| start.get(*key) != Some(*value));
                known.extend(differing.map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => result = Arc::clone(&branch.context),
        }
    }
    result
}
