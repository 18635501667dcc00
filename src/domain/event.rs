//! Events: the lines of an execution's journal. Their type names and fields are what history, live feed and recovery read.

use super::quota::{Bound, Budget};
use super::{Creation, ExecutionId, Failure, Status, Timestamp, Usage};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The address of a task instance, stable across restarts: `s2:load/a1/s0:fetch`.
///
/// One segment per frame: `s<n>:<name>` n-th step of a list activation, `i<n>` iteration, `b<n>` fork branch, `a<n>` try
/// attempt, `h` catch handler, `f` body of a called function. In names `~` and `/` are escaped as in JSON pointers.
pub type Path = Arc<str>;

/// A JSON pointer to a task in the definition document: `/do/1/load/try/0/fetch`.
pub type Pointer = Arc<str>;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// 1, 2, 3 … without gap.
    pub seq: u64,
    pub at: Timestamp,
    /// The task in the definition; absent for the whole execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Pointer>,
    /// The instance of that task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
    /// The attempt of the innermost enclosing try, 0 for the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    #[serde(flatten)]
    pub body: EventBody,
}

fn is_zero(attempt: &u32) -> bool {
    *attempt == 0
}

/// A field that is there is a value, even when that value is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What happened, with its data. On the wire: `"type": "task_started", "data": {…}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum EventBody {
    ExecutionCreated(Arc<Creation>),
    ExecutionStarted {
        /// The transformed input, when the definition transforms it.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        input: Option<Value>,
        /// When the timeout of the workflow expires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
    },
    /// Nothing of it runs any more; something is waited for.
    ExecutionWaiting {},
    ExecutionPaused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Why, when nobody asked for it: a limit was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    ExecutionResumed {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// How long it was paused; every timeout deadline moves by this much.
        paused_us: i64,
    },
    /// Rebuilt from its journal after a crash of its actor or of the process.
    ExecutionRecovered {
        reason: String,
        restarts: u32,
        recovered_in_ms: u64,
    },
    ExecutionCompleted {
        output: Value,
    },
    ExecutionFailed {
        error: Failure,
    },
    ExecutionCancelled {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    TaskStarted {
        /// The transformed input, when the task transforms it.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        input: Option<Value>,
        /// When the timeout of the task expires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<Timestamp>,
        /// What a `for` iterates over, evaluated once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collection: Option<Vec<Value>>,
        /// What a called function gets as its raw input, evaluated once.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        arguments: Option<Value>,
    },
    TaskCompleted {
        output: Value,
        /// The new context, when the task exports one.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        context: Option<Value>,
        /// The flow directive that is followed, when it is not `continue`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directive: Option<Arc<str>>,
    },
    /// Its `if` was false: the input becomes the output.
    TaskSkipped {},
    TaskFailed {
        error: Failure,
    },
    /// The try at this path starts another attempt when the deadline is reached.
    TaskRetried {
        error: Failure,
        next_attempt: u32,
        deadline: Timestamp,
    },
    TaskCancelled {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Something is asked of the world. It is asked again after a crash until an outcome is journaled.
    EffectScheduled {
        /// `http`, `shell`, `agent`; `input_schema`, `output_schema`, `export_schema` for the fetch of a schema.
        kind: Arc<str>,
        /// What people read: method and address, command, agent. Without query, credentials and secrets.
        summary: String,
    },
    /// It was not begun, because a limit is reached; it is once the execution is resumed.
    EffectWithheld {
        reason: String,
    },
    EffectCompleted {
        /// The raw output; absent when the `task_completed` that follows carries the same value.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        output: Option<Value>,
    },
    EffectFailed {
        error: Failure,
    },
    TimerSet {
        purpose: TimerPurpose,
        deadline: Timestamp,
    },
    TimerFired {
        purpose: TimerPurpose,
    },
    ChildStarted {
        child_id: ExecutionId,
        namespace: String,
        name: String,
        version: String,
        awaited: bool,
    },
    ChildFinished {
        child_id: ExecutionId,
        status: Status,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        output: Option<Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
    },
    UsageRecorded(Box<Usage>),
    /// A person is asked.
    ApprovalRequested {
        kind: ApprovalKind,
        /// What is asked, in words.
        prompt: String,
        /// The limit that is reached.
        limit: Bound,
    },
    ApprovalGiven {
        kind: ApprovalKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// The limits that are changed.
        change: Budget,
        /// What may be spent from now on.
        approved: Budget,
    },
}

/// What a person is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// Whether more may be spent.
    Budget,
}

/// What a timer is for. Together with the path it names the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerPurpose {
    /// The duration of a `wait` task.
    Wait,
    /// The pause before the next attempt of a `try`.
    Retry,
    /// The limit of one attempt of a `try`.
    AttemptTimeout,
    /// The timeout of a task.
    TaskTimeout,
    /// The timeout of the whole workflow.
    WorkflowTimeout,
    /// The wall time of the execution's budget.
    WallBudget,
}

impl EventBody {
    /// The type name on the wire and in filters.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::ExecutionCreated(_) => "execution_created",
            Self::ExecutionStarted { .. } => "execution_started",
            Self::ExecutionWaiting {} => "execution_waiting",
            Self::ExecutionPaused { .. } => "execution_paused",
            Self::ExecutionResumed { .. } => "execution_resumed",
            Self::ExecutionRecovered { .. } => "execution_recovered",
            Self::ExecutionCompleted { .. } => "execution_completed",
            Self::ExecutionFailed { .. } => "execution_failed",
            Self::ExecutionCancelled { .. } => "execution_cancelled",
            Self::TaskStarted { .. } => "task_started",
            Self::TaskCompleted { .. } => "task_completed",
            Self::TaskSkipped {} => "task_skipped",
            Self::TaskFailed { .. } => "task_failed",
            Self::TaskRetried { .. } => "task_retried",
            Self::TaskCancelled { .. } => "task_cancelled",
            Self::EffectScheduled { .. } => "effect_scheduled",
            Self::EffectWithheld { .. } => "effect_withheld",
            Self::EffectCompleted { .. } => "effect_completed",
            Self::EffectFailed { .. } => "effect_failed",
            Self::TimerSet { .. } => "timer_set",
            Self::TimerFired { .. } => "timer_fired",
            Self::ChildStarted { .. } => "child_started",
            Self::ChildFinished { .. } => "child_finished",
            Self::UsageRecorded(_) => "usage_recorded",
            Self::ApprovalRequested { .. } => "approval_requested",
            Self::ApprovalGiven { .. } => "approval_given",
        }
    }
}
