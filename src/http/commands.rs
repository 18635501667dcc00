//! What people ask of a running or finished execution: cancel, pause, resume, retry, rerun, and changing its priority.

use super::Service;
use super::body::{Json, OptionalJson};
use super::caller::Caller;
use super::error::{Error, Result};
use super::idempotency;
use super::path;
use super::start::{check_labels, check_priority, field, mark_replayed};
use super::trace;
use crate::actors::{Command, Refusal, Repetition};
use crate::domain::{Action, Execution, ExecutionId, Status};
use crate::identity::Change;
use crate::wire::execution::{ChangeExecution, CommandBody, ExecutionView};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

const MAX_REASON_CHARACTERS: usize = 1_000;

/// Ask an execution and everything under it to stop.
#[utoipa::path(post, path = "/api/v1/executions/{id}/cancel", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    request_body(content = CommandBody, description = "May be left out."),
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The request is durable."),
    ),
)]
pub async fn cancel(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<HttpResponse> {
    let reason = checked_reason(body.value)?;
    let command = Command::Cancel { by: Some(caller.name()), reason };
    perform(&service, &caller, path::execution_id(&request)?, command).await
}

/// Stop starting new tasks; what runs finishes and its result waits.
#[utoipa::path(post, path = "/api/v1/executions/{id}/pause", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    request_body(content = CommandBody, description = "May be left out."),
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The request is durable."),
    ),
)]
pub async fn pause(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<HttpResponse> {
    checked_reason(body.value)?;
    perform(&service, &caller, path::execution_id(&request)?, Command::Pause { by: Some(caller.name()) }).await
}

/// Go on after a pause.
#[utoipa::path(post, path = "/api/v1/executions/{id}/resume", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    request_body(content = CommandBody, description = "May be left out."),
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The request is durable."),
    ),
)]
pub async fn resume(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<HttpResponse> {
    checked_reason(body.value)?;
    perform(&service, &caller, path::execution_id(&request)?, Command::Resume { by: Some(caller.name()) }).await
}

/// Start a new execution that takes over what a failed or cancelled one had completed, and goes on from there.
#[utoipa::path(post, path = "/api/v1/executions/{id}/retry", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The finished execution."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters."),
        ("traceparent" = Option<String>, Header, description = "W3C trace context; effects continue it."),
    ),
    request_body(content = CommandBody, description = "May be left out."),
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The new execution.", headers(("Location" = String))),
    ),
)]
pub async fn retry(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let wish = repetition(&service, &caller, &request, body)?;
    service.check_execution(&caller, Action::ExecutionStart, id).await?;
    begun(service.engine.retry(caller.tenant_id, id, wish).await, id)
}

/// Start a new execution with the same definition and input.
#[utoipa::path(post, path = "/api/v1/executions/{id}/rerun", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution to repeat."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters."),
        ("traceparent" = Option<String>, Header, description = "W3C trace context; effects continue it."),
    ),
    request_body(content = CommandBody, description = "May be left out."),
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The new execution.", headers(("Location" = String))),
    ),
)]
pub async fn rerun(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let wish = repetition(&service, &caller, &request, body)?;
    service.check_execution(&caller, Action::ExecutionStart, id).await?;
    begun(service.engine.rerun(caller.tenant_id, id, wish).await, id)
}

/// Change an execution: its priority, its labels, or (as a request) its status.
#[utoipa::path(put, path = "/api/v1/executions/{id}", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    request_body = ChangeExecution,
    responses(
        (status = 200, body = ExecutionView<'static>, description = "The execution after the change."),
    ),
)]
pub async fn change(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeExecution>,
) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let ChangeExecution { priority, labels, status } = body.value;
    let mut errors = Vec::new();
    if let Some(priority) = priority {
        check_priority(priority, &mut errors);
    }
    if let Some(labels) = &labels {
        check_labels(labels, &mut errors);
    }
    let command = match status {
        None => None,
        Some(Status::Paused) => Some(Command::Pause { by: Some(caller.name()) }),
        Some(Status::Running) => Some(Command::Resume { by: Some(caller.name()) }),
        Some(Status::Cancelled) => Some(Command::Cancel { by: Some(caller.name()), reason: None }),
        Some(Status::Pending | Status::Waiting | Status::Succeeded | Status::Failed) => {
            errors.push(field("/status", "may only be set to paused, running or cancelled"));
            None
        }
    };
    if !errors.is_empty() {
        return Err(Error::invalid_fields(errors));
    }
    service.check_execution(&caller, Action::ExecutionSteer, id).await?;
    let engine = &service.engine;
    let mut execution = None;
    if let Some(command) = command {
        let audit = service.entry(&caller, Change::done(command.word(), "execution", id));
        let asked = engine.command(caller.tenant_id, id, command, Some(audit)).await;
        execution = Some(asked.map_err(|refusal| about(refusal, id))?);
    }
    if priority.is_some() || labels.is_some() {
        let audit = service.entry(&caller, Change::done("execution_changed", "execution", id));
        let changed = engine.amend(caller.tenant_id, id, priority, labels, audit).await;
        execution = Some(changed.map_err(|refusal| about(refusal, id))?);
    }
    let execution = match execution {
        Some(execution) => execution,
        None => service.execution(&caller, id).await?,
    };
    Ok(HttpResponse::Ok().json(ExecutionView::new(&execution, service.clock.now())))
}

/// The run button's stop.
#[utoipa::path(post, path = "/api/v1/workflows/executions/{id}/stop", tag = "workflows",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    request_body(content = CommandBody, description = "May be left out."),
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The request is durable."),
    ),
)]
pub async fn stop(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<HttpResponse> {
    cancel(service, caller, request, body).await
}

async fn perform(service: &Service, caller: &Caller, id: ExecutionId, command: Command) -> Result<HttpResponse> {
    service.check_execution(caller, Action::ExecutionSteer, id).await?;
    let audit = service.entry(caller, Change::done(command.word(), "execution", id));
    steered(service, service.engine.command(caller.tenant_id, id, command, Some(audit)).await, id)
}

/// The answer to what was asked of the execution with this id.
pub(super) fn steered(
    service: &Service,
    asked: std::result::Result<Execution, Refusal>,
    id: ExecutionId,
) -> Result<HttpResponse> {
    let execution = asked.map_err(|refusal| about(refusal, id))?;
    Ok(HttpResponse::Accepted().json(ExecutionView::new(&execution, service.clock.now())))
}

/// What is asked of the engine beyond the execution itself.
fn repetition(
    service: &Service,
    caller: &Caller,
    request: &HttpRequest,
    body: OptionalJson<CommandBody>,
) -> Result<Repetition> {
    caller.may_use(&[Action::WorkflowRun])?;
    let idempotency = idempotency::of(request, &body.bytes)?;
    checked_reason(body.value)?;
    Ok(Repetition {
        created_by: Some(caller.owner()),
        authority: Some(caller.authority()),
        traceparent: trace::of(request),
        idempotency,
        audit: Some(service.entry(caller, Change::done("execution_started", "execution", ""))),
    })
}

/// The answer to what has made a new execution from the one with this id.
fn begun(made: std::result::Result<Execution, Refusal>, id: ExecutionId) -> Result<HttpResponse> {
    let (execution, is_replayed) = match made {
        Ok(execution) => (execution, false),
        Err(Refusal::Replayed(execution)) => (*execution, true),
        Err(refusal) => return Err(about(refusal, id)),
    };
    let mut response = HttpResponse::Accepted();
    response.insert_header((header::LOCATION, format!("/api/v1/executions/{}", execution.id)));
    mark_replayed(&mut response, is_replayed);
    Ok(response.json(ExecutionView::as_accepted(&execution)))
}

fn about(refusal: Refusal, id: ExecutionId) -> Error {
    Error::of_refusal(refusal, "execution", id)
}

fn checked_reason(body: CommandBody) -> Result<Option<String>> {
    match body.reason {
        Some(reason) if reason.chars().count() > MAX_REASON_CHARACTERS => {
            let detail = format!("is longer than {MAX_REASON_CHARACTERS} characters");
            Err(Error::invalid_field("/reason", detail))
        }
        reason => Ok(reason),
    }
}
