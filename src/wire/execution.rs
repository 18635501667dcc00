//! Executions as callers see them, and the bodies that start and change them.

use crate::domain::{
    AgentId, Execution, ExecutionId, ExecutionType, Failure, ForkedFrom, Status, Timestamp, Trigger, WorkflowId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// How far an execution is. `known_tasks` grows as loops and branches unfold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProgressView {
    pub completed_tasks: u32,
    pub known_tasks: u32,
    /// Completed over known tasks, 0 to 1; 1 once succeeded.
    pub fraction: f64,
    /// Seconds until the end if the rest goes like the part that is done; absent unless running and something is done.
    pub eta_seconds: Option<f64>,
}

impl ProgressView {
    pub fn new(execution: &Execution, now: Timestamp) -> Self {
        let progress = execution.progress;
        let fraction = if execution.status == Status::Succeeded { 1.0 } else { progress.fraction() };
        Self {
            completed_tasks: progress.completed_tasks,
            known_tasks: progress.known_tasks,
            fraction,
            eta_seconds: eta_seconds(execution, fraction, now),
        }
    }
}

fn eta_seconds(execution: &Execution, fraction: f64, now: Timestamp) -> Option<f64> {
    let started_at = execution.started_at?;
    if execution.status != Status::Running || fraction <= 0.0 {
        return None;
    }
    let elapsed_ms = u32::try_from(now.millis_since(started_at)).ok()?;
    let seconds = f64::from(elapsed_ms) / 1_000.0 * (1.0 - fraction) / fraction;
    Some((seconds * 1_000.0).round() / 1_000.0)
}

/// The definition that an execution runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowName {
    #[schema(value_type = String)]
    pub namespace: Arc<str>,
    #[schema(value_type = String)]
    pub name: Arc<str>,
    #[schema(value_type = String)]
    pub version: Arc<str>,
    /// Lower-case hex SHA-256 of the canonical definition.
    #[schema(value_type = String)]
    pub digest: Arc<str>,
}

/// Where a retried or forked execution branched off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ForkedFromView {
    pub execution_id: ExecutionId,
    /// The journal of the origin is shared up to and including this `seq`.
    pub seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl From<ForkedFrom> for ForkedFromView {
    fn from(origin: ForkedFrom) -> Self {
        Self { execution_id: origin.execution_id, seq: origin.seq, path: origin.path }
    }
}

/// One execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionView {
    pub id: ExecutionId,
    pub execution_type: ExecutionType,
    pub status: Status,
    pub trigger: Trigger,
    /// The registered version it runs; absent for a definition that came with the request.
    pub workflow_id: Option<WorkflowId>,
    pub workflow: WorkflowName,
    pub agent_id: Option<AgentId>,
    pub input: Value,
    pub output: Option<Value>,
    pub error: Option<Failure>,
    /// What an agent test was given.
    pub test_input: Option<String>,
    /// What an agent test answered.
    pub test_output: Option<Value>,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    pub labels: BTreeMap<String, String>,
    pub created_by: Option<String>,
    pub parent_execution_id: Option<ExecutionId>,
    pub forked_from: Option<ForkedFromView>,
    pub idempotency_key: Option<String>,
    pub progress: ProgressView,
    /// Ownership epoch: raised each time the execution is rebuilt from its journal.
    pub attempt: u32,
    /// How often it was rebuilt after a crash of its actor or of the process.
    pub restarts: u32,
    /// What the last crash was.
    pub last_crash: Option<String>,
    /// How long the last recovery took.
    pub recovered_in_ms: Option<u64>,
    /// The number of its newest event.
    pub last_seq: u64,
    /// Milliseconds in the queue, until now when it is still there.
    pub queued_ms: u64,
    /// Milliseconds since it was started, until now when it has not ended.
    pub run_ms: Option<u64>,
    /// Not started before this instant.
    pub start_at: Option<Timestamp>,
    /// When a parked execution wakes by itself.
    pub wake_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

impl ExecutionView {
    /// The execution as it stands at `now`.
    pub fn new(execution: Execution, now: Timestamp) -> Self {
        let progress = ProgressView::new(&execution, now);
        let ended_at = execution.finished_at.unwrap_or(now);
        let creation = execution.creation;
        let definition = creation.definition;
        let test_output = match creation.execution_type {
            ExecutionType::AgentTest => execution.output.clone(),
            ExecutionType::Workflow | ExecutionType::ProjectRound => None,
        };
        Self {
            id: execution.id,
            execution_type: creation.execution_type,
            status: execution.status,
            trigger: creation.trigger,
            workflow_id: definition.workflow_id,
            workflow: WorkflowName {
                namespace: definition.namespace,
                name: definition.name,
                version: definition.version,
                digest: definition.digest,
            },
            agent_id: creation.agent_id,
            input: creation.input,
            output: execution.output,
            error: execution.error,
            test_input: creation.test_input,
            test_output,
            priority: creation.priority,
            labels: creation.labels,
            created_by: creation.created_by,
            parent_execution_id: creation.parent.map(|parent| parent.execution_id),
            forked_from: creation.forked_from.map(ForkedFromView::from),
            idempotency_key: creation.idempotency_key,
            progress,
            attempt: execution.attempt,
            restarts: execution.restarts,
            last_crash: execution.last_crash,
            recovered_in_ms: execution.recovered_in_ms,
            last_seq: execution.last_seq,
            queued_ms: millis_between(execution.created_at, execution.started_at.unwrap_or(ended_at)),
            run_ms: execution.started_at.map(|started_at| millis_between(started_at, ended_at)),
            start_at: creation.start_at,
            wake_at: execution.wake_at,
            created_at: execution.created_at,
            started_at: execution.started_at,
            finished_at: execution.finished_at,
            updated_at: execution.updated_at,
        }
    }

    /// The execution as of its `execution_created` event: what a start is answered with. An answer that is replayed for an
    /// `Idempotency-Key` is therefore the same however far the execution has come.
    pub fn as_accepted(mut execution: Execution) -> Self {
        execution.status = Status::Pending;
        execution.output = None;
        execution.error = None;
        execution.progress = crate::domain::Progress::default();
        execution.attempt = 0;
        execution.restarts = 0;
        execution.last_crash = None;
        execution.recovered_in_ms = None;
        execution.last_seq = 1;
        execution.wake_at = None;
        execution.started_at = None;
        execution.finished_at = None;
        execution.updated_at = execution.created_at;
        let created_at = execution.created_at;
        Self::new(execution, created_at)
    }
}

fn millis_between(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.millis_since(earlier)).unwrap_or(0)
}

/// The body that starts an execution. Exactly one of `workflow_id`, `workflow` and `definition` is given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartExecution {
    /// A registered version.
    #[serde(default)]
    pub workflow_id: Option<WorkflowId>,
    /// A registered workflow by name.
    #[serde(default)]
    pub workflow: Option<WorkflowSelector>,
    /// A definition to run without registering it: an object, or its YAML or JSON as a text.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub definition: Option<Box<RawValue>>,
    /// What the execution works on. `{}` when absent.
    #[serde(default)]
    pub input: Option<Value>,
    /// Another name for `input`.
    #[serde(default)]
    pub input_data: Option<Value>,
    /// 0 to 9; 9 goes first. 5 when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9)]
    pub priority: Option<u8>,
    /// Free words to find it by: at most 32 of 1 to 63 characters, values up to 255 characters.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// Not to be started before this instant.
    #[serde(default)]
    pub start_at: Option<Timestamp>,
}

/// A registered workflow by name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowSelector {
    pub namespace: String,
    pub name: String,
    /// The highest stable version when absent.
    #[serde(default)]
    pub version: Option<String>,
}

/// The body that changes an execution. Only what is given changes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeExecution {
    /// 0 to 9; 9 goes first.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9)]
    pub priority: Option<u8>,
    /// Replaces all labels.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// A request to pause (`paused`), resume (`running`) or cancel (`cancelled`).
    #[serde(default)]
    pub status: Option<Status>,
}

/// The body that a run button sends: what to work on.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteWorkflow {
    /// `{}` when absent.
    #[serde(default)]
    pub input: Option<Value>,
    /// Another name for `input`.
    #[serde(default)]
    pub input_data: Option<Value>,
    /// 0 to 9; 9 goes first. 5 when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9)]
    pub priority: Option<u8>,
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
}

/// Why an execution is cancelled. The body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandBody {
    #[serde(default)]
    pub reason: Option<String>,
}

/// The answer to a run button: the execution was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    pub execution_id: ExecutionId,
    pub status: Status,
    /// The same in words.
    pub message: String,
}

/// The status of an execution, for those who only ask that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    pub execution_id: ExecutionId,
    pub status: Status,
    pub progress: ProgressView,
    pub output: Option<Value>,
    pub error: Option<Failure>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

impl StatusView {
    pub fn new(execution: Execution, now: Timestamp) -> Self {
        Self {
            execution_id: execution.id,
            status: execution.status,
            progress: ProgressView::new(&execution, now),
            output: execution.output,
            error: execution.error,
            created_at: execution.created_at,
            started_at: execution.started_at,
            finished_at: execution.finished_at,
        }
    }
}
