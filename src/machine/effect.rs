//! Tasks that ask the world: `call: http`, `call: agent`, `run: shell`. From the request to the completion with its outcome.

use super::action::Action;
use super::decide::{Completion, Decision, Task};
use super::program::Kind;
use super::state::{EffectResult, Shared, Work};
use super::{call_agent, call_http, resource, run_shell};
use crate::domain::{EffectRequest, EventBody, Failure, Path, Pointer, Redactor};
use std::sync::Arc;
use uuid::Uuid;

pub(super) fn decide(task: &Task<'_>) -> Option<Decision> {
    match &task.frame.work {
        Work::Fresh => Some(schedule(task).unwrap_or_else(|failure| task.fail(failure))),
        Work::Effect(effect) => match effect.result.as_ref()? {
            EffectResult::Completed { output } => Some(complete(task, output.clone()?)),
            EffectResult::Failed(failure) => Some(task.fail(Failure::clone(failure))),
        },
        Work::Wait { .. }
        | Work::Child { .. }
        | Work::List(_)
        | Work::For { .. }
        | Work::Fork { .. }
        | Work::Try(_) => None,
    }
}

fn schedule(task: &Task<'_>) -> Result<Decision, Failure> {
    let request = request(task)?;
    let redactor = task.scope.evaluator.secrets().redactor();
    let mut decision = Decision::default();
    let body = EventBody::EffectScheduled { kind: request.kind().into(), summary: summary(&request, redactor) };
    decision.push(&task.frame.pointer, &task.frame.path, body);
    let awaited = is_awaited(task);
    if !awaited {
        let completed = task.complete(Arc::clone(&task.frame.input), Completion::default());
        decision.drafts.extend(completed.drafts);
        decision.actions.extend(completed.actions);
    }
    let (path, pointer) = (Path::clone(&task.frame.path), Pointer::clone(&task.frame.pointer));
    let key = key(task);
    decision.actions.push(Action::RunEffect {
        path,
        pointer,
        attempt: task.frame.next_attempt(),
        key,
        request,
        awaited,
    });
    Ok(decision)
}

/// The request with every expression evaluated. It is the same each time: the task's input, its variables and the context do not
/// change while it is under way, and `now` is the time at which it was scheduled first.
pub(super) fn request(task: &Task<'_>) -> Result<EffectRequest, Failure> {
    if let Some(request) = resource::outstanding_request(task) {
        return request;
    }
    match &task.node.kind {
        Kind::Http(rule) => Ok(EffectRequest::Http(Box::new(call_http::request(task, rule)?))),
        Kind::Agent(rule) => Ok(EffectRequest::Agent(Box::new(call_agent::request(task, rule)?))),
        Kind::Shell(rule) => Ok(EffectRequest::Shell(Box::new(run_shell::request(task, rule)?))),
        Kind::Do(_)
        | Kind::Set(_)
        | Kind::Switch(_)
        | Kind::For(_)
        | Kind::Fork { .. }
        | Kind::Try(_)
        | Kind::Raise(_)
        | Kind::Wait(_)
        | Kind::Function { .. }
        | Kind::Workflow(_) => {
            let detail = "The task asks nothing of the world";
            Err(Failure::new(crate::domain::StandardType::Runtime, "No effect", detail))
        }
    }
}

/// The idempotency key of the effect at a path.
pub(super) fn key(task: &Task<'_>) -> Uuid {
    let purpose = task.frame.outstanding_fetch().map_or("effect", |fetch| fetch.place.kind());
    task.scope.state.id.derive(&task.frame.path, purpose)
}

fn is_awaited(task: &Task<'_>) -> bool {
    if let Kind::Shell(rule) = &task.node.kind { rule.wait_for_end } else { true }
}

/// Completes the task with the raw output of its effect.
pub(super) fn complete(task: &Task<'_>, raw_output: Shared) -> Decision {
    let node = task.node;
    let is_wanted = node.output.transform_reads_authorization || node.export.transform_reads_authorization;
    let rule = if let (Kind::Http(rule), true) = (&node.kind, is_wanted) {
        rule
    } else {
        return task.complete(raw_output, Completion::default());
    };
    match call_http::authorization(task, rule) {
        Ok(authorization) => task.complete_authorized(raw_output, Completion::default(), authorization.as_ref()),
        Err(failure) => task.fail(failure),
    }
}

/// What people read in the journal: nothing that could be secret.
pub(super) fn summary(request: &EffectRequest, redactor: &Redactor) -> String {
    // Before it is cut: of a secret at the end a part would stay.
    let hidden = |text: &str| redactor.text(text).unwrap_or_else(|| text.to_owned());
    match request {
        EffectRequest::Http(request) => format!("{} {}", request.method, public_part(&hidden(&request.uri))),
        EffectRequest::Shell(request) => shortened(&hidden(&request.command)),
        EffectRequest::Agent(request) => shortened(&hidden(&request.agent)),
    }
}

/// The address without credentials, query and fragment.
fn public_part(uri: &str) -> String {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let (address, _) = uri.split_at(end);
    let Some((scheme, rest)) = address.split_once("://") else { return shortened(address) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    shortened(&format!("{scheme}://{host}{path}"))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_have_no_credentials_and_no_query() {
        assert_eq!(public_part("https://user:secret@host:8/a/b?token=x#y"), "https://host:8/a/b");
        assert_eq!(public_part("https://host?token=x"), "https://host");
        assert_eq!(public_part("not an address?x"), "not an address");
        assert_eq!(shortened(&"ü".repeat(300)).chars().count(), 201);
    }
}
