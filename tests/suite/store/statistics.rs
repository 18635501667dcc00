//! Figures over executions.

use super::fixture::{Fixture, TENANT};
use callboard::domain::{ExecutionType, Status};
use callboard::store::{Percentiles, QueueDepth};
use std::time::Duration;

super::on_both_databases!(figures_add_up, the_queue_is_counted_by_priority);

async fn figures_add_up(fixture: Fixture) {
    fixture.finished(fixture.draft(), Status::Failed).await;
    fixture.clock.advance(Duration::from_secs(3_600));
    let since = fixture.now();
    for status in [Status::Succeeded, Status::Succeeded, Status::Succeeded, Status::Failed, Status::Cancelled] {
        fixture.finished(fixture.draft(), status).await;
    }
    fixture.clock.advance(Duration::from_secs(3_600));
    let mut test = fixture.draft();
    test.creation.execution_type = ExecutionType::AgentTest;
    fixture.create_from(test).await;

    let figures = fixture.store().statistics(TENANT, since).await.unwrap();
    assert_eq!((figures.total, figures.sample_size, figures.success_rate), (6, 5, Some(0.75)));
    let count = |execution_type, status| {
        let mut same = figures.counts.iter().filter(|one| (one.execution_type, one.status) == (execution_type, status));
        same.next().map_or(0, |one| one.count)
    };
    assert_eq!(count(ExecutionType::Workflow, Status::Succeeded), 3);
    assert_eq!(count(ExecutionType::Workflow, Status::Cancelled), 1);
    assert_eq!(count(ExecutionType::AgentTest, Status::Pending), 1);
    assert_eq!(figures.run_ms, Percentiles { p50: Some(40), p95: Some(40), p99: Some(40) });
    assert_eq!(figures.queued_ms.p99, Some(0));
    let hours: Vec<(u64, u64, u64)> =
        figures.per_hour.iter().map(|hour| (hour.created, hour.succeeded, hour.failed)).collect();
    assert_eq!(hours, vec![(5, 3, 1), (1, 0, 0)]);
    assert_eq!(figures.per_hour[0].hour.to_string(), "2026-03-01T13:00:00.000000Z");

    let nothing = fixture.store().statistics(TENANT, fixture.now().plus_millis(1)).await.unwrap();
    assert_eq!((nothing.total, nothing.success_rate, nothing.run_ms), (0, None, Percentiles::default()));
}

async fn the_queue_is_counted_by_priority(fixture: Fixture) {
    let oldest = fixture.now();
    for priority in [1, 9, 1] {
        let mut draft = fixture.draft();
        draft.creation.priority = priority;
        fixture.create_from(draft).await;
        fixture.tick();
    }
    fixture.finished(fixture.draft(), Status::Succeeded).await;
    let depth = fixture.store().queue_depth(TENANT).await.unwrap();
    let high = QueueDepth { priority: 9, count: 1, oldest: oldest.plus_millis(10) };
    assert_eq!(depth, vec![high, QueueDepth { priority: 1, count: 2, oldest }]);
}
