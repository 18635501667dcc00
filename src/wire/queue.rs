//! The queue: what waits for a slot, and why.

use super::execution::WorkflowLabel;
use crate::domain::{AgentId, ExecutionId, ExecutionType, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The queue and the slots of the caller's tenant as they are now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    #[serde(flatten)]
    pub own: TenantQueue,
    /// Highest priority first; priorities that nothing has are left out.
    pub by_priority: Vec<PriorityDepth>,
    /// The first 20 of those that wait for their first slot, in the order in which they get one.
    pub next: Vec<Waiting>,
    /// The whole service; for operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceQueue>,
}

/// The queue and the slots of one tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantQueue {
    /// Executions that wait for their first slot.
    pub pending: u64,
    /// Executions that wait for their `start_at`.
    pub delayed: u64,
    /// Further submissions are refused beyond this, delayed ones included. The service as a whole has a limit of its own.
    pub max_queued: u64,
    /// Executions that hold a slot.
    pub running: u64,
    /// How many slots the tenant may hold; never more than the service has.
    pub max_running: u64,
    /// Started executions that wait for a slot to go on.
    pub woken: u64,
    /// Executions that wait for a timer, a person or their `start_at`, and need no slot.
    pub parked: u64,
    /// The pending execution that is next.
    pub head: Option<Head>,
}

/// The queue and the slots of the whole service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceQueue {
    pub pending: u64,
    pub max_queued: u64,
    pub running: u64,
    pub max_running: u64,
    pub woken: u64,
    pub parked: u64,
    /// Executions that were rebuilt after a crash since the service was started.
    pub restarts: u64,
    /// Every tenant that has something waiting, running or parked.
    pub tenants: Vec<NamedTenantQueue>,
}

/// The queue and the slots of one tenant among all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NamedTenantQueue {
    pub tenant_id: TenantId,
    #[serde(flatten)]
    pub queue: TenantQueue,
}

/// What waits at one priority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriorityDepth {
    pub priority: u8,
    pub pending: u64,
    /// Since when the oldest of them waits.
    pub oldest_created_at: Timestamp,
    /// Milliseconds that is ago.
    pub oldest_waits_ms: u64,
}

/// One of those that wait for their first slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// Null when it is somebody else's and the caller may see only their own.
    #[schema(required)]
    pub execution: Option<WaitingExecution>,
    /// 0 to 9; 9 goes first.
    pub priority: u8,
    pub created_at: Timestamp,
}

/// What waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaitingExecution {
    pub id: ExecutionId,
    pub execution_type: ExecutionType,
    pub workflow: WorkflowLabel,
    pub agent_id: Option<AgentId>,
    pub created_by: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// The execution that is next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// Null when it is somebody else's and the caller may see only their own.
    #[schema(required)]
    pub execution_id: Option<ExecutionId>,
    /// Why it waits.
    pub reason: String,
    /// The same for programs.
    pub holdup: Holdup,
    /// How many there may be of what is taken; absent when nothing is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// What the execution that is next waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holdup {
    /// All slots of the service are taken.
    NoSlot,
    /// The tenant runs as many executions as it may.
    TenantLimit,
    /// Nothing: it is about to start.
    Starting,
}
