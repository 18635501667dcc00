//! Executions as callers see them, and the bodies that start and change them.

use super::budget::{BudgetLimits, BudgetView};
use super::task::TaskView;
use super::usage::UsageTotals;
use crate::domain::quota::Bound;
use crate::domain::{
    AgentId, Execution, ExecutionId, ExecutionType, Failure, ForkedFrom, Progress, Status, Timestamp, Trigger,
    WorkflowId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
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
    /// The progress of an execution in this status. `now` is for the estimate of the remaining time.
    pub fn new(progress: Progress, status: Status, started_at: Option<Timestamp>, now: Timestamp) -> Self {
        let fraction = if status == Status::Succeeded { 1.0 } else { progress.fraction() };
        let eta_seconds = match started_at {
            Some(started_at) if status == Status::Running => eta_seconds(fraction, now.millis_since(started_at)),
            Some(_) | None => None,
        };
        Self { completed_tasks: progress.completed_tasks, known_tasks: progress.known_tasks, fraction, eta_seconds }
    }

    /// The progress of a stored execution.
    pub fn of(execution: &Execution, now: Timestamp) -> Self {
        Self::new(execution.progress, execution.status, execution.started_at, now)
    }
}

fn eta_seconds(fraction: f64, elapsed_ms: i64) -> Option<f64> {
    let elapsed_ms = u32::try_from(elapsed_ms).ok().filter(|_| fraction > 0.0)?;
    let left_ms = f64::from(elapsed_ms) * (1.0 - fraction) / fraction;
    Some(left_ms.round() / 1_000.0)
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

/// A definition's name without its version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowLabel {
    #[schema(value_type = String)]
    pub namespace: Arc<str>,
    #[schema(value_type = String)]
    pub name: Arc<str>,
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

impl From<&ForkedFrom> for ForkedFromView {
    fn from(origin: &ForkedFrom) -> Self {
        Self { execution_id: origin.execution_id, seq: origin.seq, path: origin.path.clone() }
    }
}

/// One execution. It borrows what is large, so that showing an execution copies nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionView<'a> {
    pub id: ExecutionId,
    pub execution_type: ExecutionType,
    pub status: Status,
    pub trigger: Trigger,
    /// The registered version it runs; absent for a definition that came with the request.
    pub workflow_id: Option<WorkflowId>,
    pub workflow: WorkflowName,
    pub agent_id: Option<AgentId>,
    #[schema(value_type = Value)]
    pub input: Cow<'a, Value>,
    #[schema(value_type = Option<Value>)]
    pub output: Option<Cow<'a, Value>>,
    #[schema(value_type = Option<Failure>)]
    pub error: Option<Cow<'a, Failure>>,
    /// What an agent test was given.
    pub test_input: Option<Cow<'a, str>>,
    /// What an agent test answered.
    #[schema(value_type = Option<Value>)]
    pub test_output: Option<Cow<'a, Value>>,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Cow<'a, BTreeMap<String, String>>,
    pub created_by: Option<Cow<'a, str>>,
    /// The name that its creator had when it was made.
    pub created_by_name: Option<Cow<'a, str>>,
    pub parent_execution_id: Option<ExecutionId>,
    pub forked_from: Option<ForkedFromView>,
    /// The newest execution that does again what this one has failed at or was cancelled in: a retry of it, or of what it is a
    /// part of. It stays when that one is deleted. A rerun is none: it begins from the start.
    pub continued_by: Option<ExecutionId>,
    pub idempotency_key: Option<Cow<'a, str>>,
    pub progress: ProgressView,
    /// Ownership epoch: raised each time the execution is rebuilt from its journal.
    pub attempt: u32,
    /// How often it was rebuilt after a crash of its actor or of the process.
    pub restarts: u32,
    /// What the last crash was.
    pub last_crash: Option<Cow<'a, str>>,
    /// How long the last recovery took.
    pub recovered_in_ms: Option<u64>,
    /// Why it is paused, when a limit and not a person paused it.
    pub pause_reason: Option<Cow<'a, str>>,
    /// The limit that has paused it: what `pause_reason` says, for programs.
    pub pause_limit: Option<Bound>,
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

impl<'a> ExecutionView<'a> {
    /// The execution as it stands at `now`.
    pub fn new(execution: &'a Execution, now: Timestamp) -> Self {
        let creation = execution.creation.as_ref();
        let definition = &creation.definition;
        let ended_at = execution.finished_at.unwrap_or(now);
        let output = execution.output.as_ref().map(Cow::Borrowed);
        let is_agent_test = creation.execution_type == ExecutionType::AgentTest;
        Self {
            id: execution.id,
            execution_type: creation.execution_type,
            status: execution.status,
            trigger: creation.trigger,
            workflow_id: definition.workflow_id,
            workflow: WorkflowName {
                namespace: definition.namespace.clone(),
                name: definition.name.clone(),
                version: definition.version.clone(),
                digest: definition.digest.clone(),
            },
            agent_id: creation.agent_id,
            input: Cow::Borrowed(&creation.input),
            test_output: if is_agent_test { output.clone() } else { None },
            output,
            error: execution.error.as_ref().map(Cow::Borrowed),
            test_input: creation.test_input.as_deref().map(Cow::Borrowed),
            priority: creation.priority,
            labels: Cow::Borrowed(&creation.labels),
            created_by: creation.created_by.as_deref().map(Cow::Borrowed),
            created_by_name: creation.authority.as_ref().map(|authority| Cow::Borrowed(authority.name.as_str())),
            parent_execution_id: creation.parent.as_ref().map(|parent| parent.execution_id),
            forked_from: creation.forked_from.as_ref().map(ForkedFromView::from),
            continued_by: execution.continued_by,
            idempotency_key: creation.idempotency_key.as_deref().map(Cow::Borrowed),
            progress: ProgressView::of(execution, now),
            attempt: execution.attempt,
            restarts: execution.restarts,
            last_crash: execution.last_crash.as_deref().map(Cow::Borrowed),
            recovered_in_ms: execution.recovered_in_ms,
            pause_reason: execution.pause_reason.as_deref().map(Cow::Borrowed),
            pause_limit: execution.pause_limit,
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
    pub fn as_accepted(execution: &'a Execution) -> Self {
        Self {
            status: Status::Pending,
            output: None,
            error: None,
            test_output: None,
            progress: ProgressView::default(),
            attempt: 0,
            restarts: 0,
            last_crash: None,
            recovered_in_ms: None,
            pause_reason: None,
            pause_limit: None,
            continued_by: None,
            last_seq: 1,
            queued_ms: 0,
            run_ms: None,
            wake_at: None,
            started_at: None,
            finished_at: None,
            updated_at: execution.created_at,
            ..Self::new(execution, execution.created_at)
        }
    }
}

/// One execution with what it is working on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionDetail<'a> {
    #[serde(flatten)]
    pub execution: ExecutionView<'a>,
    /// The task instances that are being worked on or waited for; of nested ones only the innermost.
    pub current_tasks: Vec<TaskView>,
    /// What its model calls have used so far.
    pub usage: UsageTotals,
    /// What it may spend; absent when nothing limits it.
    pub budget: Option<BudgetView>,
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
    #[serde(default, deserialize_with = "super::object::object")]
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
    /// What it and everything below it may spend. Nothing is limited when absent.
    #[serde(default)]
    pub budget: Option<BudgetLimits>,
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
    /// What it and everything below it may spend. Nothing is limited when absent.
    #[serde(default)]
    pub budget: Option<BudgetLimits>,
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
    pub fn new(execution: &Execution, now: Timestamp) -> Self {
        Self {
            execution_id: execution.id,
            status: execution.status,
            progress: ProgressView::of(execution, now),
            output: execution.output.clone(),
            error: execution.error.clone(),
            created_at: execution.created_at,
            started_at: execution.started_at,
            finished_at: execution.finished_at,
        }
    }
}
