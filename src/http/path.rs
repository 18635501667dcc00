//! Ids in paths. What is not an id names nothing, so it answers 404 like an id that nothing has.

use super::error::{Error, Result};
use crate::domain::{AgentId, ExecutionId, WorkflowId};
use actix_web::HttpRequest;
use std::str::FromStr;

/// The execution that `{id}` names.
pub fn execution_id(request: &HttpRequest) -> Result<ExecutionId> {
    id(request, "id", "execution")
}

/// The registered workflow version that `{id}` names.
pub fn workflow_id(request: &HttpRequest) -> Result<WorkflowId> {
    id(request, "id", "workflow")
}

/// The agent that `{id}` names.
pub fn agent_id(request: &HttpRequest) -> Result<AgentId> {
    id(request, "id", "agent")
}

fn id<T: FromStr>(request: &HttpRequest, segment: &str, what: &str) -> Result<T> {
    let text = request.match_info().query(segment);
    text.parse().map_err(|_| Error::not_found(what, text))
}
