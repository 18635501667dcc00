//! `try`: attempts, the pause between them, the handler.
//!
//! A caught error is first retried as the policy says; when that is over the handler runs; without a handler a retried error is
//! thrown again and any other is swallowed. An error that is not caught, or that the handler raises, fails the task.

use super::action::Action;
use super::decide::{Completion, Decision, Task};
use super::program::TryRule;
use super::retry;
use super::scope::{LocalValue, Scope};
use super::state::{List, ListEnd, TryPhase, TryWork, Work};
use crate::domain::definition::model::ErrorField;
use crate::domain::{EventBody, Failure, TimerPurpose, Timestamp};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>, rule: &TryRule) -> Option<Decision> {
    let Work::Try(work) = &task.frame.work else { return None };
    match &work.phase {
        TryPhase::Attempt { list, deadline } => attempt(task, rule, work, list, *deadline),
        TryPhase::Delay { is_over: false, .. } => None,
        TryPhase::Delay { is_over: true, .. } => {
            let prefix = attempt_path(&task.frame.path, work.attempt);
            attempt(task, rule, work, &List::new(rule.body, prefix, Arc::clone(&task.frame.input)), None)
        }
        TryPhase::Handler { list, error } => {
            task.with_local(&rule.variable, LocalValue::Error(error), |scope| handler(task, rule, scope, list))
        }
    }
}

/// The path that the steps of an attempt continue.
pub(super) fn attempt_path(path: &str, attempt: u32) -> Arc<str> {
    format!("{path}/a{attempt}").into()
}

/// The path that the steps of the handler continue.
pub(super) fn handler_path(path: &str) -> Arc<str> {
    format!("{path}/h").into()
}

fn attempt(
    task: &Task<'_>,
    rule: &TryRule,
    work: &TryWork,
    list: &List,
    deadline: Option<Timestamp>,
) -> Option<Decision> {
    let limit = rule.retry.as_ref().and_then(|retry| retry.limit_attempt_duration.as_ref());
    let is_untouched = list.steps == 0 && list.current.is_none() && list.end == ListEnd::Open;
    if let (Some(limit), None, true) = (limit, deadline, is_untouched) {
        let end = limit.end(&task.scope, &task.frame.input, Some(&task.view()), task.scope.moment.at);
        return Some(end.map_or_else(|failure| task.fail(failure), |deadline| arm(task, deadline)));
    }
    if let ListEnd::Failed(failure) = &list.end {
        return caught(task, rule, work, failure);
    }
    task.decide_list(&task.scope, list, |value| task.complete(value, Completion::default()))
}

fn arm(task: &Task<'_>, deadline: Timestamp) -> Decision {
    let purpose = TimerPurpose::AttemptTimeout;
    let mut decision = Decision::default();
    decision.push(&task.frame.pointer, &task.frame.path, EventBody::TimerSet { purpose, deadline });
    decision.actions.push(Action::SetTimer { path: Arc::clone(&task.frame.path), purpose, deadline });
    decision
}

/// What becomes of an error in the block.
fn caught(task: &Task<'_>, rule: &TryRule, work: &TryWork, failure: &Failure) -> Option<Decision> {
    task.with_local(&rule.variable, LocalValue::Error(failure), |scope| {
        let verdict = retry::verdict(task, rule, work, scope, failure);
        match verdict {
            Err(broken) => Some(task.fail(broken)),
            Ok(retry::Verdict::NotCaught) => Some(task.fail(failure.clone())),
            Ok(retry::Verdict::Retry { deadline }) => Some(retried(task, work, failure, deadline)),
            Ok(retry::Verdict::Handle) => match rule.handler {
                Some(id) => {
                    let list = List::new(id, handler_path(&task.frame.path), Arc::clone(&task.frame.input));
                    let mut decision = handler(task, rule, scope, &list)?;
                    decision.actions.splice(0..0, disarmed(task));
                    Some(decision)
                }
                None if rule.retry.is_some() => Some(task.fail(failure.clone())),
                None => Some(after_error(task, rule, &task.frame.input)),
            },
        }
    })
}

fn retried(task: &Task<'_>, work: &TryWork, failure: &Failure, deadline: Timestamp) -> Decision {
    let mut decision = Decision::default();
    let next_attempt = work.attempt.saturating_add(1);
    let path = Arc::clone(&task.frame.path);
    decision.actions.extend(disarmed(task));
    let body = EventBody::TaskRetried { error: failure.clone(), next_attempt, deadline };
    decision.push(&task.frame.pointer, &path, body);
    if deadline > task.scope.moment.at {
        decision.actions.push(Action::SetTimer { path, purpose: TimerPurpose::Retry, deadline });
    }
    decision
}

/// Disarms the limit of the attempt that failed, when it has one.
fn disarmed(task: &Task<'_>) -> Option<Action> {
    let purpose = TimerPurpose::AttemptTimeout;
    let is_armed = task.frame.timers().any(|(known, _)| known == purpose);
    is_armed.then(|| Action::CancelTimer { path: Arc::clone(&task.frame.path), purpose })
}

fn handler(task: &Task<'_>, rule: &TryRule, scope: &Scope<'_>, list: &List) -> Option<Decision> {
    task.decide_list(scope, list, |value| after_error(task, rule, &value))
}

/// Completes the task behind an error: `catch.then` counts instead of the task's own `then`.
fn after_error(task: &Task<'_>, rule: &TryRule, value: &Arc<Value>) -> Decision {
    task.complete(Arc::clone(value), Completion { then: rule.then.as_ref(), ..Completion::default() })
}

/// Whether the static filter lets an error through. All given fields must match.
pub(super) fn matches(filter: &[(ErrorField, Value)], failure: &Failure) -> bool {
    let text = |wanted: &Value, field: &Option<String>| wanted.as_str() == field.as_deref();
    filter.iter().all(|(field, wanted)| match field {
        ErrorField::Type => wanted.as_str().is_some_and(|wanted| canonical(wanted) == canonical(&failure.error_type)),
        ErrorField::Status => {
            *wanted == failure.status || wanted.as_f64().is_some_and(|status| failure.status.as_f64() == Some(status))
        }
        ErrorField::Instance => text(wanted, &failure.instance),
        ErrorField::Title => text(wanted, &failure.title),
        ErrorField::Detail => text(wanted, &failure.detail),
    })
}

/// The one form of the many spellings of a standard error type: `std:timeout`. Anything else stays as it is.
fn canonical(error_type: &str) -> String {
    let address = error_type
        .strip_prefix("https://https://")
        .map_or_else(|| error_type.to_owned(), |rest| format!("https://{rest}"));
    standard_name(&address).map_or(address.clone(), |name| format!("std:{name}"))
}

fn standard_name(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    if !["serverlessworkflow.io", "serverlessworkflow.io.io", "open-workflow-specification.org"].contains(&host) {
        return None;
    }
    let name = match path.split('/').collect::<Vec<_>>().as_slice() {
        ["spec", version, "errors", name] if semver::Version::parse(version).is_ok() => *name,
        ["dsl", "errors", "types", name] => *name,
        _ => return None,
    };
    crate::domain::StandardType::ALL.iter().any(|standard| standard.name() == name).then_some(name)
}
