//! Retention as callers see it and decide it, and what a round of upkeep would do or has done.

use crate::domain::{Retention, RetentionChoice, RetentionPolicy, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is kept of executions that have ended. An execution that either its age or the number of newer ones lets go is
/// deleted, with its children and as soon as all of them may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionView {
    /// Days for which succeeded executions are kept after their end; 0 is for ever.
    pub succeeded_days: u32,
    /// How many of the newest succeeded executions are kept; 0 is any number.
    pub succeeded_count: u32,
    pub failed_days: u32,
    pub failed_count: u32,
    pub cancelled_days: u32,
    pub cancelled_count: u32,
    /// Days for which usage records outlive their execution; 0 is for ever.
    pub usage_days: u32,
}

impl From<Retention> for RetentionView {
    fn from(retention: Retention) -> Self {
        let Retention { succeeded, failed, cancelled, usage_days } = retention;
        Self {
            succeeded_days: succeeded.days,
            succeeded_count: succeeded.count,
            failed_days: failed.days,
            failed_count: failed.count,
            cancelled_days: cancelled.days,
            cancelled_count: cancelled.count,
            usage_days,
        }
    }
}

/// What a tenant decides. What is absent or `null` is left to the settings of the service; 0 keeps without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionDecision {
    #[serde(default)]
    #[schema(maximum = 100_000)]
    pub succeeded_days: Option<u32>,
    #[serde(default)]
    pub succeeded_count: Option<u32>,
    #[serde(default)]
    #[schema(maximum = 100_000)]
    pub failed_days: Option<u32>,
    #[serde(default)]
    pub failed_count: Option<u32>,
    #[serde(default)]
    #[schema(maximum = 100_000)]
    pub cancelled_days: Option<u32>,
    #[serde(default)]
    pub cancelled_count: Option<u32>,
    #[serde(default)]
    #[schema(maximum = 100_000)]
    pub usage_days: Option<u32>,
}

/// The longest retention that can be asked for: some 270 years.
pub const MAX_DAYS: u32 = 100_000;

impl RetentionDecision {
    /// The names of the fields that are too large.
    pub fn excessive(&self) -> Vec<&'static str> {
        let days = [
            ("succeeded_days", self.succeeded_days),
            ("failed_days", self.failed_days),
            ("cancelled_days", self.cancelled_days),
            ("usage_days", self.usage_days),
        ];
        let is_excessive = |days: Option<u32>| days.is_some_and(|days| days > MAX_DAYS);
        days.into_iter().filter(|(_, days)| is_excessive(*days)).map(|(name, _)| name).collect()
    }
}

impl From<RetentionPolicy> for RetentionDecision {
    fn from(policy: RetentionPolicy) -> Self {
        let RetentionPolicy { succeeded, failed, cancelled, usage_days } = policy;
        Self {
            succeeded_days: succeeded.days,
            succeeded_count: succeeded.count,
            failed_days: failed.days,
            failed_count: failed.count,
            cancelled_days: cancelled.days,
            cancelled_count: cancelled.count,
            usage_days,
        }
    }
}

impl From<RetentionDecision> for RetentionPolicy {
    fn from(decision: RetentionDecision) -> Self {
        let choice = |days, count| RetentionChoice { days, count };
        Self {
            succeeded: choice(decision.succeeded_days, decision.succeeded_count),
            failed: choice(decision.failed_days, decision.failed_count),
            cancelled: choice(decision.cancelled_days, decision.cancelled_count),
            usage_days: decision.usage_days,
        }
    }
}

/// What is kept of the tenant, and what upkeep does about the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionState {
    /// What the tenant has decided; `null` is left to the defaults.
    pub policy: RetentionDecision,
    /// The settings of the service.
    pub defaults: RetentionView,
    /// Both together.
    pub in_force: RetentionView,
    pub upkeep: UpkeepState,
}

/// Rounds of upkeep: past, present and next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpkeepState {
    /// Since when a round is running; `null` when none is.
    pub running_since: Option<Timestamp>,
    /// When the next one begins by itself.
    pub next_at: Option<Timestamp>,
    /// The last one that ended since the service was started.
    pub last_round: Option<UpkeepRound>,
}

/// A round of upkeep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpkeepRound {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// Executions of the tenant that it deleted.
    pub deleted_executions: u64,
    /// Whether it came to its end; if not, the next one goes on.
    pub is_complete: bool,
}

/// What a round would delete of the tenant now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionPreview {
    /// The policy that this is about.
    pub in_force: RetentionView,
    /// Executions by status.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub executions: BTreeMap<String, u64>,
    pub total: u64,
    /// When the first of them ended.
    pub oldest_finished_at: Option<Timestamp>,
    /// When the last of them ended.
    pub newest_finished_at: Option<Timestamp>,
    /// False when there are more than were counted.
    pub is_complete: bool,
}
