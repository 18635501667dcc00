//! What model calls have used.

use super::budget::Spent;
use crate::domain::{Timestamp, Usage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The sum of an execution's model calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageTotals {
    pub calls: u64,
    pub input_tokens: u64,
    pub cached_input_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// US dollars, of the calls whose price is known; absent when none is.
    pub cost_usd: Option<f64>,
    /// Milliseconds that calls took, summed.
    pub latency_ms: u64,
    /// The part of all this that nothing came of: calls that failed, or whose attempt was retried, cancelled or superseded.
    pub wasted: Spent,
}

/// One model call of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageRecord {
    /// The event that recorded it.
    pub seq: u64,
    pub at: Timestamp,
    /// JSON pointer to the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    pub attempt: u32,
    #[serde(flatten)]
    pub usage: Usage,
}

/// The model calls of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// Oldest first.
    pub items: Vec<UsageRecord>,
    pub totals: UsageTotals,
}

/// What the model calls of a tenant have used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpendingView {
    /// The beginning of what was summed up.
    pub since: Timestamp,
    pub spent: Spent,
    /// The part of it that nothing came of: calls that failed, or whose attempt was retried, cancelled or superseded.
    pub wasted: Spent,
    /// Oldest first; hours without calls are left out.
    pub per_hour: Vec<HourSpent>,
}

/// What model calls have used in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HourSpent {
    /// The beginning of the hour. Hours are counted from `since`.
    pub hour: Timestamp,
    #[serde(flatten)]
    pub spent: Spent,
}
