//! Schema documents that stand elsewhere (`schema.resource`): fetched by an effect, kept for the rest of the execution.
//!
//! A task fetches what it needs right after its start, before its input is checked and before anything of it is done: the failure
//! of a fetch is an error of the task, is covered by its timeout, and nothing is done whose result could not be checked. The same
//! holds for the workflow and its first task. What was fetched is in the journal; a replay fetches nothing. A literal address is
//! fetched once per execution, a computed one by each run of the task. Why it is so: ADR 0014.

use super::action::Action;
use super::call_http::policy;
use super::decide::{Decision, Task};
use super::document::{Document, Documents, Fetch, Place, next_attempt, raw_address, unusable};
use super::effect::summary;
use super::expression::{Template, expand_uri};
use super::preparation::{prepare, prepared};
use super::program::{DataRule, Node, Program, UriRule};
use super::scope::{Scope, View};
use super::state::{Effect, EffectResult, ListEnd, State, TryPhase, Work};
use super::texts::text;
use crate::domain::{EffectRequest, EventBody, Failure, HttpOutput, HttpRequest};
use serde_json::Value;
use std::sync::Arc;

/// How a schema is fetched.
#[derive(Debug)]
pub(super) struct ResourceRule {
    pub(super) uri: UriRule,
    pub(super) authentication: Option<Template>,
    pub(super) dialect: Option<&'static str>,
    /// What it is known by in the whole execution; absent when its address is computed.
    pub(super) key: Option<Arc<str>>,
}

/// Whether what a task or a workflow needs is there.
pub(super) enum Readiness {
    Ready,
    /// A fetch is under way.
    Blocked,
    Fetch(Decision),
    Failed(Failure),
}

impl Program {
    /// How a schema is fetched; `None` when it is no external one. `node` is absent for those of the workflow.
    pub(super) fn resource<'p>(&'p self, node: Option<&'p Node>, place: Place) -> Option<&'p ResourceRule> {
        match (node, place) {
            (Some(node), place) => place.of_task(node).resource(),
            (None, Place::Input) => self.input.resource(),
            (None, Place::Output) => self.output.resource(),
            (None, Place::Export) => None,
        }
    }
}

/// Checks a value against the schema of a rule, if it has one. `documents` are those of the task or the workflow.
pub(super) fn check(
    state: &State,
    documents: &Documents,
    rule: &DataRule,
    place: Place,
    value: &Value,
    what: &str,
) -> Result<(), Failure> {
    if let Some(schema) = rule.inline() {
        return schema.check(value, what);
    }
    let Some(resource) = rule.resource() else { return Ok(()) };
    match found(state, documents, resource, place) {
        Some(document) => document.check(value, what),
        None => Err(unusable(&format!("The schema of the {what} was not fetched"))),
    }
}

fn found<'s>(
    state: &'s State,
    documents: &'s Documents,
    resource: &ResourceRule,
    place: Place,
) -> Option<&'s Document> {
    resource.key.as_deref().map_or_else(|| documents.get(&place), |key| state.resources.get(key))
}

/// Whether a started task may go on. Asked until something of its definition has been done.
pub(super) fn readiness(task: &Task<'_>) -> Readiness {
    let Task { scope, frame, node } = *task;
    if !node.has_resources || !is_untouched(&frame.work) {
        return Readiness::Ready;
    }
    if let Some(readiness) = outcome(frame.fetch.as_ref()) {
        return readiness;
    }
    for place in Place::ALL {
        let rule = place.of_task(node);
        let Some(resource) = rule.resource() else { continue };
        if found(scope.state, &frame.documents, resource, place).is_none() {
            return begin(&scope, resource, place, &frame.path, || task_request(task, place, resource));
        }
        if place == Place::Input
            && let Err(failure) = check_input(task, rule)
        {
            return Readiness::Failed(failure);
        }
    }
    Readiness::Ready
}

/// The check of the input, and behind it what could not be evaluated at the start of the task.
fn check_input(task: &Task<'_>, rule: &DataRule) -> Result<(), Failure> {
    let Task { scope, frame, .. } = task;
    check(scope.state, &frame.documents, rule, Place::Input, &frame.raw_input, "input")?;
    let mut scope = *scope;
    scope.moment.at = frame.started_at;
    prepare(&scope, &frame.raw_input, &View { input: None, ..task.view() }).map(|_| ())
}

/// Whether the first task of a workflow may begin.
pub(super) fn workflow_readiness(scope: &Scope<'_>) -> Readiness {
    let state = scope.state;
    let is_begun = state.main.as_ref().is_none_or(|main| main.steps > 0 || main.current.is_some());
    if is_begun {
        return Readiness::Ready;
    }
    let at = |place: Place| move |failure: Failure| failure.at(place.of_workflow());
    if let Some(readiness) = outcome(state.fetch.as_ref()) {
        return readiness;
    }
    for place in [Place::Input, Place::Output] {
        let Some(resource) = scope.program.resource(None, place) else { continue };
        if found(state, &state.documents, resource, place).is_none() {
            let request = || request(scope, resource, &state.raw_input, None);
            return match begin(scope, resource, place, &"".into(), request) {
                Readiness::Failed(failure) => Readiness::Failed(at(place)(failure)),
                readiness @ (Readiness::Ready | Readiness::Blocked | Readiness::Fetch(_)) => readiness,
            };
        }
        if place == Place::Input {
            let checked = check(state, &state.documents, &scope.program.input, place, &state.raw_input, "input");
            if let Err(failure) = checked.map_err(at(place)).and_then(|()| prepared(scope).map(|_| ())) {
                return Readiness::Failed(failure);
            }
        }
    }
    Readiness::Ready
}

/// What a fetch that was begun means.
fn outcome(fetch: Option<&Fetch>) -> Option<Readiness> {
    match &fetch?.effect.result {
        None => Some(Readiness::Blocked),
        Some(EffectResult::Failed(failure)) => Some(Readiness::Failed(Failure::clone(failure))),
        Some(EffectResult::Completed { .. }) => None,
    }
}

fn begin(
    scope: &Scope<'_>,
    resource: &ResourceRule,
    place: Place,
    path: &Arc<str>,
    request: impl FnOnce() -> Result<EffectRequest, Failure>,
) -> Readiness {
    if is_under_way(scope, resource) {
        return Readiness::Blocked;
    }
    let request = match request() {
        Ok(request) => request,
        Err(failure) => return Readiness::Failed(failure),
    };
    let frame = scope.state.frame_at(path);
    let pointer = frame.map_or_else(|| place.of_workflow().into(), |frame| Arc::clone(&frame.pointer));
    let attempt = frame.map_or_else(|| next_attempt(scope.state.fetch.as_ref()), |frame| frame.next_attempt());
    let mut decision = Decision::default();
    let redactor = scope.evaluator.secrets().redactor();
    let body = EventBody::EffectScheduled { kind: place.kind().into(), summary: summary(&request, redactor) };
    decision.push(&pointer, path, body);
    let key = scope.state.id.derive(path, place.kind());
    let path = Arc::clone(path);
    decision.actions.push(Action::RunEffect { path, pointer, attempt, key, request, awaited: true });
    Readiness::Fetch(decision)
}

/// Whether another task fetches the same document right now; then this one waits for it.
fn is_under_way(scope: &Scope<'_>, resource: &ResourceRule) -> bool {
    let Some(key) = &resource.key else { return false };
    let mut found = false;
    scope.state.visit(&mut |frame| {
        let fetch = frame.fetch.as_ref().filter(|fetch| fetch.effect.result.is_none());
        let node = scope.program.node(frame.node);
        let other = fetch.zip(node).and_then(|(fetch, node)| fetch.place.of_task(node).resource());
        found |= other.is_some_and(|other| other.key.as_ref() == Some(key));
    });
    found
}

/// The request behind a fetch; the same each time it is built.
pub(super) fn task_request(task: &Task<'_>, place: Place, resource: &ResourceRule) -> Result<EffectRequest, Failure> {
    let (input, view) = match place {
        Place::Input => (&task.frame.raw_input, View { input: None, ..task.view() }),
        Place::Output | Place::Export => (&task.frame.input, task.view()),
    };
    request(&task.scope, resource, input, Some(&view))
}

/// The request of the fetch that a task waits for.
pub(super) fn outstanding_request(task: &Task<'_>) -> Option<Result<EffectRequest, Failure>> {
    let fetch = task.frame.fetch.as_ref().filter(|fetch| fetch.effect.result.is_none())?;
    let resource = fetch.place.of_task(task.node).resource()?;
    Some(task_request(task, fetch.place, resource))
}

/// The attempt and the action of the fetch that the workflow itself waits for, or why it cannot be asked for any more.
pub(super) fn outstanding_of_workflow(scope: &Scope<'_>) -> Option<(u32, Result<Action, Failure>)> {
    let fetch = scope.state.fetch.as_ref().filter(|fetch| fetch.effect.result.is_none())?;
    let resource = scope.program.resource(None, fetch.place)?;
    let mut scope = *scope;
    scope.moment.at = fetch.effect.scheduled_at;
    let attempt = fetch.effect.attempt;
    let action = request(&scope, resource, &scope.state.raw_input, None).map(|request| Action::RunEffect {
        path: "".into(),
        pointer: fetch.place.of_workflow().into(),
        attempt,
        key: scope.state.id.derive("", fetch.place.kind()),
        request,
        awaited: true,
    });
    Some((attempt, action))
}

fn request(
    scope: &Scope<'_>,
    resource: &ResourceRule,
    input: &Value,
    view: Option<&View<'_>>,
) -> Result<EffectRequest, Failure> {
    let uri = match &resource.uri {
        UriRule::Expression(expression) => text(scope.evaluate(expression, input, view)?, "endpoint")?,
        UriRule::Template(template) => expand_uri(template, input)?,
    };
    let authentication = match &resource.authentication {
        Some(template) => Some(policy(scope, scope.template(template, input, view)?)?),
        None => None,
    };
    Ok(EffectRequest::Http(Box::new(HttpRequest {
        method: "GET".to_owned(),
        uri: raw_address(&uri).unwrap_or(uri),
        headers: Vec::new(),
        query: Vec::new(),
        body: None,
        output: HttpOutput::Raw,
        redirect: true,
        authentication,
    })))
}

/// Whether nothing of a task's definition has been done yet.
fn is_untouched(work: &Work) -> bool {
    let is_new = |list: &super::state::List| list.steps == 0 && list.current.is_none() && list.end == ListEnd::Open;
    match work {
        Work::Fresh => true,
        Work::Effect(_) | Work::Wait { .. } | Work::Child { .. } => false,
        Work::List(list) => is_new(list),
        Work::For { list, .. } => list.is_none(),
        Work::Fork { branches, .. } => branches.iter().all(|branch| is_new(&branch.list)),
        Work::Try(work) => {
            matches!(&work.phase, TryPhase::Attempt { list, deadline: None } if work.attempt == 0 && is_new(list))
        }
    }
}

impl Effect {
    pub(super) fn asked(attempt: u32, at: crate::domain::Timestamp) -> Self {
        Self { attempt, scheduled_at: at, is_withheld: false, result: None }
    }
}
