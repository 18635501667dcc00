//! Child executions: created in the very append that journals their start.

use super::seed::{Opening, Seed};
use super::services::{READ_PAUSE, Services};
use super::turn::{AppendScope, First, Record, Turn};
use crate::domain::{
    Action, Creation, Event, EventBody, ExecutionId, ExecutionType, Failure, ParentLink, Path, StandardType, TenantId,
    Trigger,
};
use crate::machine::{self, Input, State};
use crate::store::{self, Append, NewExecution};
use serde_json::Value;
use std::sync::Arc;

/// How deep children may nest, so that a workflow that runs itself comes to an end.
pub const MAX_DEPTH: u32 = 32;

/// A child whose creation is not yet stored.
pub struct Newborn {
    id: ExecutionId,
    first: First,
    record: Record,
}

impl Newborn {
    pub fn append(&self, tenant: TenantId) -> Result<Append, store::Error> {
        let events = std::slice::from_ref(&self.first.event);
        let projection = self.record.projection.clone();
        Append::first(tenant, self.id, self.record.epoch, events, projection, self.first.new.clone())
    }
}

/// A parent's wish for a child, as the machine states it.
struct Request {
    path: Path,
    child_id: ExecutionId,
    namespace: String,
    name: String,
    version: String,
    input: Value,
    awaited: bool,
}

/// Takes the turn's requests for children out of its actions and prepares them. One that cannot be had is told to the
/// machine at once, in the same append.
///
/// # Errors
/// When what is stored of the workflow cannot be read back.
pub async fn create(
    scope: &AppendScope,
    record: &Record,
    turn: &mut Turn,
    services: &Arc<Services>,
) -> Result<Vec<Newborn>, store::Error> {
    let mut newborns = Vec::new();
    while let Some(request) = take_request(turn) {
        let path = Path::clone(&request.path);
        match prepare(scope, record, request, services).await? {
            Ok((newborn, seed)) => {
                newborns.push(newborn);
                turn.children.push(seed);
            }
            Err(failure) => {
                turn.step(&scope.program, Input::ChildRefused { path, failure: *failure }, &scope.secrets, services)
            }
        }
    }
    Ok(newborns)
}

async fn prepare(
    scope: &AppendScope,
    record: &Record,
    request: Request,
    services: &Arc<Services>,
) -> Result<Result<(Newborn, Seed), Box<Failure>>, store::Error> {
    let depth = record.creation.parent.as_ref().map_or(0, |parent| parent.depth) + 1;
    if depth > MAX_DEPTH {
        return Ok(Err(Box::new(too_deep())));
    }
    if let Err(why) = services.creators.check(scope.tenant, &record.creation, Action::WorkflowRun).await {
        let Request { namespace, name, version, .. } = &request;
        return Ok(Err(Box::new(why.failure(&format!("run the workflow {namespace}/{name}:{version}")))));
    }
    let version = Some(request.version.as_str());
    let (definition, program) = loop {
        match services.programs.named(scope.tenant, &request.namespace, &request.name, version).await {
            Ok(resolved) => break resolved,
            Err(store::Error::NotFound) => return Ok(Err(Box::new(unknown_workflow(&request)))),
            Err(error) if error.is_retryable() => tokio::time::sleep(READ_PAUSE).await,
            Err(error) => return Err(error),
        }
    };
    let Request { path, child_id: id, input, awaited, .. } = request;
    let root = Some(record.creation.root(scope.id));
    let creation = Arc::new(Creation {
        execution_type: ExecutionType::Workflow,
        definition,
        interpreter_revision: machine::INTERPRETER_REVISION,
        input,
        trigger: Trigger::Parent,
        priority: record.creation.priority,
        labels: record.creation.labels.clone(),
        created_by: record.creation.created_by.clone(),
        authority: record.creation.authority.clone(),
        agent_id: None,
        test_input: None,
        idempotency_key: None,
        parent: Some(ParentLink { execution_id: scope.id, path: path.to_string(), awaited, depth, root }),
        forked_from: None,
        start_at: None,
        traceparent: record.creation.traceparent.clone(),
        budget: None,
    });
    let event = creation_event(&creation, services);
    let record = Record::new(creation, event.at);
    let first = First { event, new: NewExecution::default() };
    let state = State::created(id, &first.event);
    let newborn = Newborn { id, first, record: record.clone() };
    Ok(Ok((newborn, Seed { id, tenant: scope.tenant, program, state, record, opening: Opening::Start })))
}

fn too_deep() -> Failure {
    let detail = format!("child workflows may nest {MAX_DEPTH} deep, this one would be deeper");
    Failure::new(StandardType::Runtime, "Child workflows nest too deep", detail)
        .with_suggestion("let the workflow end without starting itself, or loop inside one workflow with 'for'")
}

/// The first event of an execution's journal.
pub fn creation_event(creation: &Arc<Creation>, services: &Services) -> Event {
    Event {
        seq: 1,
        at: services.clock.now(),
        task: None,
        path: None,
        attempt: 0,
        body: EventBody::ExecutionCreated(Arc::clone(creation)),
    }
}

/// Takes out a request whose `child_started` is in this very turn. Others are repeated after a restart: those children
/// exist.
fn take_request(turn: &mut Turn) -> Option<Request> {
    let starts = |wanted: ExecutionId| {
        turn.events
            .iter()
            .any(|event| matches!(event.body, EventBody::ChildStarted { child_id, .. } if child_id == wanted))
    };
    let index = turn
        .actions
        .iter()
        .position(|action| matches!(action, machine::Action::StartChild { child_id, .. } if starts(*child_id)))?;
    match turn.actions.remove(index) {
        machine::Action::StartChild { path, child_id, namespace, name, version, input, awaited } => {
            Some(Request { path, child_id, namespace, name, version, input, awaited })
        }
        machine::Action::RunEffect { .. }
        | machine::Action::CancelEffect { .. }
        | machine::Action::SetTimer { .. }
        | machine::Action::CancelTimer { .. }
        | machine::Action::CancelChild { .. } => None,
    }
}

fn unknown_workflow(request: &Request) -> Failure {
    let Request { namespace, name, version, .. } = request;
    let detail = format!("there is no workflow {namespace}/{name} in version {version}");
    Failure::new(StandardType::Configuration, "Unknown workflow", detail)
        .with_suggestion("register the workflow before it is run as a child, or correct namespace, name and version")
}
