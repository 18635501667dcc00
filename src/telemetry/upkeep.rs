//! The figures of upkeep: rounds, what they deleted, how large the database is. Counted by the maintenance actor.

use super::metrics::Registering;
use crate::domain::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoundLabels {
    outcome: &'static str,
}

/// Part of [`Metrics`](super::Metrics).
pub struct UpkeepMetrics {
    rounds: Family<RoundLabels, Counter>,
    last_round: Gauge,
    deleted: Counter,
    size: Gauge,
    free: Gauge,
}

impl UpkeepMetrics {
    pub(super) fn new(with: &mut Registering<'_>) -> Self {
        let rounds: Family<RoundLabels, Counter> = Family::default();
        // Alerts compare with what is there: both outcomes are, from the start.
        for outcome in ["completed", "failed"] {
            drop(rounds.get_or_create(&RoundLabels { outcome }));
        }
        Self {
            rounds: with.metric("upkeep_rounds", "Rounds of upkeep", rounds),
            last_round: with.metric(
                "upkeep_last_completed_timestamp_seconds",
                "Unix time at which a round of upkeep was last completed; 0 when none was",
                Gauge::default(),
            ),
            deleted: with.metric("retention_deleted_executions", "Executions deleted by upkeep", Counter::default()),
            size: with.metric("store_size_bytes", "Size of the database after the last round", Gauge::default()),
            free: with.metric("store_free_bytes", "Part of it that holds nothing (SQLite)", Gauge::default()),
        }
    }

    /// A round has ended.
    pub fn round(&self, is_complete: bool, at: Timestamp) {
        let outcome = if is_complete { "completed" } else { "failed" };
        self.rounds.get_or_create(&RoundLabels { outcome }).inc();
        if is_complete {
            self.last_round.set(at.as_micros() / 1_000_000);
        }
    }

    /// This many executions were deleted.
    pub fn deleted(&self, executions: u64) {
        self.deleted.inc_by(executions);
    }

    /// How large the database is, and how much of that holds nothing, in bytes.
    pub fn store_size(&self, size: u64, free: u64) {
        self.size.set(i64::try_from(size).unwrap_or(i64::MAX));
        self.free.set(i64::try_from(free).unwrap_or(i64::MAX));
    }
}
