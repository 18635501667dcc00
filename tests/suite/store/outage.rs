//! When the database fails: nothing is acknowledged that is not durable, and the writer goes on by itself.

use super::fixture::{Fixture, Run, TENANT, all};
use super::rows;
use callboard::domain::Status;
use callboard::store::{CommittedAppend, Error, FailurePoint, Fault, Filter};
use diesel::connection::SimpleConnection;
use std::sync::{Arc, Mutex};

super::on_both_databases!(
    a_failure_before_the_commit_leaves_nothing,
    a_lost_acknowledgement_is_found_out_by_claiming,
    an_unpublished_batch_is_durable_and_acknowledged,
    a_read_that_fails_is_worth_another_try,
    a_write_that_fails_takes_only_its_round_along,
    a_poisoned_append_fails_alone,
);

const FAULTS: [Fault; 2] = [Fault::Error, Fault::Panic];

async fn started(fixture: &Fixture) -> Run {
    let mut run = fixture.create().await;
    run.start(fixture).await.unwrap();
    run
}

async fn a_failure_before_the_commit_leaves_nothing(fixture: Fixture) {
    for point in [FailurePoint::JournalBeforeBegin, FailurePoint::JournalBeforeCommit] {
        for fault in FAULTS {
            let mut run = started(&fixture).await;
            let before = fixture.store().position();
            fixture.points.arm(point, 1, fault);
            let append = run.clone().progress();
            let error = fixture.store().append(append).await.unwrap_err();
            assert!(error.is_retryable(), "{error}");
            assert_eq!(fixture.store().history(TENANT, run.id, 0, 10, Vec::new()).await.unwrap().len(), 2);
            let committed = fixture.store().append(run.progress()).await.unwrap();
            assert_eq!(committed.first_position, before + 1, "a failure leaves no gap");
        }
    }
}

async fn a_lost_acknowledgement_is_found_out_by_claiming(fixture: Fixture) {
    for fault in FAULTS {
        let mut run = started(&fixture).await;
        fixture.points.arm(FailurePoint::JournalAfterCommit, 1, fault);
        let error = fixture.store().append(run.clone().progress()).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        let again = fixture.store().append(run.progress()).await;
        assert_eq!(again, Err(Error::OutOfSequence { given: 3, last_seq: 4 }));
        let claimed = fixture.store().claim(TENANT, run.id).await.unwrap();
        assert_eq!((claimed.execution.last_seq, claimed.tail.len()), (4, 4));
        run.epoch = claimed.execution.attempt;
        run.finish(&fixture, Status::Succeeded).await.unwrap();
    }
}

async fn an_unpublished_batch_is_durable_and_acknowledged(fixture: Fixture) {
    let heard: Arc<Mutex<Vec<CommittedAppend>>> = Arc::default();
    let ear = Arc::clone(&heard);
    fixture.store().on_commit(Box::new(move |batch| ear.lock().unwrap().extend(batch)));
    for fault in FAULTS {
        let mut run = started(&fixture).await;
        // The callers are told before the listener: wait until it has heard of the start.
        fixture.store().check().await.unwrap();
        fixture.points.arm(FailurePoint::JournalBeforePublish, 1, fault);
        fixture.store().append(run.progress()).await.unwrap();
        run.finish(&fixture, Status::Succeeded).await.unwrap();
        fixture.store().check().await.unwrap();
        let heard: Vec<u64> = heard
            .lock()
            .unwrap()
            .iter()
            .filter(|one| one.execution_id == run.id)
            .flat_map(|one| one.events.iter().map(|event| event.seq))
            .collect();
        assert_eq!(heard, vec![1, 2, 5], "the gap tells a watcher to read the journal");
        assert_eq!(fixture.store().history(TENANT, run.id, 2, 10, Vec::new()).await.unwrap().len(), 3);
    }
}

async fn a_read_that_fails_is_worth_another_try(fixture: Fixture) {
    let run = fixture.create().await;
    for fault in FAULTS {
        fixture.points.arm(FailurePoint::BeforeRead, 1, fault);
        let error = fixture.store().execution(TENANT, run.id).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        fixture.store().execution(TENANT, run.id).await.unwrap();
    }
}

async fn a_write_that_fails_takes_only_its_round_along(fixture: Fixture) {
    let run = fixture.create().await;
    for fault in FAULTS {
        fixture.points.arm(FailurePoint::WriteBeforeCommit, 1, fault);
        let error = fixture.store().claim(TENANT, run.id).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert_eq!(fixture.store().execution(TENANT, run.id).await.unwrap().attempt, 1);
    }
    assert_eq!(fixture.store().claim(TENANT, run.id).await.unwrap().execution.attempt, 2);
}

/// No database is given a NUL in a text. Whoever sends one is told; nobody else notices.
async fn a_poisoned_append_fails_alone(fixture: Fixture) {
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(started(&fixture).await);
    }
    let mut poisoned = fixture.draft();
    poisoned.creation.created_by = Some("a\u{0}b".to_owned());
    let (poison, _) = poisoned.first();
    let mut appends: Vec<_> = runs.iter_mut().map(Run::progress).collect();
    appends.insert(4, poison);
    let answers =
        futures_util::future::join_all(appends.into_iter().map(|append| fixture.store().append(append))).await;
    for (index, answer) in answers.iter().enumerate() {
        match index {
            4 => assert!(matches!(answer, Err(Error::Database { .. })), "{answer:?}"),
            _ => assert!(answer.is_ok(), "{index}: {answer:?}"),
        }
    }
}

/// An index of PostgreSQL takes no entry of that size, and does not say so by the kind of its error.
#[tokio::test]
async fn what_postgres_does_not_take_harms_nobody_else() {
    let fixture = Fixture::postgres();
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(started(&fixture).await);
    }
    let mut large = fixture.draft();
    // Digests cannot be compressed.
    let value: String = (0..200).map(|n| callboard::store::digest(&[n])).collect();
    large.creation.labels = [("size".to_owned(), value)].into();
    let (large, _) = large.first();
    let mut appends: Vec<_> = runs.iter_mut().map(Run::progress).collect();
    appends.insert(4, large);
    let answers =
        futures_util::future::join_all(appends.into_iter().map(|append| fixture.store().append(append))).await;
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_ok(), index != 4, "{index}: {answer:?}");
    }
}

#[tokio::test]
async fn postgres_may_drop_all_connections_under_load() {
    let fixture = Fixture::postgres();
    let killer = async {
        for _ in 0..5 {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let sql = "SELECT pg_terminate_backend(pid)::text AS text FROM pg_stat_activity \
                       WHERE datname = current_database() AND application_name = 'callboard'";
            assert!(!rows::texts(&fixture, sql).is_empty());
            // The writer comes back by itself; what arrives before is told to try again.
            while fixture.store().check().await.is_err() {}
        }
    };
    let work = futures_util::future::join_all((0..8).map(|_| async {
        let mut acknowledged = Vec::new();
        for _ in 0..25 {
            let (append, run) = fixture.draft().first();
            match fixture.store().append(append).await {
                Ok(committed) => acknowledged.push((run.id, committed)),
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        }
        acknowledged
    }));
    let (acknowledged, ()) = futures_util::future::join(work, killer).await;
    for (id, committed) in acknowledged.into_iter().flatten() {
        let stored = fixture.store().execution(TENANT, id).await.unwrap();
        assert_eq!(stored.last_position, committed.last_position);
    }
}

#[tokio::test]
async fn sqlite_may_be_locked_by_somebody_else() {
    let fixture = Fixture::sqlite();
    let mut intruder = rows::sqlite(&fixture);
    intruder.batch_execute("BEGIN IMMEDIATE").unwrap();
    let (append, run) = fixture.draft().first();
    let error = fixture.store().append(append).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // Reading goes on.
    assert!(fixture.store().executions(TENANT, Filter::default(), all()).await.unwrap().items.is_empty());
    intruder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(fixture.store().execution(TENANT, run.id).await, Err(Error::NotFound));
    fixture.create().await;
}
