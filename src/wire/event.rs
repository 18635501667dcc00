//! One line of a journal as history and live feed show it.

use crate::domain::{ExecutionId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One event of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    pub execution_id: ExecutionId,
    /// Number within the execution: 1, 2, 3 … without gap.
    pub seq: u64,
    /// Store-wide position in commit order; absent inside live frames, where the frame carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    pub at: Timestamp,
    /// JSON pointer to the task in the definition; absent for the whole execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The instance of that task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The attempt of the innermost enclosing `try`, 0 for the first.
    #[serde(default)]
    pub attempt: u32,
    #[serde(rename = "type")]
    pub event_type: String,
    /// The type's own fields.
    pub data: Value,
}

/// The JSON of an event with the facts that its journal line leaves to its surroundings: `{"execution_id":…,` + the line.
///
/// `line` is the serialized [`crate::domain::Event`], an object that is never empty. It is not parsed again.
pub fn event_text(execution_id: ExecutionId, position: Option<u64>, line: &str) -> String {
    let mut text = String::with_capacity(line.len() + 96);
    push_event(&mut text, execution_id, position, line);
    text
}

/// [`event_text`], appended to a text that is being built.
pub fn push_event(text: &mut String, execution_id: ExecutionId, position: Option<u64>, line: &str) {
    use std::fmt::Write;
    let fields = line.trim_start().strip_prefix('{').unwrap_or(line);
    // Writing to a String cannot fail.
    let _ = match position {
        Some(position) => write!(text, r#"{{"execution_id":"{execution_id}","position":{position},{fields}"#),
        None => write!(text, r#"{{"execution_id":"{execution_id}",{fields}"#),
    };
}
