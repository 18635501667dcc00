//! Readings of an execution's journal and log.

use super::event::EventView;
use super::task::TaskView;
use crate::domain::{AgentId, LogLine, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A part of an execution's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Oldest first.
    pub items: Vec<EventView>,
    /// Give it back as `after_seq` to continue; absent at the present end.
    pub next_after_seq: Option<u64>,
}

/// A part of an execution's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Log {
    /// Oldest first.
    pub items: Vec<LogView>,
    /// Give it back as `after` to continue; absent at the present end.
    pub next_after: Option<u64>,
}

/// One line of an execution's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogView {
    /// Number within the execution; a gap means that lines were dropped.
    pub n: u64,
    pub at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    pub message: String,
    /// JSON pointer to the task.
    pub task: Option<String>,
    pub agent_id: Option<AgentId>,
    pub metadata: Value,
    /// The kind of effect that wrote it: `http`, `shell` or `agent`.
    pub source: String,
}

/// The task instances of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tasks {
    /// In the order in which they were started.
    pub items: Vec<TaskView>,
    /// How many there are, shown or not.
    pub total: u64,
    /// Give it back as `offset` to continue; absent at the end.
    pub next_offset: Option<u64>,
}

/// The definition that an execution runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DefinitionView {
    #[schema(value_type = Value)]
    pub definition: Box<RawValue>,
    /// The text as it was given.
    pub source: String,
}

impl From<LogLine> for LogView {
    fn from(line: LogLine) -> Self {
        Self {
            n: line.n,
            at: line.at,
            level: line.level.as_str().to_owned(),
            message: line.message,
            task: line.task,
            agent_id: line.agent_id,
            metadata: line.metadata,
            source: line.source,
        }
    }
}
