//! Figures over executions.

use super::fixture::{Fixture, TENANT, all};
use super::rows;
use callboard::domain::quota::Spending;
use callboard::domain::{EventBody, ExecutionType, Status, Usage, UsageOutcome};
use callboard::store::{
    FailurePoint, Fault, Filter, HourSpending, Percentiles, QueueDepth, SpendingSince, migrate_down, migrate_up,
};
use std::collections::BTreeMap;
use std::time::Duration;

super::on_both_databases!(
    figures_add_up,
    what_is_counted_is_what_is_there,
    the_queue_is_counted_by_priority,
    what_was_spent_is_summed_up_by_the_hour_of_the_period,
);

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
    // What has not ended took no time yet.
    assert_eq!((figures.per_hour[0].run_ms_p95, figures.per_hour[1].run_ms_p95), (Some(40), None));
    assert_eq!(figures.per_hour[0].hour.to_string(), "2026-03-01T13:00:00.000000Z");

    // Executions are counted by the hour.
    let same = fixture.store().statistics(TENANT, since.plus_millis(1_799_999)).await.unwrap();
    assert_eq!(same, figures);
    let nothing = fixture.store().statistics(TENANT, fixture.now().plus_millis(3_600_000)).await.unwrap();
    assert_eq!((nothing.total, nothing.success_rate, nothing.run_ms), (0, None, Percentiles::default()));
}

/// By hour, type and status: as the executions say, and as they were counted.
fn counted(fixture: &Fixture) -> (Vec<String>, Vec<String>) {
    let line = "hour || ' ' || execution_type || ' ' || status || ' ' || number AS text";
    let there = format!(
        "SELECT {line} FROM (SELECT created_at / 3600000000 AS hour, execution_type, status, COUNT(*) AS number \
         FROM executions GROUP BY 1, 2, 3) AS there ORDER BY 1"
    );
    let counted = format!("SELECT {line} FROM execution_counts WHERE number <> 0 ORDER BY 1");
    (rows::texts(fixture, &there), rows::texts(fixture, &counted))
}

async fn what_is_counted_is_what_is_there(mut fixture: Fixture) {
    let mut runs = Vec::new();
    for number in 0..12 {
        fixture.clock.advance(Duration::from_secs(1_000));
        let mut draft = fixture.draft();
        if number % 3 == 0 {
            draft.creation.execution_type = ExecutionType::AgentTest;
        }
        draft.creation.labels = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
        runs.push(fixture.create_from(draft).await);
    }
    for (run, status) in runs.iter_mut().zip([Status::Succeeded, Status::Failed, Status::Cancelled]) {
        run.start(&fixture).await.unwrap();
        fixture.store().append(run.progress()).await.unwrap();
        run.finish(&fixture, status).await.unwrap();
    }
    runs[4].start(&fixture).await.unwrap();
    // Refused and failed appends count nothing, and leave the rest of their batch alone.
    let mut stale = runs[4].clone();
    stale.epoch = 7;
    let refused = stale.finish(&fixture, Status::Succeeded);
    let (refused, accepted) = tokio::join!(refused, fixture.store().append(runs[5].clone().progress()));
    assert!(refused.is_err() && accepted.is_ok());
    fixture.points.arm(FailurePoint::JournalBeforeCommit, 1, Fault::Error);
    let mut lost = runs[6].clone();
    assert!(lost.start(&fixture).await.is_err());
    runs[6].start(&fixture).await.unwrap();
    fixture.store().claim_open("restart", 1).await.unwrap();
    let (there, known) = counted(&fixture);
    assert_eq!((there.len(), &there), (known.len(), &known));

    fixture.close().await;
    let ids: Vec<String> = [&runs[0], &runs[4], &runs[5]].iter().map(|run| format!("'{}'", run.id)).collect();
    rows::execute(&fixture, &format!("DELETE FROM executions WHERE id IN ({})", ids.join(", ")));
    let (there, after) = counted(&fixture);
    assert_eq!(there, after);
    assert_ne!(after, known);

    // A database of an earlier version is counted, and its labels get their place, when it is migrated.
    migrate_down(&fixture.url, 1).unwrap();
    migrate_up(&fixture.url).unwrap();
    assert_eq!(counted(&fixture), (after.clone(), after));
    fixture.reopen().await;
    let red = Filter { labels: vec![("team".to_owned(), "red".to_owned())], ..Filter::default() };
    let page = fixture.store().executions(TENANT, red, all()).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id), (9, runs[11].id));
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

async fn what_was_spent_is_summed_up_by_the_hour_of_the_period(fixture: Fixture) {
    let mut run = fixture.create().await;
    run.start(&fixture).await.unwrap();
    let begin = fixture.now();
    let call = |cost_usd, outcome| {
        EventBody::UsageRecorded(Box::new(Usage {
            agent_id: None,
            provider: "openai".to_owned(),
            model: "small".to_owned(),
            input_tokens: 100,
            cached_input_tokens: 20,
            output_tokens: 7,
            reasoning_tokens: 3,
            cost_usd,
            prices: None,
            latency_ms: 250,
            outcome,
            is_estimated: false,
        }))
    };
    let (used, wasted) = (UsageOutcome::Used, UsageOutcome::Wasted);
    for (minutes, calls) in [
        (0, vec![call(Some(0.5), used)]),
        (59, vec![call(Some(0.25), wasted), call(None, used)]),
        (60, vec![call(Some(1.0), used)]),
        (200, vec![call(None, wasted)]),
    ] {
        run.at = begin.plus_millis(minutes * 60_000);
        fixture.store().append(run.next(calls)).await.unwrap();
    }
    let spent = |calls, cost_usd| Spending { calls, tokens: calls * 130, cost_usd };
    let hour = |number: i64, calls, cost_usd| HourSpending {
        hour: begin.plus_millis(number * 3_600_000),
        spent: spent(calls, cost_usd),
    };
    let found = fixture.store().spending_since(TENANT, begin).await.unwrap();
    let expected = SpendingSince {
        spent: spent(5, 1.75),
        wasted: spent(2, 0.25),
        per_hour: vec![hour(0, 3, 0.75), hour(1, 1, 1.0), hour(3, 1, 0.0)],
    };
    assert_eq!(found, expected);

    // The period begins at its instant, not with the hour that it lies in.
    let later = fixture.store().spending_since(TENANT, begin.plus_millis(59 * 60_000)).await.unwrap();
    assert_eq!((later.spent, later.per_hour.len()), (spent(4, 1.25), 2));
}
