//! Frames of the live protocol, the same over WebSocket and server-sent events.
//!
//! [`ServerFrame`] is the schema of everything the service sends. The hub builds the frequent one, `execution_event`, with
//! [`execution_event`] from text that is already serialized; a test holds the two together.

use super::event::{EventView, push_event};
use super::execution::{ProgressView, WorkflowLabel};
use super::problem::Problem;
use crate::domain::quota::Bound;
use crate::domain::{AgentId, Execution, ExecutionId, ExecutionType, Failure, Status, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What the service sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The first frame of every session.
    Hello { data: Hello },
    /// The newest state of an execution; intermediate states may be left out.
    ExecutionUpdate {
        position: u64,
        #[serde(borrow)]
        data: Box<ExecutionUpdate<'a>>,
    },
    /// One line of an execution's journal; none is ever left out.
    ExecutionEvent { seq: u64, position: u64, data: Box<EventView> },
    /// A piece of an answer while it is being produced. Not durable: the final text is in `task_completed`.
    OutputDelta { data: OutputDelta<'a> },
    /// A log line.
    Log { data: Box<LogLine<'a>> },
    /// The session fell behind and continues from the journal.
    Resync { data: Resync },
    /// The answer to `{"type":"ping"}`.
    Pong,
    /// A client frame was not accepted.
    Error { data: Box<Problem> },
    /// The service ends the session.
    Goodbye { data: Goodbye },
}

impl ServerFrame<'_> {
    /// The value of `type`; also the event name of server-sent events.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::ExecutionUpdate { .. } => EXECUTION_UPDATE,
            Self::ExecutionEvent { .. } => EXECUTION_EVENT,
            Self::OutputDelta { .. } => "output_delta",
            Self::Log { .. } => "log",
            Self::Resync { .. } => "resync",
            Self::Pong => "pong",
            Self::Error { .. } => "error",
            Self::Goodbye { .. } => "goodbye",
        }
    }

    /// The frame as it goes over the wire. Every part of a frame has a JSON form, so this does not fail in practice; were it
    /// ever to, the receiver gets an empty object rather than a broken frame.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// `type` of the frame that carries the newest state of an execution.
pub const EXECUTION_UPDATE: &str = "execution_update";
/// `type` of the frame that carries one event.
pub const EXECUTION_EVENT: &str = "execution_event";

/// Who the session is and where the store stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hello {
    /// Id of the session, for logs.
    pub session: String,
    /// The store's newest position.
    pub position: u64,
    /// How often the service pings.
    pub heartbeat_seconds: u32,
}

/// The state of an execution as the global feed shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionUpdate<'a> {
    pub id: ExecutionId,
    pub execution_type: ExecutionType,
    pub status: Status,
    #[serde(default)]
    pub workflow_id: Option<WorkflowId>,
    pub workflow: WorkflowLabel,
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    #[serde(default)]
    pub parent_execution_id: Option<ExecutionId>,
    /// The failed or cancelled execution that this one is a retry of: its `continued_by` is this one, unless there is a newer.
    #[serde(default)]
    pub continues: Option<ExecutionId>,
    pub progress: ProgressView,
    /// The result, once succeeded. Left out when larger than 16 KiB; the execution's detail has it.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub output: Option<Cow<'a, Value>>,
    #[serde(default)]
    #[schema(value_type = Option<Failure>)]
    pub error: Option<Cow<'a, Failure>>,
    /// Why it is paused, when a limit and not a person paused it.
    #[serde(default)]
    pub pause_reason: Option<Cow<'a, str>>,
    /// The limit that has paused it: what `pause_reason` says, for programs.
    #[serde(default)]
    pub pause_limit: Option<Bound>,
    pub last_seq: u64,
    pub created_at: Timestamp,
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// Outputs above this size are left out of `execution_update` frames, so that one large result does not flood every session.
pub const MAX_UPDATE_OUTPUT_BYTES: usize = 16 * 1024;

impl<'a> ExecutionUpdate<'a> {
    /// The update that shows `execution` as it stands. `now` is for the estimate of the remaining time.
    pub fn new(execution: &'a Execution, now: Timestamp) -> Self {
        let creation = execution.creation.as_ref();
        let definition = &creation.definition;
        let is_small = |output: &&Value| size_is_below(output, MAX_UPDATE_OUTPUT_BYTES);
        Self {
            id: execution.id,
            execution_type: creation.execution_type,
            status: execution.status,
            workflow_id: definition.workflow_id,
            workflow: WorkflowLabel { namespace: definition.namespace.clone(), name: definition.name.clone() },
            agent_id: creation.agent_id,
            parent_execution_id: creation.parent.as_ref().map(|parent| parent.execution_id),
            continues: creation.continues(),
            progress: ProgressView::of(execution, now),
            output: execution.output.as_ref().filter(is_small).map(Cow::Borrowed),
            error: execution.error.as_ref().map(Cow::Borrowed),
            pause_reason: execution.pause_reason.as_deref().map(Cow::Borrowed),
            pause_limit: execution.pause_limit,
            last_seq: execution.last_seq,
            created_at: execution.created_at,
            started_at: execution.started_at,
            finished_at: execution.finished_at,
            updated_at: execution.updated_at,
        }
    }
}

/// Whether the JSON of a value is roughly below a size; stops counting as soon as it is not.
pub(super) fn size_is_below(value: &Value, limit: usize) -> bool {
    fn count(value: &Value, left: &mut usize) -> bool {
        let own = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 8,
            Value::String(text) => text.len() + 2,
            Value::Array(_) | Value::Object(_) => 2,
        };
        let Some(rest) = left.checked_sub(own) else { return false };
        *left = rest;
        match value {
            Value::Array(items) => items.iter().all(|item| count(item, left)),
            Value::Object(fields) => fields.iter().all(|(key, field)| {
                let Some(rest) = left.checked_sub(key.len() + 4) else { return false };
                *left = rest;
                count(field, left)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }
    let mut left = limit;
    count(value, &mut left)
}

/// A piece of streamed output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutputDelta<'a> {
    pub execution_id: ExecutionId,
    /// JSON pointer to the task.
    pub task: Cow<'a, str>,
    /// The instance of that task.
    pub path: Cow<'a, str>,
    /// Number of the piece within this attempt of the task: 1, 2, 3 …; a gap means that pieces were dropped.
    pub n: u64,
    /// Number of the first piece that `text` holds: `n` itself, but 1 in the frame that brings a new watcher up to date. It
    /// replaces what was known.
    pub from: u64,
    pub text: Cow<'a, str>,
}

/// A log line of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogLine<'a> {
    pub execution_id: ExecutionId,
    /// Number of the line within the execution; a gap means that lines were dropped.
    pub n: u64,
    /// JSON pointer to the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// `debug`, `info`, `warn` or `error`.
    pub level: Cow<'a, str>,
    pub message: Cow<'a, str>,
    #[serde(default)]
    #[schema(value_type = Value)]
    pub metadata: Cow<'a, Value>,
    /// The kind of effect that wrote it: `http`, `shell` or `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Cow<'a, str>>,
    pub at: Timestamp,
}

/// Why a session catches up, and from which cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resync {
    /// `lagging`.
    pub reason: String,
    /// The last cursor before the gap.
    pub from: u64,
}

/// Why a session ends, and when to come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Goodbye {
    /// `shutting_down`.
    pub reason: String,
    pub retry_after_ms: u64,
}

/// The text of an `execution_event` frame, assembled from the event's line in the journal without parsing it.
pub fn execution_event(execution_id: ExecutionId, seq: u64, position: u64, line: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(line.len() + 144);
    // Writing to a String cannot fail.
    let _ = write!(text, r#"{{"type":"execution_event","seq":{seq},"position":{position},"data":"#);
    push_event(&mut text, execution_id, None, line);
    text.push('}');
    text
}

/// What a client may send. The bare text `ping` is answered with the bare text `pong` and is not a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    Ping {},
    /// Adds one execution's complete feed to the session, from after `after_seq`.
    Subscribe {
        execution_id: ExecutionId,
        #[serde(default)]
        after_seq: u64,
    },
    Unsubscribe {
        execution_id: ExecutionId,
    },
    Cancel {
        execution_id: ExecutionId,
        #[serde(default)]
        reason: Option<String>,
    },
    Pause {
        execution_id: ExecutionId,
    },
    Resume {
        execution_id: ExecutionId,
    },
    /// A fresh token or key in place of the one that the session was opened with.
    Auth {
        token: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Event, EventBody};
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn the_assembled_event_frame_is_the_frame_of_the_schema() {
        let id = ExecutionId(Uuid::from_u128(7));
        let event = Event {
            seq: 8,
            at: Timestamp::from_micros(1_700_000_000_000_000),
            task: Some("/do/1/review".into()),
            path: Some("s1:review".into()),
            attempt: 0,
            body: EventBody::TaskCompleted { output: json!({"a": "\"}{"}), context: None, directive: None },
        };
        let line = serde_json::to_string(&event).unwrap();
        let text = execution_event(id, 8, 1044, &line);
        let ServerFrame::ExecutionEvent { seq, position, data } = serde_json::from_str(&text).unwrap() else {
            panic!("{text}");
        };
        assert_eq!((seq, position), (8, 1044));
        assert_eq!((data.execution_id, data.seq, data.event_type.as_str()), (id, 8, "task_completed"));
        assert_eq!(data.task.as_deref(), Some("/do/1/review"));
        assert_eq!(data.data, json!({"output": {"a": "\"}{"}}));
    }

    #[test]
    fn type_names_are_those_on_the_wire() {
        for frame in [
            ServerFrame::Pong,
            ServerFrame::Hello { data: Hello { session: "s".into(), position: 3, heartbeat_seconds: 30 } },
            ServerFrame::Resync { data: Resync { reason: "lagging".into(), from: 3 } },
            ServerFrame::Goodbye { data: Goodbye { reason: "shutting_down".into(), retry_after_ms: 1000 } },
        ] {
            let value: Value = serde_json::from_str(&frame.to_text()).unwrap();
            assert_eq!(value["type"], frame.type_name());
        }
    }

    #[test]
    fn unknown_and_superfluous_client_frames_are_refused() {
        let id = Uuid::from_u128(7);
        let parse = |text: &str| serde_json::from_str::<ClientFrame>(text);
        assert_eq!(parse(r#"{"type":"ping"}"#).unwrap(), ClientFrame::Ping {});
        let subscribed = parse(&format!(r#"{{"type":"subscribe","execution_id":"{id}"}}"#)).unwrap();
        assert_eq!(subscribed, ClientFrame::Subscribe { execution_id: ExecutionId(id), after_seq: 0 });
        assert!(parse(r#"{"type":"shout"}"#).is_err());
        assert!(parse(r#"{"type":"ping","extra":1}"#).is_err());
        assert!(parse(r#"{"type":"cancel"}"#).is_err());
    }

    #[test]
    fn a_large_output_is_recognized() {
        assert!(size_is_below(&json!({"a": [1, 2, 3]}), 100));
        assert!(!size_is_below(&json!({"a": "x".repeat(200)}), 100));
        assert!(!size_is_below(&json!(vec![1; 50]), 100));
    }
}
