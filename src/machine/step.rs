//! One step: take an input in, then decide and apply until everything waits for the world.

use super::BATCH_EVENTS;
use super::action::{Action, Transition};
use super::apply::apply;
use super::decide::{Decision, Draft, ListStep, Task, decide, visit_tasks};
use super::document::{Place, read};
use super::effect;
use super::expression::Evaluator;
use super::input::{Input, Moment};
#[cfg(debug_assertions)]
use super::invariants;
use super::preparation::prepared;
use super::program::Program;
use super::resource::{self, Readiness, workflow_readiness};
use super::scope::Scope;
use super::secrets::{redact, redact_outcome, with_known_input};
use super::state::{ListEnd, State};
use crate::domain::{
    EffectOutcome, Event, EventBody, ExecutionId, Failure, Path, Status, TimerPurpose, Usage, UsageOutcome,
};
use serde_json::Value;
use std::sync::Arc;

/// Takes one input in. The events of the result are already applied to `state`; they must be journaled before the actions are
/// performed. An input that does not fit the state (a late outcome, a pause of a finished execution) gives an empty transition.
pub fn step(
    program: &Program,
    state: &mut State,
    input: Input,
    moment: &Moment,
    evaluator: &dyn Evaluator,
) -> Transition {
    step_with(program, state, input, moment, evaluator, &[])
}

/// What a call that is under way has used so far: what is recorded if the step breaks it off.
#[derive(Clone, Debug)]
pub struct Spent {
    pub path: Path,
    pub attempt: u32,
    pub usage: Usage,
}

/// Like [`step`], with the calls that are under way.
pub fn step_with(
    program: &Program,
    state: &mut State,
    input: Input,
    moment: &Moment,
    evaluator: &dyn Evaluator,
    spent: &[Spent],
) -> Transition {
    let mut step = Step { program, state, moment: *moment, evaluator, spent, transition: Transition::default() };
    step.take(input);
    step.advance();
    step.transition
}

pub(super) struct Step<'a> {
    pub(super) program: &'a Program,
    pub(super) state: &'a mut State,
    pub(super) moment: Moment,
    pub(super) evaluator: &'a dyn Evaluator,
    spent: &'a [Spent],
    pub(super) transition: Transition,
}

impl Step<'_> {
    fn take(&mut self, input: Input) {
        let status = self.state.status;
        match input {
            Input::Start if status == Status::Pending => self.start(),
            Input::EffectFinished { path, attempt, outcome } => self.effect_finished(&path, attempt, outcome),
            Input::EffectWithheld { path, attempt, breach } => self.effect_withheld(&path, attempt, breach),
            Input::TimerFired { path, purpose } => self.timer_fired(&path, purpose),
            Input::ChildFinished { path, child_id, status, output, error } => {
                self.child_finished(&path, Some(child_id), status, output, error);
            }
            Input::ChildRefused { path, failure } => {
                self.child_finished(&path, None, Status::Failed, None, Some(failure));
            }
            Input::Pause { by } if matches!(status, Status::Running | Status::Waiting) => {
                self.record(EventBody::ExecutionPaused { by, reason: None });
            }
            Input::Resume { by } if status == Status::Paused => self.resume(by),
            Input::Approve { by, budget } if !status.is_terminal() && status != Status::Pending => {
                self.approve(by, budget);
            }
            Input::Cancel { by, reason } if !status.is_terminal() => {
                self.cancel_everything("the execution was cancelled");
                self.record(EventBody::ExecutionCancelled { by, reason });
            }
            Input::Recovered { reason, restarts, recovered_in_ms }
                if !status.is_terminal() && status != Status::Pending =>
            {
                self.recovered(EventBody::ExecutionRecovered { reason, restarts, recovered_in_ms });
            }
            Input::Abort { failure } if !status.is_terminal() => self.abort(failure),
            Input::Start
            | Input::Pause { .. }
            | Input::Resume { .. }
            | Input::Approve { .. }
            | Input::Cancel { .. }
            | Input::Recovered { .. }
            | Input::Abort { .. }
            | Input::Continue => {}
        }
    }

    /// Decides and applies until nothing more can be done, or the batch is full.
    pub(super) fn advance(&mut self) {
        while matches!(self.state.status, Status::Running | Status::Waiting) {
            let Some(main) = &self.state.main else { return };
            if self.transition.events.len() >= BATCH_EVENTS {
                self.transition.more = true;
                return;
            }
            let next = match workflow_readiness(&self.scope()) {
                Readiness::Ready => decide(&self.scope(), main),
                Readiness::Blocked => ListStep::Blocked,
                Readiness::Fetch(decision) => ListStep::Decided(decision),
                Readiness::Failed(error) => {
                    self.disarm_timeout();
                    return self.record(EventBody::ExecutionFailed { error });
                }
            };
            match next {
                ListStep::Decided(decision) => self.adopt(decision),
                ListStep::Finished => self.finish(),
                ListStep::Blocked => {
                    if self.state.status == Status::Running && !self.state.has_outstanding_effects() {
                        self.record(EventBody::ExecutionWaiting {});
                    }
                    return;
                }
            }
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope::new(self.program, self.state, self.moment, self.evaluator)
    }

    pub(super) fn adopt(&mut self, decision: Decision) {
        for draft in decision.drafts {
            self.push(draft);
        }
        self.transition.actions.extend(decision.actions);
    }

    /// An event of the execution as a whole.
    pub(super) fn record(&mut self, body: EventBody) {
        self.push(Draft { task: None, path: None, body });
    }

    fn push(&mut self, draft: Draft) {
        self.record_broken_off(&draft);
        let Draft { task, path, mut body } = draft;
        redact(self.evaluator.secrets().redactor(), &mut body);
        let attempt = path.as_deref().map_or(0, attempt_of);
        let seq = self.state.last_seq.saturating_add(1);
        let event = Event { seq, at: self.moment.at, task, path, attempt, body };
        #[cfg(debug_assertions)]
        let before = self.state.clone();
        apply(self.program, self.state, &event);
        #[cfg(debug_assertions)]
        invariants::check_change(&before, &event, self.state);
        self.transition.events.push(event);
    }

    /// A task that ends while its effect is under way breaks it off; what that has used is recorded first.
    fn record_broken_off(&mut self, draft: &Draft) {
        let (EventBody::TaskCancelled { .. } | EventBody::TaskFailed { .. }, Some(path)) = (&draft.body, &draft.path)
        else {
            return;
        };
        let of_task = |spent: &&Spent| spent.path == *path && self.awaits(path, spent.attempt);
        if let Some(Spent { usage, .. }) = self.spent.iter().find(of_task) {
            let usage = Box::new(Usage { outcome: UsageOutcome::Wasted, ..usage.clone() });
            self.record_at(path, EventBody::UsageRecorded(usage));
        }
    }

    fn start(&mut self) {
        match prepared(&self.scope()) {
            Ok((deadline, input)) => {
                self.record(EventBody::ExecutionStarted { input, deadline });
                if let Some(deadline) = deadline {
                    let purpose = TimerPurpose::WorkflowTimeout;
                    self.transition.actions.push(Action::SetTimer { path: "".into(), purpose, deadline });
                }
                if let Some(deadline) = self.state.wall_deadline {
                    let purpose = TimerPurpose::WallBudget;
                    self.transition.actions.push(Action::SetTimer { path: "".into(), purpose, deadline });
                }
            }
            Err(error) => {
                self.record(EventBody::ExecutionStarted { input: None, deadline: None });
                // The check of the input comes first, which is not possible yet; then it is tried again.
                if self.program.input.resource().is_none() {
                    self.record(EventBody::ExecutionFailed { error });
                }
            }
        }
    }

    /// The main list is at its end.
    fn finish(&mut self) {
        let Some(main) = &self.state.main else { return };
        let result = match &main.end {
            ListEnd::Failed(failure) => Err(Failure::clone(failure)),
            ListEnd::Open | ListEnd::Done | ListEnd::Ended | ListEnd::Cancelled => {
                let (state, rule) = (&*self.state, &self.program.output);
                let output = self.scope().transformed(rule, &main.value, None).and_then(|output| {
                    resource::check(state, &state.documents, rule, Place::Output, &output, "output").map(|()| output)
                });
                output.map_err(|failure| failure.at("/output"))
            }
        };
        self.disarm_timeout();
        self.record(match result {
            Ok(output) => EventBody::ExecutionCompleted { output: Arc::unwrap_or_clone(output) },
            Err(error) => EventBody::ExecutionFailed { error },
        });
    }

    fn disarm_timeout(&mut self) {
        if self.state.deadline.is_some() {
            let purpose = TimerPurpose::WorkflowTimeout;
            self.transition.actions.push(Action::CancelTimer { path: "".into(), purpose });
        }
        if self.state.wall_deadline.is_some() {
            let purpose = TimerPurpose::WallBudget;
            self.transition.actions.push(Action::CancelTimer { path: "".into(), purpose });
        }
    }

    /// Cancels every task and the timeout of the workflow.
    pub(super) fn cancel_everything(&mut self, reason: &str) {
        let mut decision = Decision::default();
        if let Some(frame) = self.state.main.as_ref().and_then(|main| main.current.as_ref()) {
            decision.cancel(frame, reason);
        }
        if let Some(fetch) = self.state.outstanding_fetch() {
            decision.actions.push(Action::CancelEffect { path: "".into(), attempt: fetch.effect.attempt });
        }
        self.disarm_timeout();
        self.adopt(decision);
    }

    pub(super) fn resume(&mut self, by: Option<String>) {
        let withheld = self.withheld();
        let paused_us = self.state.paused_at.map_or(0, |paused_at| self.moment.at.micros_since(paused_at).max(0));
        self.record(EventBody::ExecutionResumed { by, paused_us });
        // Timeouts have moved and waits may have come due: every timer is armed anew.
        let timers = super::recovery::timers(self.state);
        self.transition.actions.extend(timers);
        for (path, action) in withheld {
            match action {
                Ok(action) => self.transition.actions.push(action),
                Err(failure) => self.fail_effect(&path, failure),
            }
        }
    }

    fn abort(&mut self, error: Failure) {
        match self.state.status {
            Status::Pending => self.record(EventBody::ExecutionStarted { input: None, deadline: None }),
            Status::Paused => {
                let paused_us =
                    self.state.paused_at.map_or(0, |paused_at| self.moment.at.micros_since(paused_at).max(0));
                self.record(EventBody::ExecutionResumed { by: None, paused_us });
            }
            Status::Running | Status::Waiting | Status::Succeeded | Status::Failed | Status::Cancelled => {}
        }
        self.cancel_everything("the engine gave the execution up");
        self.record(EventBody::ExecutionFailed { error });
    }

    pub(super) fn each_task(&self, only: Option<&str>, see: &mut dyn FnMut(&Task<'_>)) {
        if let Some(main) = &self.state.main {
            visit_tasks(&self.scope(), main, only, see);
        }
    }

    /// Looks at the task at a path; `None` when there is none, or the answer is.
    pub(super) fn at_task<T>(&self, path: &str, mut look: impl FnMut(&Task<'_>) -> Option<T>) -> Option<T> {
        let mut found = None;
        self.each_task(Some(path), &mut |task| {
            if *task.frame.path == *path {
                found = look(task);
            }
        });
        found
    }

    /// Whether the outcome of this attempt is awaited at a path: by a task, or by the workflow itself.
    pub(super) fn awaits(&self, path: &str, attempt: u32) -> bool {
        let of_workflow = self.state.outstanding_fetch().map(|fetch| &fetch.effect).filter(|_| path.is_empty());
        let awaited = self.at_task(path, |task| task.frame.outstanding_effect().map(|effect| effect.attempt));
        awaited.or(of_workflow.map(|effect| effect.attempt)) == Some(attempt)
    }

    fn effect_finished(&mut self, path: &Path, attempt: u32, mut outcome: EffectOutcome) {
        if !self.awaits(path, attempt) {
            return;
        }
        redact_outcome(self.evaluator.secrets().redactor(), &mut outcome);
        if let Some(usage) = outcome.usage {
            self.record_at(path, EventBody::UsageRecorded(Box::new(usage)));
        }
        match (outcome.result, self.fetched(path)) {
            (Ok(output), None) => self.complete_effect(path, output),
            (Ok(output), Some(dialect)) => match read(&output, dialect) {
                Ok(document) => self.record_at(path, EventBody::EffectCompleted { output: Some(document) }),
                Err(failure) => self.fail_effect(path, failure),
            },
            (Err(failure), _) => self.fail_effect(path, failure),
        }
    }

    /// The dialect of the schema that is being fetched at a path; `None` when what is awaited there is no schema.
    fn fetched(&self, path: &str) -> Option<Option<&'static str>> {
        if let Some(fetch) = self.state.outstanding_fetch().filter(|_| path.is_empty()) {
            return Some(self.program.resource(None, fetch.place)?.dialect);
        }
        self.at_task(path, |task| {
            let fetch = task.frame.outstanding_fetch()?;
            Some(self.program.resource(Some(task.node), fetch.place)?.dialect)
        })
    }

    /// The raw output is journaled once: in `task_completed` when that follows at once with the same value.
    fn complete_effect(&mut self, path: &Path, output: Value) {
        let is_paused = self.state.status == Status::Paused;
        let output = Arc::new(output);
        let completion = self.at_task(path, |task| {
            let complete = |task: &Task<'_>| effect::complete(task, Arc::clone(&output));
            (!is_paused && task.node.output.transform.is_none()).then(|| with_known_input(task, complete))
        });
        let is_complete = |decision: &Decision| {
            matches!(decision.drafts.as_slice(), [Draft { body: EventBody::TaskCompleted { .. }, .. }])
        };
        match completion.filter(is_complete) {
            Some(completion) => {
                self.record_at(path, EventBody::EffectCompleted { output: None });
                self.adopt(completion);
            }
            None => {
                self.record_at(path, EventBody::EffectCompleted { output: Some(Arc::unwrap_or_clone(output)) });
            }
        }
    }

    pub(super) fn fail_effect(&mut self, path: &Path, failure: Failure) {
        let of_workflow = self.state.outstanding_fetch().filter(|_| path.is_empty());
        let error = match of_workflow {
            Some(fetch) => Some(failure.at(fetch.place.of_workflow())),
            None => self.at_task(path, |task| Some(failure.clone().at(&task.frame.pointer))),
        };
        if let Some(error) = error {
            self.record_at(path, EventBody::EffectFailed { error });
        }
    }

    /// An event of the task at a path.
    pub(super) fn record_at(&mut self, path: &Path, body: EventBody) {
        let pointer = self.at_task(path, |task| Some(Arc::clone(&task.frame.pointer)));
        self.push(Draft { task: pointer, path: Some(Arc::clone(path)), body });
    }

    fn child_finished(
        &mut self,
        path: &Path,
        id: Option<ExecutionId>,
        status: Status,
        output: Option<Value>,
        error: Option<Failure>,
    ) {
        let awaited = self.at_task(path, |task| task.frame.awaited_child());
        if let Some(child_id) = awaited.filter(|child_id| id.is_none_or(|id| id == *child_id)) {
            self.record_at(path, EventBody::ChildFinished { child_id, status, output, error });
        }
    }
}

/// The attempt of the innermost try around a task: the last `a<n>` of its path.
pub(super) fn attempt_of(path: &str) -> u32 {
    let attempts = path.rsplit('/').filter_map(|segment| segment.strip_prefix('a'));
    attempts.filter_map(|number| number.parse().ok()).next().unwrap_or(0)
}
