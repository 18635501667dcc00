//! What people ask of executions, and why they may be refused.

use super::turn::may_be_approved;
use crate::domain::definition::{Definition, Problem};
use crate::domain::quota::Budget;
use crate::domain::{
    AgentId, AuditEntry, Authority, Execution, ExecutionId, ExecutionType, Status, TenantId, Timestamp, WorkflowId,
};
use crate::machine::Input;
use crate::store;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A request to an execution, with who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Cancel {
        by: Option<String>,
        reason: Option<String>,
    },
    Pause {
        by: Option<String>,
    },
    Resume {
        by: Option<String>,
    },
    /// The limits that are named take the place of those that were; what a limit had paused goes on.
    Approve {
        by: Option<String>,
        budget: Budget,
    },
}

impl Command {
    /// Whether the command is legal in a status; see the table in [`Status::can_become`].
    pub const fn is_legal_in(&self, status: Status) -> bool {
        match self {
            Self::Cancel { .. } => status.can_become(Status::Cancelled),
            Self::Pause { .. } => status.can_become(Status::Paused),
            Self::Resume { .. } => matches!(status, Status::Paused),
            Self::Approve { .. } => may_be_approved(status),
        }
    }

    /// The word for it in the audit.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "execution_cancelled",
            Self::Pause { .. } => "execution_paused",
            Self::Resume { .. } => "execution_resumed",
            Self::Approve { .. } => "execution_budget_changed",
        }
    }

    /// What is said when it is not: "cannot … an execution that is …".
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::Approve { .. } => "approve more for",
        }
    }

    pub(super) fn into_input(self) -> Input {
        match self {
            Self::Cancel { by, reason } => Input::Cancel { by, reason },
            Self::Pause { by } => Input::Pause { by },
            Self::Resume { by } => Input::Resume { by },
            Self::Approve { by, budget } => Input::Approve { by, budget },
        }
    }
}

/// A new execution as somebody asks for it.
#[derive(Clone, Debug)]
pub struct Submission {
    pub tenant_id: TenantId,
    pub execution_type: ExecutionType,
    pub runnable: Runnable,
    pub input: Value,
    /// 0 to 9, 9 first.
    pub priority: u8,
    pub labels: BTreeMap<String, String>,
    /// Whose it will be, and what it may do. Absent for what no principal asks for.
    pub created_by: Option<String>,
    pub authority: Option<Authority>,
    /// Not to be started before.
    pub start_at: Option<Timestamp>,
    /// W3C trace context that the effects of the execution continue.
    pub traceparent: Option<String>,
    pub idempotency: Option<store::Idempotency>,
    pub agent_id: Option<AgentId>,
    pub test_input: Option<String>,
    /// What it and everything below it may spend.
    pub budget: Option<Budget>,
    /// The entry of the audit; its target is filled in.
    pub audit: Option<AuditEntry>,
}

impl Submission {
    /// A workflow run with the usual priority and nothing special.
    pub fn new(tenant_id: TenantId, runnable: Runnable, input: Value) -> Self {
        Self {
            tenant_id,
            execution_type: ExecutionType::Workflow,
            runnable,
            input,
            priority: DEFAULT_PRIORITY,
            labels: BTreeMap::new(),
            created_by: None,
            authority: None,
            start_at: None,
            traceparent: None,
            idempotency: None,
            agent_id: None,
            test_input: None,
            budget: None,
            audit: None,
        }
    }
}

/// A request for a new execution from an earlier one (retry, rerun).
#[derive(Clone, Debug, Default)]
pub struct Repetition {
    /// Whose it will be, and what it may do.
    pub created_by: Option<String>,
    pub authority: Option<Authority>,
    pub traceparent: Option<String>,
    pub idempotency: Option<store::Idempotency>,
    /// The entry of the audit; its target is filled in.
    pub audit: Option<AuditEntry>,
}

/// An entry of the audit about an execution that gets its id just now.
pub(super) fn about(audit: Option<AuditEntry>, id: ExecutionId) -> Option<AuditEntry> {
    audit.map(|entry| AuditEntry { target_id: id.to_string(), ..entry })
}

/// Who waits for the outcome of a command or a submission.
#[derive(Debug)]
pub struct Reply {
    sender: oneshot::Sender<Result<Execution, Refusal>>,
    /// What the audit says of the command; stored with the events that carry it out.
    audit: Option<Box<AuditEntry>>,
}

impl Reply {
    /// The reply, and where it arrives.
    pub fn new(audit: Option<AuditEntry>) -> (Self, oneshot::Receiver<Result<Execution, Refusal>>) {
        let (sender, receiver) = oneshot::channel();
        (Self { sender, audit: audit.map(Box::new) }, receiver)
    }

    /// What the audit says of the command.
    pub fn audit(&self) -> Option<&AuditEntry> {
        self.audit.as_deref()
    }

    /// Answers. Whoever has gone away needs no answer.
    pub fn send(self, answer: Result<Execution, Refusal>) {
        let _ = self.sender.send(answer);
    }
}

/// The priority of a submission that names none.
pub const DEFAULT_PRIORITY: u8 = 5;

/// What is to be run.
#[derive(Clone, Debug)]
pub enum Runnable {
    Registered(WorkflowId),
    /// The newest stable version when `version` is absent or `latest`.
    Named {
        namespace: String,
        name: String,
        version: Option<String>,
    },
    /// A definition that is not registered.
    Inline(Arc<Definition>),
}

/// Why something was not done. Nothing has changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    #[error("not found")]
    NotFound,
    #[error("there is no such {what}")]
    UnknownReference { what: String },
    #[error("cannot {verb} an execution that is {status}")]
    WrongState { status: Status, verb: &'static str },
    #[error("the queue is full")]
    QueueFull { retry_after_seconds: u64 },
    #[error("{limit} executions of the tenant may wait, and as many do")]
    TenantQueueFull { limit: u64, retry_after_seconds: u64 },
    #[error("the service is shutting down")]
    ShuttingDown,
    /// A fault of ours ended what should have answered; whether the request took effect is told by reading.
    #[error("the request met a fault of the service")]
    Crashed,
    #[error("the definition is not valid")]
    Invalid(Vec<Problem>),
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for execution {execution_id} with another request")]
    IdempotencyConflict { execution_id: ExecutionId },
    /// The idempotency key belongs to the same request: this is what it created.
    #[error("the request has been served before")]
    Replayed(Box<Execution>),
    /// The same request is being served right now or its execution cannot be read back.
    #[error(transparent)]
    Store(store::Error),
}

impl Refusal {
    /// After how many seconds the same request may be taken, where waiting helps.
    pub const fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::QueueFull { retry_after_seconds } | Self::TenantQueueFull { retry_after_seconds, .. } => {
                Some(*retry_after_seconds)
            }
            Self::NotFound
            | Self::UnknownReference { .. }
            | Self::WrongState { .. }
            | Self::ShuttingDown
            | Self::Crashed
            | Self::Invalid(_)
            | Self::IdempotencyConflict { .. }
            | Self::Replayed(_)
            | Self::Store(_) => None,
        }
    }

    pub(super) fn from_store(error: store::Error) -> Self {
        if matches!(error, store::Error::NotFound) {
            return Self::NotFound;
        }
        if let store::Error::Terminal { status } = error {
            return Self::WrongState { status, verb: "change" };
        }
        Self::Store(error)
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::from_store(error)
    }
}
