//! The figures behind `/metrics`. One [`Metrics`] per service, handed to whoever counts something.

use super::upkeep::UpkeepMetrics;
use crate::domain::{ExecutionType, Status};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Every metric begins with this.
pub const PREFIX: &str = "callboard";

/// 0.5 ms to about 9 hours in steps of four: executions last from milliseconds to days.
const EXECUTION_BUCKETS: (f64, f64, u16) = (0.0005, 4.0, 14);
/// 0.1 ms to about 27 s in steps of four.
const SHORT_BUCKETS: (f64, f64, u16) = (0.0001, 4.0, 10);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabels {
    execution_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    execution_type: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EffectLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabels {
    transport: &'static str,
}

/// All figures of one service.
pub struct Metrics {
    registry: Registry,
    submitted: Family<TypeLabels, Counter>,
    finished: Family<OutcomeLabels, Counter>,
    queue_time: Histogram,
    run_time: Histogram,
    running: Gauge,
    queued: Gauge,
    restarts: Counter,
    recovered: Counter,
    appends_given_up: Counter,
    effects: Family<EffectLabels, Counter>,
    effect_time: Histogram,
    journal: JournalMetrics,
    requests: Family<RequestLabels, Counter>,
    request_time: Histogram,
    sessions: Family<TransportLabels, Gauge>,
    frames: Counter,
    lagging: Counter,
    dropped_logs: Counter,
    upkeep: UpkeepMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("build", "The running version", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let execution_time = || seconds(EXECUTION_BUCKETS);
        let short_time = || seconds(SHORT_BUCKETS);
        let unit = Unit::Seconds;
        let mut with = Registering(&mut registry);
        Self {
            submitted: with.metric("executions_submitted", "Executions accepted", Family::default()),
            finished: with.metric(
                "executions_finished",
                "Executions that reached a terminal status",
                Family::default(),
            ),
            queue_time: with.timed("execution_queue", "Time from acceptance to start", unit.clone(), execution_time()),
            run_time: with.timed(
                "execution_run",
                "Time from start to a terminal status",
                unit.clone(),
                execution_time(),
            ),
            running: with.metric("executions_running", "Executions that hold a slot", Gauge::default()),
            queued: with.metric("executions_queued", "Executions that wait for a slot", Gauge::default()),
            restarts: with.metric("execution_restarts", "Executions started again after a crash", Counter::default()),
            recovered: with.metric("executions_recovered", "Executions continued after a start", Counter::default()),
            appends_given_up: with.metric(
                "appends_given_up",
                "Times the database refused events of an execution although it took other writes",
                Counter::default(),
            ),
            effects: with.metric("effects", "Effects performed", Family::default()),
            effect_time: with.timed("effect", "Time one effect took", unit.clone(), execution_time()),
            journal: JournalMetrics::new(&mut with),
            requests: with.metric("http_requests", "Requests answered", Family::default()),
            request_time: with.timed("http_request", "Time to answer a request", unit, short_time()),
            sessions: with.metric("live_sessions", "Subscribers that are connected", Family::default()),
            frames: with.metric("live_frames", "Frames handed to subscribers", Counter::default()),
            lagging: with.metric("live_lagging", "Times a subscriber fell behind", Counter::default()),
            dropped_logs: with.metric(
                "log_lines_dropped",
                "Log lines of executions lost to pressure",
                Counter::default(),
            ),
            upkeep: UpkeepMetrics::new(&mut with),
            registry,
        }
    }
}

/// What the journal writer has counted since the start. It counts for itself; this is asked for when somebody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Journal {
    /// Transactions.
    pub commits: u64,
    pub appends: u64,
    pub events: u64,
    pub bytes: u64,
    /// Appends that contradicted what is stored.
    pub refused: u64,
    /// Transactions that the database did not take.
    pub failures: u64,
    /// Writes that wait for their turn.
    pub waiting: u64,
    /// How long the last transaction took.
    pub last_commit: Duration,
}

struct JournalMetrics {
    commits: Counter,
    appends: Counter,
    events: Counter,
    bytes: Counter,
    refused: Counter,
    failures: Counter,
    waiting: Gauge,
    last_commit: Gauge<f64, AtomicU64>,
}

impl JournalMetrics {
    fn new(with: &mut Registering<'_>) -> Self {
        let last_commit = Gauge::default();
        with.0.register_with_unit(
            "journal_last_commit",
            "Time the last transaction took",
            Unit::Seconds,
            Gauge::clone(&last_commit),
        );
        Self {
            commits: with.metric("journal_commits", "Transactions of the journal writer", Counter::default()),
            appends: with.metric("journal_appends", "Appends in those transactions", Counter::default()),
            events: with.metric("journal_events", "Events in those appends", Counter::default()),
            bytes: with.metric("journal_written_bytes", "Bytes of those events", Counter::default()),
            refused: with.metric("journal_refused", "Appends that contradicted what is stored", Counter::default()),
            failures: with.metric("journal_failures", "Transactions the database did not take", Counter::default()),
            waiting: with.metric("journal_waiting", "Writes that wait for their turn", Gauge::default()),
            last_commit,
        }
    }

    fn set(&self, journal: &Journal) {
        let Journal { commits, appends, events, bytes, refused, failures, waiting, last_commit } = journal;
        for (counter, value) in [
            (&self.commits, commits),
            (&self.appends, appends),
            (&self.events, events),
            (&self.bytes, bytes),
            (&self.refused, refused),
            (&self.failures, failures),
        ] {
            counter.inner().store(*value, Ordering::Relaxed);
        }
        self.waiting.set(i64::try_from(*waiting).unwrap_or(i64::MAX));
        self.last_commit.set(last_commit.as_secs_f64());
    }
}

/// Registers a metric and hands it back.
pub(super) struct Registering<'registry>(&'registry mut Registry);

impl Registering<'_> {
    pub(super) fn metric<M: prometheus_client::registry::Metric + Clone>(
        &mut self,
        name: &str,
        help: &str,
        metric: M,
    ) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn timed(&mut self, name: &str, help: &str, unit: Unit, metric: Histogram) -> Histogram {
        self.0.register_with_unit(name, help, unit, metric.clone());
        metric
    }
}

fn seconds((start, factor, length): (f64, f64, u16)) -> Histogram {
    Histogram::new(exponential_buckets(start, factor, length))
}

impl Metrics {
    /// An execution was accepted.
    pub fn submitted(&self, execution_type: ExecutionType) {
        self.submitted.get_or_create(&TypeLabels { execution_type: execution_type.as_str() }).inc();
    }

    /// An execution left the queue after `waited`.
    pub fn started(&self, waited: Duration) {
        self.queue_time.observe(waited.as_secs_f64());
    }

    /// An execution reached a terminal status after running for `ran`.
    pub fn finished(&self, execution_type: ExecutionType, status: Status, ran: Duration) {
        let labels = OutcomeLabels { execution_type: execution_type.as_str(), status: status.as_str() };
        self.finished.get_or_create(&labels).inc();
        self.run_time.observe(ran.as_secs_f64());
    }

    /// How many executions hold a slot and how many wait for one, as it is now.
    pub fn queue(&self, running: usize, queued: usize) {
        self.running.set(i64::try_from(running).unwrap_or(i64::MAX));
        self.queued.set(i64::try_from(queued).unwrap_or(i64::MAX));
    }

    /// An execution crashed and was started again.
    pub fn restarted(&self) {
        self.restarts.inc();
    }

    /// Events of an execution were refused for good.
    pub fn append_given_up(&self) {
        self.appends_given_up.inc();
    }

    /// This many executions were continued when the service started.
    pub fn recovered(&self, executions: usize) {
        self.recovered.inc_by(u64::try_from(executions).unwrap_or(u64::MAX));
    }

    /// An effect of this kind (`http`, `shell`, `agent`) came back.
    pub fn effect(&self, kind: &'static str, succeeded: bool, took: Duration) {
        let outcome = if succeeded { "completed" } else { "failed" };
        self.effects.get_or_create(&EffectLabels { kind, outcome }).inc();
        self.effect_time.observe(took.as_secs_f64());
    }

    /// A request was answered. `route` is the pattern (`/executions/{id}`), never the path, which is unbounded.
    pub fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { method, route: route.to_owned(), status }).inc();
        self.request_time.observe(took.as_secs_f64());
    }

    /// A subscriber connected; `transport` is `websocket` or `sse`. It counts for as long as the answer lives.
    pub fn connected(self: &Arc<Self>, transport: &'static str) -> Connected {
        self.sessions.get_or_create(&TransportLabels { transport }).inc();
        Connected { metrics: Arc::clone(self), transport }
    }

    /// This many frames were handed to subscribers.
    pub fn frames(&self, count: usize) {
        self.frames.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// A subscriber fell behind and now catches up from the journal.
    pub fn lagging(&self) {
        self.lagging.inc();
    }

    /// This many log lines of executions were dropped because the store was slower than they came.
    pub fn logs_dropped(&self, lines: u64) {
        self.dropped_logs.inc_by(lines);
    }

    /// The figures of upkeep.
    pub fn upkeep(&self) -> &UpkeepMetrics {
        &self.upkeep
    }

    /// The OpenMetrics text of everything, with the journal as it is now.
    ///
    /// # Errors
    /// Never in practice: writing to a `String` does not fail.
    pub fn encode(&self, journal: &Journal) -> Result<String, fmt::Error> {
        self.journal.set(journal);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A subscriber that is connected.
pub struct Connected {
    metrics: Arc<Metrics>,
    transport: &'static str,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.metrics.sessions.get_or_create(&TransportLabels { transport: self.transport }).dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn everything_that_is_counted_shows_in_the_text() {
        let metrics = Arc::new(Metrics::default());
        metrics.submitted(ExecutionType::Workflow);
        metrics.started(Duration::from_millis(2));
        metrics.finished(ExecutionType::AgentTest, Status::Failed, Duration::from_secs(1));
        metrics.queue(3, 4);
        metrics.restarted();
        metrics.recovered(5);
        metrics.effect("http", false, Duration::from_millis(30));
        metrics.request("GET", "/api/v1/executions/{id}", 404, Duration::from_micros(80));
        let _connected = metrics.connected("websocket");
        drop(metrics.connected("websocket"));
        metrics.frames(7);
        metrics.lagging();
        metrics.logs_dropped(8);
        metrics.upkeep().round(true, Timestamp::from_micros(9_000_000));
        metrics.upkeep().deleted(10);
        metrics.upkeep().store_size(18, 19);
        let journal = Journal {
            commits: 11,
            appends: 12,
            events: 13,
            bytes: 14,
            refused: 15,
            failures: 16,
            waiting: 17,
            last_commit: Duration::from_micros(1_500),
        };
        let text = metrics.encode(&journal).unwrap();
        for line in [
            "callboard_executions_submitted_total{execution_type=\"workflow\"} 1",
            "callboard_execution_queue_seconds_count 1",
            "callboard_executions_finished_total{execution_type=\"agent_test\",status=\"failed\"} 1",
            "callboard_execution_run_seconds_sum 1.0",
            "callboard_executions_running 3",
            "callboard_executions_queued 4",
            "callboard_execution_restarts_total 1",
            "callboard_executions_recovered_total 5",
            "callboard_effects_total{kind=\"http\",outcome=\"failed\"} 1",
            "callboard_effect_seconds_count 1",
            "callboard_journal_commits_total 11",
            "callboard_journal_appends_total 12",
            "callboard_journal_events_total 13",
            "callboard_journal_written_bytes_total 14",
            "callboard_journal_refused_total 15",
            "callboard_journal_failures_total 16",
            "callboard_journal_waiting 17",
            "callboard_journal_last_commit_seconds 0.0015",
            "callboard_http_requests_total{method=\"GET\",route=\"/api/v1/executions/{id}\",status=\"404\"} 1",
            "callboard_http_request_seconds_count 1",
            "callboard_live_sessions{transport=\"websocket\"} 1",
            "callboard_live_frames_total 7",
            "callboard_live_lagging_total 1",
            "callboard_log_lines_dropped_total 8",
            "callboard_upkeep_rounds_total{outcome=\"completed\"} 1",
            "callboard_upkeep_rounds_total{outcome=\"failed\"} 0",
            "callboard_upkeep_last_completed_timestamp_seconds 9",
            "callboard_retention_deleted_executions_total 10",
            "callboard_store_size_bytes 18",
            "callboard_store_free_bytes 19",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
