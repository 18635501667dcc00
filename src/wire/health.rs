//! Whether the service lives and is ready.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The process works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Live {
    /// `ok`.
    pub status: String,
    pub version: String,
}

/// Whether the service can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// `ready` or `not_ready`.
    pub status: String,
    pub dependencies: BTreeMap<String, Dependency>,
}

/// Something that the service needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependency {
    /// `ok` or `away`.
    pub status: String,
    /// How long its answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// Why it is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Dependency {
    pub fn ok(latency_ms: Option<u64>) -> Self {
        Self { status: "ok".to_owned(), latency_ms, detail: None }
    }

    pub fn away(detail: String) -> Self {
        Self { status: "away".to_owned(), latency_ms: None, detail: Some(detail) }
    }

    pub fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}
