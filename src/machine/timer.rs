//! Timers that went off: ends of waits and pauses, timeouts of attempts, tasks and the workflow.
//!
//! One that comes too early or that nobody waits for changes nothing. While paused only waits and pauses come to their end.

use super::action::Action;
use super::decide::Decision;
use super::state::{Effect, Work};
use super::step::Step;
use crate::domain::{EventBody, Failure, Path, StandardType, Status, TimerPurpose};
use std::sync::Arc;

impl Step<'_> {
    pub(super) fn timer_fired(&mut self, path: &Path, purpose: TimerPurpose) {
        let is_paused = self.state.status == Status::Paused;
        let now = self.moment.at;
        match purpose {
            TimerPurpose::WorkflowTimeout => {
                if !is_paused && self.state.deadline.is_some_and(|deadline| deadline <= now) {
                    self.cancel_everything("the workflow timed out");
                    let detail = "The workflow took longer than its timeout";
                    let failure = Failure::new(StandardType::Timeout, "Workflow timed out", detail).with_suggestion(
                        "the timeline shows what took so long; `timeout` of the workflow gives it more time",
                    );
                    self.record(EventBody::ExecutionFailed { error: failure.at("/timeout") });
                }
            }
            TimerPurpose::WallBudget => self.wall_time_over(),
            TimerPurpose::Wait | TimerPurpose::Retry => {
                if self.is_due(path, purpose) {
                    self.record_at(path, EventBody::TimerFired { purpose });
                }
            }
            TimerPurpose::TaskTimeout => {
                if !is_paused && self.is_due(path, purpose) {
                    let decision = self.at_task(path, |task| {
                        let detail = "The task took longer than its timeout";
                        let failure = Failure::new(StandardType::Timeout, "Task timed out", detail).with_suggestion(
                            "`timeout` of the task gives it more time, `try` with `catch.retry` another attempt",
                        );
                        Some(task.fail(failure))
                    });
                    self.cancel_effect_of(path);
                    self.adopt(decision.unwrap_or_default());
                }
            }
            TimerPurpose::AttemptTimeout => {
                if !is_paused && self.is_due(path, purpose) {
                    let decision = self.at_task(path, |task| {
                        let mut decision = Decision::default();
                        decision.cancel_below(task.frame, "the attempt timed out");
                        Some(decision)
                    });
                    self.adopt(decision.unwrap_or_default());
                    self.record_at(path, EventBody::TimerFired { purpose });
                }
            }
        }
    }

    /// Whether the task waits for this timer and its deadline is reached.
    fn is_due(&self, path: &str, purpose: TimerPurpose) -> bool {
        let deadline = self.at_task(path, |task| {
            let known = task.frame.timers().find(|(known, _)| *known == purpose).map(|(_, deadline)| deadline);
            // An attempt that is over has no limit any more.
            let is_over = purpose == TimerPurpose::AttemptTimeout
                && !matches!(&task.frame.work, Work::Try(work) if work.is_attempting());
            known.filter(|_| !is_over)
        });
        deadline.is_some_and(|deadline| deadline <= self.moment.at)
    }

    /// Stops what the task at a path has asked for itself, apart from the tasks inside it.
    fn cancel_effect_of(&mut self, path: &str) {
        let action = self.at_task(path, |task| {
            let effect = task.frame.outstanding_effect();
            let cancel =
                |effect: &Effect| Action::CancelEffect { path: Arc::clone(&task.frame.path), attempt: effect.attempt };
            let child = || task.frame.awaited_child().map(|child_id| Action::CancelChild { child_id });
            effect.map(cancel).or_else(child)
        });
        self.transition.actions.extend(action);
    }
}
