//! An execution: its type, its status and the only legal transitions, and the row that lists show.

use super::quota::{Bound, Budget};
use super::words::words;
use super::{AgentId, Authority, ExecutionId, Failure, TenantId, Timestamp, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an execution is a run of. A word, not a branch: the engine treats all of them alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionType {
    Workflow,
    AgentTest,
    ProjectRound,
}

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted, in the queue.
    Pending,
    /// Something of it is being worked on.
    Running,
    /// Started, nothing running, parked on a timer, an event or a person.
    Waiting,
    /// Suspended by a person.
    Paused,
    Succeeded,
    Failed,
    Cancelled,
}

/// What made an execution start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    Api,
    Schedule,
    Event,
    Parent,
    Retry,
    Fork,
}

words!(ExecutionType { Workflow = "workflow", AgentTest = "agent_test", ProjectRound = "project_round" });
words!(Status {
    Pending = "pending", Running = "running", Waiting = "waiting", Paused = "paused",
    Succeeded = "succeeded", Failed = "failed", Cancelled = "cancelled",
} aliases { "completed" => Succeeded, "faulted" => Failed, "suspended" => Paused });
words!(Trigger { Api = "api", Schedule = "schedule", Event = "event", Parent = "parent", Retry = "retry", Fork = "fork" });

impl Status {
    /// A terminal status never changes.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
            Self::Pending | Self::Running | Self::Waiting | Self::Paused => false,
        }
    }

    /// The table of legal transitions.
    pub const fn can_become(self, next: Status) -> bool {
        match self {
            Self::Pending => matches!(next, Self::Running | Self::Cancelled),
            Self::Running => !matches!(next, Self::Pending | Self::Running),
            Self::Waiting => !matches!(next, Self::Pending | Self::Waiting),
            Self::Paused => matches!(next, Self::Running | Self::Waiting | Self::Cancelled),
            Self::Succeeded | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// How far an execution is. `known_tasks` grows as loops and branches unfold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub completed_tasks: u32,
    pub known_tasks: u32,
}

impl Progress {
    /// Completed over known tasks, 0 to 1; 0 when nothing is known yet.
    pub fn fraction(self) -> f64 {
        if self.known_tasks == 0 {
            0.0
        } else {
            (f64::from(self.completed_tasks) / f64::from(self.known_tasks)).min(1.0)
        }
    }
}

/// Which definition an execution runs: registered ones have an id, inline ones only a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionRef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub version: Arc<str>,
    /// Lower-case hex SHA-256 of the canonical definition.
    pub digest: Arc<str>,
}

/// The parent of a child execution: the task path in the parent that waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentLink {
    pub execution_id: ExecutionId,
    pub path: String,
    /// Whether the parent waits for the child and takes it down with itself.
    pub awaited: bool,
    /// How many ancestors the child has: 1 for a child of a top-level execution.
    #[serde(default)]
    pub depth: u32,
    /// The execution at the top, whose budget all below it share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<ExecutionId>,
}

/// Where a retried or forked execution branched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkedFrom {
    pub execution_id: ExecutionId,
    /// The journal of the origin is shared up to and including this `seq`.
    pub seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What is fixed when an execution is created. It is the data of its `execution_created` event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Creation {
    pub execution_type: ExecutionType,
    pub definition: DefinitionRef,
    /// The revision of the interpreter's semantics the execution is bound to.
    pub interpreter_revision: u32,
    pub input: Value,
    pub trigger: Trigger,
    pub priority: u8,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Whose it is: the id of a person, or of a key that belongs to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// What it may do: what its creator was allowed to when it was made. Children have that of their parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentLink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom>,
    /// Not to be started before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Timestamp>,
    /// The W3C trace context of the request that made it; its effects continue the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What it and everything below it may spend, as it was submitted; children have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

impl Creation {
    /// The failed or cancelled execution that this one goes on with: that which it is a retry of.
    ///
    /// A rerun goes on with nothing. It begins from the start, of whatever end, often to see what comes of it with another
    /// input or another version, and what the first had under way is still half done. That somebody started the same once more
    /// does not say that the failure has been looked after.
    pub fn continues(&self) -> Option<ExecutionId> {
        self.forked_from.as_ref().filter(|_| self.trigger == Trigger::Retry).map(|origin| origin.execution_id)
    }

    /// The execution whose budget an execution with this creation and id spends: its own, or that of the one at the top.
    pub fn root(&self, id: ExecutionId) -> ExecutionId {
        self.parent.as_ref().map_or(id, |parent| parent.root.unwrap_or(parent.execution_id))
    }
}

/// One execution as the `executions` row holds it: the projection of its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    pub id: ExecutionId,
    pub tenant_id: TenantId,
    pub creation: Arc<Creation>,
    pub status: Status,
    pub output: Option<Value>,
    pub error: Option<Failure>,
    pub progress: Progress,
    /// Ownership epoch: raised by one each time the execution is rebuilt from its journal.
    pub attempt: u32,
    /// How often it was rebuilt after a crash of its actor or of the process.
    pub restarts: u32,
    pub last_crash: Option<String>,
    pub recovered_in_ms: Option<u64>,
    /// Why it is paused, when nobody asked for it.
    pub pause_reason: Option<String>,
    /// The limit that has paused it.
    pub pause_limit: Option<Bound>,
    /// The newest execution that [goes on](Creation::continues) with it, or with what it is a part of.
    pub continued_by: Option<ExecutionId>,
    pub last_seq: u64,
    /// Store-wide position of its newest event.
    pub last_position: u64,
    /// The earliest instant at which a parked execution must be woken.
    pub wake_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_status_never_changes() {
        for status in Status::ALL.iter().filter(|status| status.is_terminal()) {
            assert!(Status::ALL.iter().all(|next| !status.can_become(*next)));
        }
    }

    #[test]
    fn every_open_status_can_be_cancelled_and_only_started_ones_can_fail() {
        for status in Status::ALL.iter().filter(|status| !status.is_terminal()) {
            assert!(status.can_become(Status::Cancelled), "{status}");
        }
        assert!(!Status::Pending.can_become(Status::Failed));
        assert!(!Status::Paused.can_become(Status::Succeeded));
        assert!(Status::Waiting.can_become(Status::Failed));
    }

    #[test]
    fn the_words_of_the_workflow_language_are_accepted() {
        assert_eq!("faulted".parse(), Ok(Status::Failed));
        assert_eq!("completed".parse(), Ok(Status::Succeeded));
        assert!("done".parse::<Status>().is_err());
    }
}
