//! The queue: what waits for a slot, and why.

use crate::domain::{ExecutionId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The queue and the slots as they are now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Executions that wait for their first slot.
    pub pending: u64,
    /// Further submissions are refused beyond this.
    pub max_queued: u64,
    /// Executions that hold a slot.
    pub running: u64,
    /// How many slots there are.
    pub max_running: u64,
    /// Started executions that wait for a slot to go on.
    pub woken: u64,
    /// Executions that wait for a timer or their `start_at`, and need no slot.
    pub parked: u64,
    /// Executions that were rebuilt after a crash since the service was started.
    pub restarts: u64,
    /// Highest priority first; priorities that nothing has are left out.
    pub by_priority: Vec<PriorityDepth>,
    /// The pending execution that is next.
    pub head: Option<Head>,
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

/// The execution that is next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Head {
    pub execution_id: ExecutionId,
    /// Why it waits.
    pub reason: String,
}
