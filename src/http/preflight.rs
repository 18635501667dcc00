//! Pre-flight of workflows: what their executions may touch, before one is started.

use super::Service;
use super::caller::Caller;
use super::error::{Error, Result};
use super::path;
use super::query::Query;
use crate::domain::WorkflowId;
use crate::wire::preflight::{PreflightView, SecretVerdict, TouchView};
use actix_web::{HttpRequest, HttpResponse, web};

/// What executions of a version may touch: addresses, commands, agents, other workflows, secrets, and how each stands now.
///
/// The definition is read, not run: what an expression computes is not known, and names of hosts are resolved but nothing is
/// sent. Whether whoever runs it may use what it touches is seen when it runs.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/preflight", tag = "workflows",
    params(("id" = WorkflowId, Path, description = "The registered version.")),
    responses((status = 200, body = PreflightView)),
)]
pub async fn preflight(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::workflow_id(&request)?;
    Query::of(&request).finish()?;
    let found = service.engine.preflight(caller.tenant_id, id).await;
    let found = found.map_err(|refusal| Error::of_refusal(refusal, "workflow", id))?;
    let touches = found.touches.iter().map(|(touch, verdict)| TouchView::new(touch, *verdict)).collect();
    let listed = found.secrets.into_iter().map(|(name, verdict)| (None, name, verdict));
    let keys = found.keys.into_iter().map(|(agent, name, verdict)| (Some(agent), name, verdict));
    let secrets = listed.chain(keys);
    let secrets =
        secrets.map(|(agent, name, verdict)| SecretVerdict { name: name.to_string(), agent, verdict }).collect();
    Ok(HttpResponse::Ok().json(PreflightView::new(touches, secrets)))
}
