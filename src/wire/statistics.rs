//! Figures about executions.

use crate::domain::{ExecutionType, Status, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Figures about the executions created since an instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatisticsView {
    /// The beginning of the hour that was asked for: executions are counted by the hour.
    pub since: Timestamp,
    pub total: u64,
    /// Every status, also those that no execution has.
    pub by_status: BTreeMap<String, u64>,
    pub by_type: BTreeMap<String, u64>,
    /// The two together; combinations that no execution has are left out.
    pub counts: Vec<StatusCount>,
    /// Succeeded over succeeded and failed, 0 to 1; absent when none has ended so.
    pub success_rate: Option<f64>,
    /// Milliseconds from start to end.
    pub run_ms: Percentiles,
    /// Milliseconds from creation to start.
    pub queued_ms: Percentiles,
    /// How many executions, the newest, the percentiles rest on.
    pub sample_size: u64,
    /// Oldest first; hours without executions are left out.
    pub per_hour: Vec<HourCount>,
}

/// How many executions of a type have a status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusCount {
    pub execution_type: ExecutionType,
    pub status: Status,
    pub count: u64,
}

/// Half, 95 and 99 of a hundred values are at most this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Percentiles {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

/// What happened to the executions that were created in an hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HourCount {
    /// The beginning of the hour, UTC.
    pub hour: Timestamp,
    pub created: u64,
    pub succeeded: u64,
    pub failed: u64,
    /// 95 of a hundred took at most this many milliseconds from start to end, of the newest hundred that were created in the hour;
    /// absent when none of them has ended, and for all but the newest 24 hours that are listed.
    pub run_ms_p95: Option<u64>,
}
