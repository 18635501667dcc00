//! What the actors can be told: limits and times. Filled from the service's settings by `crate::startup`.

use crate::domain::{Retention, RetentionRule};
use crate::failure_points::FailurePoints;
use crate::settings;

/// Limits of the engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many executions may run at the same time.
    pub max_running: usize,
    /// How many accepted executions may wait for a slot; beyond it submissions are refused.
    pub max_queued: usize,
    /// Threads that execution actors are spread over.
    pub arbiters: usize,
    /// How long a parked execution keeps its actor, in milliseconds.
    pub passivate_after_ms: u64,
    /// How often an execution may crash within the window before it is failed.
    pub restart_limit: usize,
    /// Length of that window in seconds.
    pub restart_window_seconds: u64,
    /// A snapshot of the state is stored every so many events.
    pub snapshot_every_events: u64,
    /// How many compiled definitions are kept.
    pub program_cache: usize,
    pub live: LiveOptions,
    pub upkeep: UpkeepOptions,
    /// Where the engine fails on purpose.
    pub failure_points: FailurePoints,
}

/// Limits of live updates.
#[derive(Clone, Copy, Debug)]
pub struct LiveOptions {
    /// Deliveries that may wait for one subscriber.
    pub mailbox: usize,
    /// At most one update of an execution per this many milliseconds on the global feed.
    pub conflation_ms: u64,
    /// Protocol pings of WebSocket sessions, in seconds; two missed close the session.
    pub heartbeat_seconds: u64,
}

/// What is deleted in the course of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpkeepOptions {
    /// What is kept of a tenant that has decided nothing.
    pub retention: Retention,
    /// Seconds between two rounds; 0 for rounds on request only.
    pub interval_seconds: u64,
}

impl From<&settings::Retention> for UpkeepOptions {
    fn from(settings: &settings::Retention) -> Self {
        let rule = |days, count| RetentionRule { days, count };
        let retention = Retention {
            succeeded: rule(settings.succeeded_days, settings.succeeded_count),
            failed: rule(settings.failed_days, settings.failed_count),
            cancelled: rule(settings.cancelled_days, settings.cancelled_count),
            usage_days: settings.usage_days,
        };
        Self { retention, interval_seconds: settings.interval_seconds }
    }
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self { mailbox: 256, conflation_ms: 50, heartbeat_seconds: 30 }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_running: 256,
            max_queued: 20_000,
            arbiters: 2,
            passivate_after_ms: 1_000,
            restart_limit: 3,
            restart_window_seconds: 60,
            snapshot_every_events: 500,
            program_cache: 1_000,
            live: LiveOptions::default(),
            upkeep: UpkeepOptions::default(),
            failure_points: FailurePoints::default(),
        }
    }
}
