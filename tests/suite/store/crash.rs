//! The process ends in the middle of its work, at each named point, on both databases. Afterwards everything that was
//! acknowledged is there, nothing is torn, and all of it goes on.

use super::fixture::{Fixture, TENANT, all};
use callboard::clock::{SystemClock, new_id};
use callboard::domain::{ExecutionId, Status};
use callboard::store::{Filter, Options, Store};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

super::on_both_databases!(
    before_a_transaction_begins,
    before_it_commits,
    after_it_has_committed,
    before_it_is_published,
    before_another_write_commits,
);

const URL: &str = "CALLBOARD_TEST_CRASH_URL";
const POINTS: &str = "CALLBOARD_TEST_CRASH_POINTS";

async fn before_a_transaction_begins(fixture: Fixture) {
    crash_and_check(fixture, "journal_before_begin@25=abort").await;
}

async fn before_it_commits(fixture: Fixture) {
    crash_and_check(fixture, "journal_before_commit@25=abort").await;
}

async fn after_it_has_committed(fixture: Fixture) {
    crash_and_check(fixture, "journal_after_commit@25=abort").await;
}

async fn before_it_is_published(fixture: Fixture) {
    crash_and_check(fixture, "journal_before_publish@25=abort").await;
}

async fn before_another_write_commits(fixture: Fixture) {
    crash_and_check(fixture, "write_before_commit@3=abort").await;
}

/// A disk that is full: files may not grow beyond 1 MiB (or two, by the shell's unit).
#[tokio::test]
async fn a_full_disk_is_survived() {
    let mut fixture = Fixture::sqlite();
    fixture.close().await;
    let limited = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.arg("-c").arg(limited).arg(std::env::current_exe().unwrap());
    let (acknowledged, refused) = run_child(command, &fixture.url, "");
    assert!(refused > 0, "the limit was never reached");
    check(fixture, &acknowledged).await;
}

async fn crash_and_check(mut fixture: Fixture, points: &str) {
    fixture.close().await;
    let (acknowledged, _) = run_child(Command::new(std::env::current_exe().unwrap()), &fixture.url, points);
    check(fixture, &acknowledged).await;
}

/// Runs the child until it ends and returns what it saw acknowledged, and how many appends were refused.
fn run_child(mut command: Command, url: &str, points: &str) -> (HashMap<ExecutionId, u64>, usize) {
    command.args(["--exact", "store::crash::child", "--nocapture", "--test-threads=1"]);
    command.env(URL, url).env(POINTS, points).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (mut acknowledged, mut refused) = (HashMap::new(), 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The test harness may have begun the line.
        if let Some((_, rest)) = line.split_once("acknowledged ") {
            let (id, seq) = rest.split_once(' ').unwrap();
            acknowledged.insert(id.parse().unwrap(), seq.parse().unwrap());
        } else if line.contains("refused ") {
            refused += 1;
        }
    }
    let status = child.wait().unwrap();
    assert_eq!(status.success(), points.is_empty(), "the child ended otherwise than planned");
    (acknowledged, refused)
}

async fn check(mut fixture: Fixture, acknowledged: &HashMap<ExecutionId, u64>) {
    assert!(acknowledged.len() > 1, "the child did too little to be of use: {acknowledged:?}");
    fixture.reopen().await;
    let store = fixture.store();
    for (id, seq) in acknowledged {
        let stored = store.execution(TENANT, *id).await.unwrap();
        assert!(stored.last_seq >= *seq, "{id}: acknowledged {seq}, stored {}", stored.last_seq);
    }
    let mut positions = Vec::new();
    for execution in store.executions(TENANT, Filter::default(), all()).await.unwrap().items {
        let history = store.history(TENANT, execution.id, 0, 1_000, Vec::new()).await.unwrap();
        let seqs: Vec<u64> = history.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=execution.last_seq).collect::<Vec<_>>());
        assert_eq!(history.last().map(|event| event.position), Some(execution.last_position));
        positions.extend(history.iter().map(|event| event.position));
    }
    positions.sort_unstable();
    assert_eq!(positions, (1..=store.position()).collect::<Vec<_>>(), "positions have no gap");
    for open in store.claim_open("a test", 1).await.unwrap() {
        let claimed = store.load(TENANT, open.id).await.unwrap();
        assert_eq!(claimed.execution.attempt, open.attempt);
        let (_, mut run) = fixture.draft().first();
        (run.id, run.epoch, run.seq, run.previous) = (open.id, open.attempt, open.last_seq, open.status);
        if open.status == Status::Pending {
            run.start(&fixture).await.unwrap();
        }
        run.finish(&fixture, Status::Succeeded).await.unwrap();
    }
    assert!(fixture.store().claim_open("a test", 1).await.unwrap().is_empty());
}

/// Not a case of its own: the process that crashes, when it is started for that.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let points = std::env::var(POINTS).unwrap().parse().unwrap();
    let store = Store::open(&Options { failure_points: points, ..Options::new(url) }, Arc::new(SystemClock)).unwrap();
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut failures = 0;
    for _ in 0..40 {
        let draft = super::fixture::Draft {
            tenant_id: TENANT,
            id: ExecutionId(new_id()),
            at: now,
            creation: super::fixture::creation(serde_json::json!({"text": "x".repeat(30_000)})),
            new: callboard::store::NewExecution::default(),
        };
        let (append, mut run) = draft.first();
        let mut next = Some(append);
        for step in 0..3 {
            let append = next.take().unwrap_or_else(|| run.progress());
            match store.append(append).await {
                Ok(committed) => println!("acknowledged {} {}", run.id, committed.last_seq),
                Err(error) => {
                    println!("refused {error}");
                    assert!(error.is_retryable(), "{error}");
                    failures += 1;
                    break;
                }
            }
            if step == 0 {
                run.projection.status = Status::Running;
                run.projection.started_at = Some(now);
                let body = callboard::domain::EventBody::ExecutionStarted { input: None, deadline: None };
                next = Some(run.next(vec![body]));
            }
        }
        if failures > 3 {
            return;
        }
        store.update_execution(TENANT, run.id, Some(7), None).await.ok();
    }
}
