//! `wait`: a durable timer, measured from the start of the task.

use super::action::Action;
use super::decide::{Completion, Decision, Task};
use super::duration::DurationRule;
use super::state::Work;
use crate::domain::{EventBody, TimerPurpose};
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>, rule: &DurationRule) -> Option<Decision> {
    let done = || task.complete(Arc::clone(&task.frame.input), Completion::default());
    if matches!(task.frame.work, Work::Wait { is_over: true, .. }) {
        return Some(done());
    }
    if task.frame.work != Work::Fresh {
        return None;
    }
    let started_at = task.frame.started_at;
    match rule.end(&task.scope, &task.frame.input, Some(&task.view()), started_at) {
        Err(failure) => Some(task.fail(failure)),
        Ok(deadline) if deadline <= started_at => Some(done()),
        Ok(deadline) => {
            let purpose = TimerPurpose::Wait;
            let mut decision = Decision::default();
            decision.push(&task.frame.pointer, &task.frame.path, EventBody::TimerSet { purpose, deadline });
            decision.actions.push(Action::SetTimer { path: Arc::clone(&task.frame.path), purpose, deadline });
            Some(decision)
        }
    }
}
