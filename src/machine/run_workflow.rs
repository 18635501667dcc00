//! `run: workflow`: a child execution under an id that is derived from this one, so that starting it twice changes nothing.

use super::action::Action;
use super::decide::{Completion, Decision, Task};
use super::program::WorkflowRule;
use super::state::{ChildResult, Work};
use super::texts::text;
use crate::domain::{EventBody, ExecutionId, Failure, StandardType, Status};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>, rule: &WorkflowRule) -> Option<Decision> {
    match &task.frame.work {
        Work::Fresh => Some(start(task, rule).unwrap_or_else(|failure| task.fail(failure))),
        Work::Child { result, .. } => result.as_ref().map(|result| finish(task, rule, result)),
        Work::Effect(_) | Work::Wait { .. } | Work::List(_) | Work::For { .. } | Work::Fork { .. } | Work::Try(_) => {
            None
        }
    }
}

fn start(task: &Task<'_>, rule: &WorkflowRule) -> Result<Decision, Failure> {
    let action = request(task, rule, child_id(task))?;
    let Action::StartChild { child_id, namespace, name, version, awaited, .. } = &action else {
        return Ok(Decision::default());
    };
    let body = EventBody::ChildStarted {
        child_id: *child_id,
        namespace: namespace.clone(),
        name: name.clone(),
        version: version.clone(),
        awaited: *awaited,
    };
    let mut decision = Decision::default();
    decision.push(&task.frame.pointer, &task.frame.path, body);
    if !rule.wait_for_end {
        let output = if rule.returns_nothing { Arc::new(Value::Null) } else { Arc::clone(&task.frame.input) };
        let completed = task.complete(output, Completion::default());
        decision.drafts.extend(completed.drafts);
        decision.actions.extend(completed.actions);
    }
    decision.actions.push(action);
    Ok(decision)
}

fn child_id(task: &Task<'_>) -> ExecutionId {
    ExecutionId(task.scope.state.id.derive(&task.frame.path, "child"))
}

/// The action that starts the child; the same each time it is built.
pub(super) fn request(task: &Task<'_>, rule: &WorkflowRule, child_id: ExecutionId) -> Result<Action, Failure> {
    let mut input = match &rule.input {
        Some(template) => task.template(template)?,
        None => Value::clone(&task.frame.input),
    };
    // The input of a child is in its journal; a child that needs a secret lists it itself.
    let redactor = task.scope.evaluator.secrets().redactor();
    redactor.value(&mut input);
    let name = |template, what| {
        let name = text(task.template(template)?, what)?;
        Ok::<_, Failure>(redactor.text(&name).unwrap_or(name))
    };
    Ok(Action::StartChild {
        path: Arc::clone(&task.frame.path),
        child_id,
        namespace: name(&rule.namespace, "namespace")?,
        name: name(&rule.name, "name")?,
        version: name(&rule.version, "version")?,
        input,
        awaited: rule.wait_for_end,
    })
}

/// The same for a child that was started and whose request cannot be built any more: whoever looks it up needs its id alone.
pub(super) fn by_id(task: &Task<'_>, child_id: ExecutionId) -> Action {
    let (namespace, name, version) = (String::new(), String::new(), String::new());
    let path = Arc::clone(&task.frame.path);
    Action::StartChild { path, child_id, namespace, name, version, input: Value::Null, awaited: true }
}

fn finish(task: &Task<'_>, rule: &WorkflowRule, result: &ChildResult) -> Decision {
    let nothing = || Arc::new(Value::Null);
    match result.status {
        Status::Succeeded if rule.returns_nothing => task.complete(nothing(), Completion::default()),
        Status::Succeeded => {
            let output = result.output.as_ref().map_or_else(nothing, Arc::clone);
            task.complete(output, Completion::default())
        }
        Status::Cancelled => {
            let detail = "The execution of the child workflow was cancelled";
            task.fail(Failure::new(StandardType::Runtime, "Child cancelled", detail))
        }
        Status::Pending | Status::Running | Status::Waiting | Status::Paused | Status::Failed => {
            let unknown =
                || Failure::new(StandardType::Runtime, "Child failed", "The child workflow failed without an error");
            let failure = result.error.clone().unwrap_or_else(unknown);
            task.fail(Failure { instance: Some(task.frame.pointer.to_string()), ..failure })
        }
    }
}
