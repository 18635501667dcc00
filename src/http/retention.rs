//! Retention: what is kept of the caller's tenant, what would be deleted, and a round of deleting on request.

use super::Service;
use super::body::{Json, OptionalJson};
use super::caller::Caller;
use super::error::{Error, Result};
use super::query::Query;
use crate::actors::{MaintenanceView, Preview};
use crate::domain::{Retention, RetentionPolicy, Status};
use crate::identity::Change;
use crate::wire::problem::FieldError;
use crate::wire::retention::{
    MAX_DAYS, RetentionDecision, RetentionPreview, RetentionState, RetentionView, UpkeepRound, UpkeepState,
};
use actix_web::{HttpRequest, HttpResponse, web};

/// What is kept, and what upkeep does about the rest.
#[utoipa::path(get, path = "/api/v1/retention", tag = "retention", responses((status = 200, body = RetentionState)))]
pub async fn view(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    Ok(HttpResponse::Ok().json(state(&service, &caller).await?))
}

/// Decide what is kept. What is left out goes back to the settings of the service.
#[utoipa::path(put, path = "/api/v1/retention", tag = "retention",
    request_body = RetentionDecision,
    responses((status = 200, body = RetentionState)),
)]
pub async fn decide(
    service: web::Data<Service>,
    caller: Caller,
    body: Json<RetentionDecision>,
) -> Result<HttpResponse> {
    let policy = checked(body.value)?;
    let audit = service.entry(&caller, Change::done("retention_changed", "tenant", caller.tenant_id));
    let store = service.engine.store().noting(audit);
    store.set_retention_policy(caller.tenant_id, policy, Some(caller.owner())).await?;
    Ok(HttpResponse::Ok().json(state(&service, &caller).await?))
}

/// What a round would delete now: under the policy in force without a body, under the one in the body otherwise.
#[utoipa::path(post, path = "/api/v1/retention/preview", tag = "retention",
    request_body = Option<RetentionDecision>,
    responses((status = 200, body = RetentionPreview)),
)]
pub async fn preview(
    service: web::Data<Service>,
    caller: Caller,
    body: OptionalJson<Option<RetentionDecision>>,
) -> Result<HttpResponse> {
    let retention = match body.value {
        Some(decision) => checked(decision)?.over(service.engine.default_retention()),
        None => service.engine.retention(caller.tenant_id).await?.1,
    };
    let preview = service.engine.preview_retention(caller.tenant_id, retention).await?;
    Ok(HttpResponse::Ok().json(show(&preview, retention)))
}

/// Begin a round of upkeep now. It runs in the background; `upkeep` tells how it went.
#[utoipa::path(post, path = "/api/v1/retention/run", tag = "retention", responses((status = 202, body = RetentionState)))]
pub async fn run(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let audit = service.entry(&caller, Change::done("upkeep_begun", "tenant", caller.tenant_id));
    service.engine.store().record_audit(vec![audit]).await?;
    service.engine.maintain().await?;
    Ok(HttpResponse::Accepted().json(state(&service, &caller).await?))
}

fn checked(decision: RetentionDecision) -> Result<RetentionPolicy> {
    let refuse = |name| FieldError {
        detail: format!("must be at most {MAX_DAYS}"),
        pointer: Some(format!("/{name}")),
        ..FieldError::default()
    };
    let errors: Vec<FieldError> = decision.excessive().into_iter().map(refuse).collect();
    if errors.is_empty() { Ok(decision.into()) } else { Err(Error::invalid_fields(errors)) }
}

async fn state(service: &Service, caller: &Caller) -> Result<RetentionState> {
    let (policy, in_force) = service.engine.retention(caller.tenant_id).await?;
    let maintenance = service.engine.maintenance().await?;
    Ok(RetentionState {
        policy: policy.into(),
        defaults: service.engine.default_retention().into(),
        in_force: in_force.into(),
        upkeep: upkeep(&maintenance, caller),
    })
}

fn upkeep(maintenance: &MaintenanceView, caller: &Caller) -> UpkeepState {
    let last_round = maintenance.last.as_ref().map(|round| UpkeepRound {
        started_at: round.started_at,
        finished_at: round.finished_at,
        deleted_executions: maintenance.deleted_of(caller.tenant_id),
        is_complete: round.failure.is_none(),
    });
    UpkeepState { running_since: maintenance.running_since, next_at: maintenance.next_at, last_round }
}

fn show(preview: &Preview, retention: Retention) -> RetentionPreview {
    let count = |status: &Status| preview.executions.get(status).copied().unwrap_or(0);
    let statuses = Status::ALL.iter().filter(|status| status.is_terminal());
    RetentionPreview {
        in_force: RetentionView::from(retention),
        executions: statuses.map(|status| (status.as_str().to_owned(), count(status))).collect(),
        total: preview.executions.values().sum(),
        oldest_finished_at: preview.finished.map(|(first, _)| first),
        newest_finished_at: preview.finished.map(|(_, last)| last),
        is_complete: preview.is_complete,
    }
}
