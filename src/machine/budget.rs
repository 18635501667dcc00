//! Budgets: a limit that is reached pauses the execution and asks a person, who approves more or cancels.
//!
//! Whether a model call fits the budget is known outside, where the calls of a whole tree of executions come together; an
//! effect that does not fit comes back as [`Input::EffectWithheld`](super::Input::EffectWithheld), is marked in the journal, and
//! is asked again when the execution is resumed. The wall time is a timer of the execution itself.

use super::action::Action;
use super::recovery;
use super::state::{State, Work};
use super::step::Step;
use crate::domain::quota::{Bound, Breach, Budget};
use crate::domain::{ApprovalKind, EventBody, Failure, Path, Status, TimerPurpose, Timestamp};

impl Step<'_> {
    /// The effect at a path was not begun.
    pub(super) fn effect_withheld(&mut self, path: &Path, attempt: u32, breach: Breach) {
        if !self.awaits(path, attempt) {
            return;
        }
        self.record_at(path, EventBody::EffectWithheld { reason: breach.reason.clone() });
        self.ask(breach);
    }

    /// The wall time of the budget is over.
    pub(super) fn wall_time_over(&mut self) {
        let is_active = matches!(self.state.status, Status::Running | Status::Waiting);
        let is_due = self.state.wall_deadline.is_some_and(|deadline| deadline <= self.moment.at);
        if let (true, true, Some(seconds)) = (is_active, is_due, self.state.budget.max_wall_seconds) {
            let reason = format!("the execution has taken the {seconds} seconds of its budget");
            self.ask(Breach { limit: Bound::MaxWallSeconds, reason });
        }
    }

    /// Pauses and asks, unless a person was asked already and has not answered.
    fn ask(&mut self, breach: Breach) {
        let Breach { limit, reason } = breach;
        if self.state.breach.is_none() {
            let prompt = reason.clone();
            self.record(EventBody::ApprovalRequested { kind: ApprovalKind::Budget, prompt, limit });
        }
        if matches!(self.state.status, Status::Running | Status::Waiting) {
            self.record(EventBody::ExecutionPaused { by: None, reason: Some(reason) });
        }
    }

    /// A person lets it spend more. What a limit had paused goes on.
    pub(super) fn approve(&mut self, by: Option<String>, budget: Budget) {
        let was_asked = self.state.breach.is_some();
        let approved = self.state.budget.changed(budget);
        let kind = ApprovalKind::Budget;
        self.record(EventBody::ApprovalGiven { kind, by: by.clone(), change: budget, approved });
        if was_asked && self.state.status == Status::Paused {
            self.resume(by);
        } else if let Some(deadline) = self.state.wall_deadline
            && self.state.status != Status::Paused
        {
            self.transition.actions.push(Action::SetTimer {
                path: "".into(),
                purpose: TimerPurpose::WallBudget,
                deadline,
            });
        }
    }

    /// What was withheld: as an action, or why it cannot be asked for any more. To be called before the execution is resumed.
    pub(super) fn withheld(&self) -> Vec<(Path, Result<Action, Failure>)> {
        let mut withheld = Vec::new();
        self.each_task(None, &mut |task| {
            if let Work::Effect(effect) = &task.frame.work
                && effect.is_withheld
            {
                withheld.push((Path::clone(&task.frame.path), recovery::effect_action(task, effect)));
            }
        });
        withheld
    }
}

impl Budget {
    /// When the wall time is over for an execution that starts at `start`.
    pub(super) fn wall_deadline(&self, start: Timestamp) -> Option<Timestamp> {
        self.max_wall_seconds.map(|seconds| start.plus_micros(micros(seconds)))
    }
}

impl State {
    /// Why it is paused, when a limit and not a person paused it.
    pub fn pause_reason(&self) -> Option<&str> {
        self.breach.as_ref().map(|breach| breach.reason.as_str())
    }

    /// The limit that has paused it.
    pub fn pause_limit(&self) -> Option<Bound> {
        self.breach.as_ref().map(|breach| breach.limit)
    }

    /// Why nothing below it may go on either: its time is over.
    pub fn halt(&self) -> Option<&Breach> {
        self.breach.as_ref().filter(|breach| breach.limit == Bound::MaxWallSeconds)
    }

    /// What it may spend, with everything that was approved.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The wall time grows by as much as its limit, so that pauses still do not count.
    pub(super) fn approve(&mut self, change: Budget) {
        let before = self.budget;
        self.budget = before.changed(change);
        self.wall_deadline = match (self.budget.max_wall_seconds, before.max_wall_seconds, self.wall_deadline) {
            (Some(now), Some(before), Some(deadline)) => {
                Some(deadline.plus_micros(micros(now).saturating_sub(micros(before))))
            }
            (Some(_), _, _) => self.started_at.and_then(|start| self.budget.wall_deadline(start)),
            (None, _, _) => None,
        };
    }
}

fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}
