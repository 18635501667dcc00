//! Secrets in a step: what expressions may read of them, and how none of it gets into an event.
//!
//! The values come with the evaluator of a step and are in no state. Every event is redacted before it is applied, so the state
//! that goes on is the one that a replay gives; a value that was handed on is hidden for the next task. Only inside one task a
//! secret that its `input.from` has read is still there: the input is evaluated again wherever the definition of the task
//! needs it (see [`with_true_input`]). Why it is so: ADR 0025.

use super::decide::Task;
use super::expression::Expression;
use super::program::Kind;
use super::scope::{Scope, View};
use super::state::{Frame, Shared, Work};
use crate::domain::secret::not_available;
use crate::domain::{EffectOutcome, EventBody, Failure, Redactor};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Scope<'_> {
    /// A secret that the workflow lists (Serverless Workflow DSL 1.0.3, "Secrets": otherwise error 403).
    pub(super) fn secret(&self, name: &str) -> Result<&Value, Failure> {
        let listed = &self.program.definition.components.secrets;
        if !listed.iter().any(|known| **known == *name) {
            let detail = format!("The workflow may not read the secret '{name}'");
            return Err(not_available(detail, format!("List '{name}' in use.secrets of the workflow")));
        }
        self.evaluator.secrets().get(name).map_err(|why| why.failure(name))
    }

    /// The value of `$secrets` for an expression: those that it names, or all that are listed when it uses the whole.
    pub(super) fn secrets_for(&self, expression: &Expression) -> Result<Option<Shared>, Failure> {
        if !expression.reads_secrets() {
            return Ok(None);
        }
        let listed = self.program.definition.components.secrets.iter().filter(|_| expression.reads_all_secrets());
        let mut secrets = Map::new();
        for name in expression.secrets().iter().chain(listed) {
            secrets.insert(name.to_string(), self.secret(name)?.clone());
        }
        Ok(Some(Arc::new(Value::Object(secrets))))
    }

    /// What people are told about an expression that failed. The engine's own words may hold parts of the values it worked on.
    pub(super) fn explained(&self, failure: Failure, expression: &Expression, view: Option<&View<'_>>) -> Failure {
        let saw_secrets = |view: &View<'_>| view.node.input.transform_reads_secrets || view.authorization.is_some();
        if !expression.reads_secrets() && !view.is_some_and(saw_secrets) {
            return failure;
        }
        let shown: String = expression.text().chars().take(200).collect();
        let detail = format!("why is not said because it may read secrets, in the expression: {shown}");
        Failure { detail: Some(detail), ..failure }
    }
}

/// Runs something with the task whose input is what `input.from` gives, secrets included; its frame has it redacted. Only for
/// tasks without lists: what a list starts with is in the journal.
///
/// # Errors
/// When the secrets are not available any more.
pub(super) fn with_true_input<T>(task: &Task<'_>, run: impl FnOnce(&Task<'_>) -> T) -> Result<T, Failure> {
    let rule = &task.node.input;
    let Some(transform) = rule.transform.as_ref().filter(|_| rule.transform_reads_secrets && !has_lists(task)) else {
        return Ok(run(task));
    };
    if matches!(task.frame.work, Work::Wait { is_over: false, .. }) {
        return Ok(run(task));
    }
    let view = View { input: None, ..task.view() };
    let mut scope = task.scope;
    scope.moment.at = task.frame.started_at;
    let input = Arc::new(scope.template(transform, &task.frame.raw_input, Some(&view))?);
    let frame = Frame { input, ..task.frame.clone() };
    Ok(run(&Task { frame: &frame, ..*task }))
}

/// The same for a task that comes to its end: what it has done does not get lost because a secret has been deleted meanwhile.
/// Its output is then made from the redacted input.
pub(super) fn with_known_input<T>(task: &Task<'_>, run: impl Fn(&Task<'_>) -> T) -> T {
    with_true_input(task, &run).unwrap_or_else(|_| run(task))
}

fn has_lists(task: &Task<'_>) -> bool {
    match &task.node.kind {
        Kind::Do(_) | Kind::For(_) | Kind::Fork { .. } | Kind::Try(_) | Kind::Function { .. } => true,
        Kind::Set(_)
        | Kind::Switch(_)
        | Kind::Raise(_)
        | Kind::Wait(_)
        | Kind::Http(_)
        | Kind::Agent(_)
        | Kind::Shell(_)
        | Kind::Workflow(_) => false,
    }
}

/// Hides secrets in what an effect has brought.
pub(super) fn redact_outcome(redactor: &Redactor, outcome: &mut EffectOutcome) {
    match &mut outcome.result {
        Ok(output) => redactor.value(output),
        Err(failure) => redactor.failure(failure),
    }
}

/// Hides secrets in an event that is about to be applied and journaled.
pub(super) fn redact(redactor: &Redactor, body: &mut EventBody) {
    if redactor.is_empty() {
        return;
    }
    let value = |value: &mut Option<Value>| value.iter_mut().for_each(|value| redactor.value(value));
    let text = |text: &mut String| {
        if let Some(hidden) = redactor.cut_text(text) {
            *text = hidden;
        }
    };
    match body {
        EventBody::ExecutionStarted { input, deadline: _ } => value(input),
        EventBody::ExecutionCompleted { output } => redactor.value(output),
        EventBody::TaskStarted { input, deadline: _, collection, arguments } => {
            value(input);
            value(arguments);
            collection.iter_mut().flatten().for_each(|item| redactor.value(item));
        }
        EventBody::TaskCompleted { output, context, directive: _ } => {
            redactor.value(output);
            value(context);
        }
        EventBody::ExecutionFailed { error }
        | EventBody::TaskFailed { error }
        | EventBody::TaskRetried { error, .. }
        | EventBody::EffectFailed { error } => redactor.failure(error),
        EventBody::EffectScheduled { kind: _, summary } => text(summary),
        EventBody::EffectWithheld { reason } => text(reason),
        EventBody::ApprovalRequested { kind: _, prompt, limit: _ } => text(prompt),
        EventBody::ExecutionPaused { by: _, reason } => reason.iter_mut().for_each(text),
        EventBody::EffectCompleted { output } => value(output),
        EventBody::ChildStarted { child_id: _, namespace, name, version, awaited: _ } => {
            [namespace, name, version].into_iter().for_each(text);
        }
        EventBody::ChildFinished { child_id: _, status: _, output, error } => {
            value(output);
            error.iter_mut().for_each(|error| redactor.failure(error));
        }
        EventBody::UsageRecorded(usage) => {
            text(&mut usage.provider);
            text(&mut usage.model);
        }
        EventBody::ExecutionRecovered { reason, restarts: _, recovered_in_ms: _ } => text(reason),
        EventBody::ExecutionCancelled { by: _, reason } => reason.iter_mut().for_each(text),
        EventBody::TaskCancelled { reason } => reason.iter_mut().for_each(text),
        EventBody::ExecutionCreated(_)
        | EventBody::ExecutionWaiting {}
        | EventBody::ApprovalGiven { .. }
        | EventBody::ExecutionResumed { .. }
        | EventBody::TaskSkipped {}
        | EventBody::TimerSet { .. }
        | EventBody::TimerFired { .. } => {}
    }
}
