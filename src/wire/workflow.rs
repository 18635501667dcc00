//! Registered workflows, and what a check of a definition found.

use super::problem::FieldError;
use crate::domain::{Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One registered version of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowView {
    pub id: WorkflowId,
    pub namespace: String,
    pub name: String,
    pub version: String,
    /// Lower-case hex SHA-256 of the canonical definition.
    pub digest: String,
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    pub tags: Map<String, Value>,
    /// Hidden from lists and from `latest`.
    pub is_archived: bool,
    /// The highest version that is not archived; a pre-release only when there is no other.
    pub is_latest: bool,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One registered version with its definition.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WorkflowDetail {
    #[serde(flatten)]
    pub workflow: WorkflowView,
    #[schema(value_type = Value)]
    pub definition: Box<RawValue>,
    /// The text as it was registered.
    pub source: String,
}

/// The answer to a registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredView {
    #[serde(flatten)]
    pub workflow: WorkflowView,
    /// What probably does not do what its author wants.
    pub warnings: Vec<FieldError>,
}

/// The body that changes a registered version. Its definition never changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeWorkflow {
    /// Hides it from lists and from `latest`, or shows it again.
    pub is_archived: bool,
}

/// What a check of a definition found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Validation {
    /// Whether it could be registered.
    pub is_valid: bool,
    /// Errors and warnings in the order of the text.
    pub problems: Vec<FieldError>,
}
