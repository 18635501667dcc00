//! What a state that comes back from the store waits for: effects to ask again, timers to arm, children to look after.

use super::action::Action;
use super::decide::{Task, visit_tasks};
use super::effect;
use super::expression::Evaluator;
use super::input::Moment;
use super::program::{Kind, Program};
use super::resource::outstanding_of_workflow;
use super::run_workflow;
use super::scope::Scope;
use super::secrets::with_true_input;
use super::state::{Effect, State, Work};
use super::step::Step;
use crate::domain::definition::model::UnknownOutcome;
use crate::domain::{EventBody, Failure, Path, StandardType, Status, TimerPurpose};
use std::sync::Arc;

/// Everything a state waits for, as actions. For one that comes back from the store without a crash, such as a passivated one that
/// is wanted again. After a crash give [`super::Input::Recovered`] instead: its transition has these actions already.
///
/// A child is started again under its old id, which changes nothing when it exists.
pub fn outstanding(program: &Program, state: &State, moment: &Moment, evaluator: &dyn Evaluator) -> Vec<Action> {
    let mut actions = timers(state);
    let Some(main) = state.main.as_ref().filter(|_| !state.status.is_terminal()) else { return actions };
    let scope = Scope::new(program, state, *moment, evaluator);
    actions.extend(outstanding_of_workflow(&scope));
    visit_tasks(&scope, main, None, &mut |task| actions.extend(asked(task)));
    actions
}

/// What one task has asked for, apart from timers.
fn asked(task: &Task<'_>) -> Option<Action> {
    if let Some(effect) = task.frame.outstanding_effect() {
        return effect_action(task, effect).ok();
    }
    match (&task.frame.work, &task.node.kind) {
        (Work::Child { child_id, result: None }, Kind::Workflow(rule)) => {
            let request = |task: &Task<'_>| run_workflow::request(task, rule, *child_id);
            with_true_input(&reset(task), request).ok()?.ok()
        }
        _ => None,
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
        let asked = outstanding(self.program, self.state, &self.moment, self.evaluator);
        self.transition.actions.extend(asked);
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
