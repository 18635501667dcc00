//! Ids in paths. What is not an id names nothing, so it answers 404 like an id that nothing has.

use super::error::{Error, Result};
use crate::domain::{AgentId, ApiKeyId, ExecutionId, SavedViewId, TenantId, UserId, WorkflowId};
use actix_web::HttpRequest;
use std::str::FromStr;

/// The execution that `{id}` names.
pub fn execution_id(request: &HttpRequest) -> Result<ExecutionId> {
    id(request, "id", "execution")
}

/// The execution that `{other}` names.
pub fn other_execution_id(request: &HttpRequest) -> Result<ExecutionId> {
    id(request, "other", "execution")
}

/// The registered workflow version that `{id}` names.
pub fn workflow_id(request: &HttpRequest) -> Result<WorkflowId> {
    id(request, "id", "workflow")
}

/// The agent that `{id}` names.
pub fn agent_id(request: &HttpRequest) -> Result<AgentId> {
    id(request, "id", "agent")
}

/// The tenant that `{id}` names.
pub fn tenant_id(request: &HttpRequest) -> Result<TenantId> {
    id(request, "id", "tenant")
}

/// The person that `{id}` names.
pub fn user_id(request: &HttpRequest) -> Result<UserId> {
    id(request, "id", "person")
}

/// The API key that `{id}` names.
pub fn api_key_id(request: &HttpRequest) -> Result<ApiKeyId> {
    id(request, "id", "API key")
}

/// The saved view that `{id}` names.
pub fn view_id(request: &HttpRequest) -> Result<SavedViewId> {
    id(request, "id", "saved view")
}

fn id<T: FromStr>(request: &HttpRequest, segment: &str, what: &str) -> Result<T> {
    let text = request.match_info().query(segment);
    text.parse().map_err(|_| Error::not_found(what, text))
}
