//! Between the journal's writer and the hub: every commit is counted and, when somebody watches, forwarded.

use super::hub::{Hub, HubState, Publish};
use crate::store::CommittedAppend;
use crate::telemetry::Metrics;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The listener that the journal writer calls after each commit, in commit order.
pub fn commit_listener(
    hub: actix::Addr<Hub>,
    state: Arc<HubState>,
    metrics: Arc<Metrics>,
) -> Box<dyn Fn(Vec<CommittedAppend>) + Send + Sync> {
    Box::new(move |commits| {
        let (Some(first), Some(last)) = (commits.first(), commits.last()) else { return };
        let before = state.position.swap(last.last_position, Ordering::SeqCst);
        if first.first_position != before + 1 {
            // The writer was not able to tell of a batch.
            state.gap.store(true, Ordering::SeqCst);
        }
        for commit in &commits {
            count(&metrics, commit);
        }
        if state.watchers.load(Ordering::SeqCst) > 0 && hub.try_send(Publish(commits)).is_err() {
            state.gap.store(true, Ordering::SeqCst);
        }
    })
}

/// Counts what a commit says about executions.
fn count(metrics: &Metrics, commit: &CommittedAppend) {
    let CommittedAppend { subject, projection, created, .. } = commit;
    if *created {
        metrics.submitted(subject.execution_type);
    }
    if let Some(started_at) = projection.started_at
        && commit.events.iter().any(|event| event.type_name == "execution_started")
    {
        let waited = started_at.micros_since(subject.created_at);
        metrics.started(Duration::from_micros(u64::try_from(waited).unwrap_or(0)));
    }
    if projection.status.is_terminal() {
        let ran = projection.started_at.map_or(0, |started_at| projection.updated_at.micros_since(started_at));
        let ran = Duration::from_micros(u64::try_from(ran).unwrap_or(0));
        metrics.finished(subject.execution_type, projection.status, ran);
    }
}
