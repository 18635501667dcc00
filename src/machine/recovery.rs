//! What a state that comes back from the store waits for: effects to ask again, timers to arm, children to look after.

use super::action::Action;
use super::decide::{Task, visit_tasks};
use super::effect;
use super::expression::Evaluator;
use super::input::{Input, Moment};
use super::program::{Kind, Program};
use super::resource::outstanding_of_workflow;
use super::run_workflow;
use super::scope::Scope;
use super::secrets::with_true_input;
use super::state::{Effect, State, Work};
use super::step::Step;
use crate::domain::definition::model::UnknownOutcome;
use crate::domain::{EffectOutcome, EventBody, Failure, Path, StandardType, Status, TimerPurpose};
use std::sync::Arc;

/// What a state waits for.
#[derive(Debug, Default)]
pub struct Outstanding {
    /// To be performed.
    pub actions: Vec<Action>,
    /// What cannot be asked for any more, because a secret is gone: as failed outcomes, to be stepped. Nothing else would
    /// ever answer them.
    pub lost: Vec<Input>,
}

/// Everything a state waits for. For one that comes back from the store without a crash, such as a passivated one that is
/// wanted again. After a crash give [`Input::Recovered`] instead: its transition has all this already.
///
/// A child is started again under its old id, which changes nothing when it exists.
pub fn outstanding(program: &Program, state: &State, moment: &Moment, evaluator: &dyn Evaluator) -> Outstanding {
    let mut outstanding = Outstanding { actions: timers(state), lost: Vec::new() };
    let Some(main) = state.main.as_ref().filter(|_| !state.status.is_terminal()) else { return outstanding };
    let scope = Scope::new(program, state, *moment, evaluator);
    if let Some((attempt, asked)) = outstanding_of_workflow(&scope) {
        outstanding.add(&"".into(), attempt, asked);
    }
    visit_tasks(&scope, main, None, &mut |task| outstanding.add_task(task));
    outstanding
}

impl Outstanding {
    /// What one task has asked for, apart from timers.
    fn add_task(&mut self, task: &Task<'_>) {
        if let Some(effect) = task.frame.outstanding_effect() {
            return self.add(&task.frame.path, effect.attempt, effect_action(task, effect));
        }
        if let (Work::Child { child_id, result: None }, Kind::Workflow(rule)) = (&task.frame.work, &task.node.kind) {
            let request = |task: &Task<'_>| run_workflow::request(task, rule, *child_id);
            let asked = with_true_input(&reset(task), request).flatten();
            // It was started: its id is enough to find it again.
            self.actions.push(asked.unwrap_or_else(|_| run_workflow::by_id(task, *child_id)));
        }
    }

    fn add(&mut self, path: &Path, attempt: u32, asked: Result<Action, Failure>) {
        match asked {
            Ok(action) => self.actions.push(action),
            Err(failure) => {
                let outcome = EffectOutcome { result: Err(failure), usage: None };
                self.lost.push(Input::EffectFinished { path: Arc::clone(path), attempt, outcome });
            }
        }
    }
}

impl Step<'_> {
    /// After a crash: what was outstanding is asked for again, or fails when it cannot be.
    pub(super) fn recovered(&mut self, body: EventBody) {
        self.record(body);
        let mut lost: Vec<(Path, Failure)> = Vec::new();
        self.each_task(None, &mut |task| {
            if task.frame.outstanding_effect().is_none() {
                return;
            }
            let is_fetch = task.frame.outstanding_fetch().is_some();
            if !is_fetch
                && matches!(&task.node.kind, Kind::Shell(rule) if rule.on_unknown_outcome == UnknownOutcome::Fault)
            {
                let detail = "The engine was restarted while the command ran; whether it came to its end is unknown";
                let failure = Failure::new(StandardType::Runtime, "Outcome unknown", detail);
                return lost.push((Arc::clone(&task.frame.path), failure));
            }
            if let Err(failure) = with_true_input(&reset(task), effect::request).flatten() {
                lost.push((Arc::clone(&task.frame.path), failure));
            }
        });
        let scope = Scope::new(self.program, self.state, self.moment, self.evaluator);
        if let Some((_, Err(failure))) = outstanding_of_workflow(&scope) {
            lost.push(("".into(), failure));
        }
        for (path, failure) in lost {
            self.fail_effect(&path, failure);
        }
        self.advance();
        // What the advance has asked for is outstanding like everything else: it is asked once.
        self.transition.actions.retain(|action| {
            matches!(
                action,
                Action::RunEffect { awaited: false, .. }
                    | Action::StartChild { awaited: false, .. }
                    | Action::CancelChild { .. }
            )
        });
        // What is lost has failed above.
        let asked = outstanding(self.program, self.state, &self.moment, self.evaluator);
        self.transition.actions.extend(asked.actions);
    }
}

/// The effect that a task has asked for, once more.
///
/// # Errors
/// When the request cannot be built any more, because a secret is gone.
pub(super) fn effect_action(task: &Task<'_>, effect: &Effect) -> Result<Action, Failure> {
    Ok(Action::RunEffect {
        path: Arc::clone(&task.frame.path),
        pointer: Arc::clone(&task.frame.pointer),
        attempt: effect.attempt,
        key: effect::key(task),
        request: with_true_input(&reset(task), effect::request).flatten()?,
        awaited: true,
    })
}

/// The task as it was when it asked: `now` is the time at which the effect was scheduled.
pub(super) fn reset<'a>(task: &Task<'a>) -> Task<'a> {
    let own = if let Work::Effect(effect) = &task.frame.work { Some(effect) } else { None };
    let at = task.frame.outstanding_effect().or(own).map_or(task.frame.started_at, |effect| effect.scheduled_at);
    Task { scope: Scope { moment: Moment { at, ..task.scope.moment }, ..task.scope }, ..*task }
}

/// Every timer; none while paused.
pub(super) fn timers(state: &State) -> Vec<Action> {
    let mut actions = Vec::new();
    if state.status.is_terminal() || state.status == Status::Paused {
        return actions;
    }
    if let Some(deadline) = state.deadline {
        actions.push(Action::SetTimer { path: "".into(), purpose: TimerPurpose::WorkflowTimeout, deadline });
    }
    if let Some(deadline) = state.wall_deadline {
        actions.push(Action::SetTimer { path: "".into(), purpose: TimerPurpose::WallBudget, deadline });
    }
    state.visit(&mut |frame| {
        for (purpose, deadline) in frame.timers() {
            actions.push(Action::SetTimer { path: Arc::clone(&frame.path), purpose, deadline });
        }
    });
    actions
}
