//! Taking over: what an execution is rebuilt from, and who may write afterwards.

use super::fixture::{Fixture, TENANT};
use super::rows;
use callboard::clock::new_id;
use callboard::domain::{Event, EventBody, ExecutionId, Status};
use callboard::store::{Error, Snapshot, Store};
use std::sync::Arc;

super::on_both_databases!(
    everything_open_is_claimed_at_start,
    a_row_that_cannot_be_read_keeps_nobody_else_from_being_claimed,
    a_claim_reads_snapshot_and_tail,
    the_journal_survives_a_restart_and_goes_on,
    a_second_process_is_refused,
    a_closed_store_says_so,
);

fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

async fn everything_open_is_claimed_at_start(mut fixture: Fixture) {
    let mut later = fixture.draft();
    later.creation.start_at = Some(fixture.now().plus_millis(60_000));
    later.creation.priority = 9;
    let pending = fixture.create_from(later).await;
    let mut running = fixture.create().await;
    running.start(&fixture).await.unwrap();
    let mut waiting = fixture.create().await;
    waiting.start(&fixture).await.unwrap();
    waiting.projection.status = Status::Waiting;
    waiting.projection.wake_at = Some(fixture.now().plus_millis(500));
    fixture.store().append(waiting.progress()).await.unwrap();
    for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
        fixture.finished(fixture.draft(), status).await;
    }
    fixture.reopen().await;

    let open = fixture.store().claim_open("a test", 1).await.unwrap();
    assert_eq!(open.iter().map(|one| one.id).collect::<Vec<_>>(), vec![pending.id, running.id, waiting.id]);
    assert_eq!(open.iter().map(|one| one.attempt).collect::<Vec<_>>(), vec![2, 2, 2]);
    assert_eq!((open[0].priority, open[0].status, open[0].last_seq), (9, Status::Pending, 1));
    assert_eq!(open[0].start_at, Some(fixture.now().plus_millis(60_000)));
    assert_eq!(open[2].wake_at, waiting.projection.wake_at);

    // Whoever owned it before the restart can no longer write.
    let stale = fixture.store().append(running.clone().progress()).await;
    assert_eq!(stale, Err(Error::StaleEpoch { given: 1, current: 2 }));
    running.epoch = 2;
    fixture.store().append(running.progress()).await.unwrap();
}

async fn a_row_that_cannot_be_read_keeps_nobody_else_from_being_claimed(mut fixture: Fixture) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fixture.create().await.id);
    }
    rows::execute(&fixture, &format!("UPDATE executions SET creation = '{{}}' WHERE id = '{}'", ids[1]));
    fixture.reopen().await;
    let open = fixture.store().claim_open("a test", 1).await.unwrap();
    assert_eq!(open.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[0], ids[2]]);
}

async fn a_claim_reads_snapshot_and_tail(fixture: Fixture) {
    let mut run = fixture.create().await;
    run.start(&fixture).await.unwrap();
    let claimed = fixture.store().claim(TENANT, run.id).await.unwrap();
    assert_eq!((claimed.execution.attempt, claimed.snapshot, seqs(&claimed.tail)), (2, None, vec![1, 2]));
    assert!(matches!(&claimed.tail[0].body, EventBody::ExecutionCreated(creation) if creation.priority == 5));

    run.epoch = 2;
    for _ in 0..3 {
        let seq = run.seq + 2;
        let snapshot = Snapshot { seq, format: 3, state: format!("{{\"at\":{seq}}}") };
        fixture.store().append(run.progress().with_snapshot(snapshot)).await.unwrap();
    }
    fixture.store().append(run.progress()).await.unwrap();
    let claimed = fixture.store().claim(TENANT, run.id).await.unwrap();
    let expected = Snapshot { seq: 8, format: 3, state: "{\"at\":8}".to_owned() };
    assert_eq!((claimed.execution.attempt, claimed.snapshot), (3, Some(expected)));
    assert_eq!(seqs(&claimed.tail), vec![9, 10]);
    // An unusable snapshot is no loss.
    assert_eq!(seqs(&fixture.store().events(TENANT, run.id, 0).await.unwrap()), (1..=10).collect::<Vec<_>>());
    assert_eq!(fixture.store().claim(TENANT, ExecutionId(new_id())).await.unwrap_err(), Error::NotFound);
}

async fn the_journal_survives_a_restart_and_goes_on(mut fixture: Fixture) {
    let mut run = fixture.create().await;
    let before = fixture.store().position();
    fixture.reopen().await;
    assert_eq!(fixture.store().position(), before);
    let committed = run.start(&fixture).await.unwrap();
    assert_eq!(committed.first_position, before + 1);
}

async fn a_second_process_is_refused(mut fixture: Fixture) {
    let second = Store::open(&fixture.options(), Arc::new(fixture.clock.clone()));
    let Err(error @ Error::Occupied { .. }) = second else { panic!("the store was opened twice") };
    assert!(error.to_string().contains("another process"), "{error}");
    let down = callboard::store::migrate_down(&fixture.url, 1);
    assert!(matches!(down, Err(Error::Occupied { .. })), "{down:?}");
    // The first one is none the worse for it, and its place is free when it ends.
    fixture.create().await;
    fixture.reopen().await;
}

async fn a_closed_store_says_so(fixture: Fixture) {
    let (append, _) = fixture.draft().first();
    let waiting = fixture.store().append(append);
    let (answer, ()) = futures_util::future::join(waiting, fixture.store().close()).await;
    assert!(answer.is_ok(), "what was asked before the end is written: {answer:?}");
    let (append, _) = fixture.draft().first();
    assert_eq!(fixture.store().append(append).await, Err(Error::Closed));
}
