//! What is past retention, and that nothing is left of what has been deleted.

use super::fixture::{Draft, Fixture, Run, TENANT};
use super::rows;
use callboard::clock::new_id;
use callboard::domain::quota::Budget;
use callboard::domain::{
    EventBody, ExecutionId, LogLevel, LogLine, ParentLink, Retention, RetentionRule, Status, TenantId, Usage,
    UsageOutcome,
};
use callboard::store::{
    DefinitionText, EXECUTION_TABLES, Error, Idempotency, LogLines, LogQuery, Snapshot, migrate_down, migrate_up,
};
use callboard::store::{compact, space_of};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

super::on_both_databases!(
    age_and_number_let_executions_go,
    a_family_goes_as_a_whole,
    nothing_is_left_of_a_deleted_execution,
    deleting_broken_off_goes_on_after_a_restart,
    positions_never_fall,
    definitions_go_with_the_last_that_needs_them,
    a_database_of_the_version_before_is_brought_up_to_date,
    compacting_loses_nothing,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn succeeded(days: u32, count: u32) -> Retention {
    Retention { succeeded: RetentionRule { days, count }, ..Retention::default() }
}

/// What a policy lets go now, family by family.
async fn due(fixture: &Fixture, retention: Retention) -> Vec<Vec<ExecutionId>> {
    let store = fixture.store();
    let edges = store.retention_edges(TENANT, retention).await.unwrap();
    let mut found = Vec::new();
    for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
        let mut after = None;
        loop {
            let page = store.due_families(TENANT, edges, status, after, 2).await.unwrap();
            found.extend(page.families.into_iter().map(|family| family.iter().map(|one| one.id).collect()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    found
}

async fn age_and_number_let_executions_go(fixture: Fixture) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(fixture.finished(fixture.draft(), Status::Succeeded).await.id);
        fixture.clock.advance(DAY);
    }
    let failed = fixture.finished(fixture.draft(), Status::Failed).await;
    let mut open = fixture.create().await;
    open.start(&fixture).await.unwrap();
    let mut foreign = fixture.draft();
    foreign.tenant_id = TenantId(new_id());
    fixture.finished(foreign, Status::Succeeded).await;
    fixture.clock.advance(DAY / 2);

    let singles = |ids: &[ExecutionId]| ids.iter().map(|id| vec![*id]).collect::<Vec<_>>();
    assert!(due(&fixture, Retention::default()).await.is_empty(), "0 keeps for ever");
    assert_eq!(due(&fixture, succeeded(3, 0)).await, singles(&ids[..3]));
    assert_eq!(due(&fixture, succeeded(0, 1)).await, singles(&ids[..4]));
    assert_eq!(due(&fixture, succeeded(3, 1)).await, singles(&ids[..4]), "either limit lets go");
    assert!(due(&fixture, succeeded(100, 5)).await.is_empty());
    fixture.clock.advance(DAY * 100);
    let all = Retention { failed: RetentionRule { days: 1, count: 0 }, ..succeeded(1, 0) };
    assert_eq!(due(&fixture, all).await, [singles(&ids), singles(&[failed.id])].concat(), "what is open is kept");
}

fn child_of(fixture: &Fixture, parent: ExecutionId) -> Draft {
    let mut draft = fixture.draft();
    let path = "/do/0/sub".to_owned();
    draft.creation.parent = Some(ParentLink { execution_id: parent, path, awaited: false, depth: 1, root: None });
    draft
}

async fn a_family_goes_as_a_whole(fixture: Fixture) {
    let parent = fixture.finished(fixture.draft(), Status::Succeeded).await.id;
    let child = fixture.finished(child_of(&fixture, parent), Status::Succeeded).await.id;
    let mut grandchild = fixture.create_from(child_of(&fixture, child)).await;
    grandchild.start(&fixture).await.unwrap();
    fixture.clock.advance(DAY * 10);
    assert!(due(&fixture, succeeded(5, 0)).await.is_empty(), "the grandchild has not ended");
    grandchild.at = fixture.now();
    grandchild.finish(&fixture, Status::Succeeded).await.unwrap();
    assert!(due(&fixture, succeeded(5, 0)).await.is_empty(), "the grandchild is not due");
    fixture.clock.advance(DAY * 6);
    assert_eq!(due(&fixture, succeeded(5, 0)).await, [vec![grandchild.id, child, parent]]);
    // A child whose parent is gone is a family of its own.
    fixture.store().remove_executions(TENANT, vec![parent]).await.unwrap();
    assert_eq!(due(&fixture, succeeded(5, 0)).await, [vec![grandchild.id, child]]);
}

fn large(letter: &str) -> Value {
    json!({ "text": letter.repeat(70_000) })
}

/// An execution with something in every table that names executions.
async fn rich(fixture: &Fixture, key: &str) -> Run {
    let mut draft = fixture.draft();
    draft.creation.input = large("i");
    draft.creation.budget = Some(Budget { max_tokens: Some(1_000), ..Budget::default() });
    draft.creation.labels.insert("team".to_owned(), "red".to_owned());
    draft.creation.idempotency_key = Some(key.to_owned());
    draft.new.idempotency =
        Some(Idempotency { key: Idempotency::stored_key("ada", key), request_digest: "d".to_owned() });
    let mut run = fixture.create_from(draft).await;
    run.start(fixture).await.unwrap();
    let usage = Usage {
        agent_id: None,
        provider: "test".to_owned(),
        model: "m".to_owned(),
        input_tokens: 1,
        cached_input_tokens: 0,
        output_tokens: 2,
        reasoning_tokens: 0,
        cost_usd: Some(0.5),
        prices: None,
        latency_ms: 3,
        outcome: UsageOutcome::Used,
        is_estimated: false,
    };
    // In two appends: one that fits its row, and one that does not.
    let append = run.next(vec![EventBody::UsageRecorded(Box::new(usage))]);
    fixture.store().append(append).await.unwrap();
    let output = large(key);
    let append = run.next(vec![EventBody::TaskCompleted { output, context: None, directive: None }]);
    let snapshot = Snapshot { seq: run.seq, format: 1, state: "{}".to_owned() };
    fixture.store().append(append.with_snapshot(snapshot)).await.unwrap();
    let line = |n| LogLine {
        n,
        task: None,
        agent_id: None,
        level: LogLevel::Info,
        message: "hello".to_owned(),
        metadata: Value::Null,
        source: "engine".to_owned(),
        at: fixture.now(),
    };
    fixture.store().append_logs(lines_of(run.id, (1..=3).map(line).collect())).await.unwrap();
    run.projection.output = Some(large("o"));
    run.projection.status = Status::Succeeded;
    run.projection.finished_at = Some(run.at);
    let append = run.next(vec![EventBody::ExecutionCompleted { output: Value::Null }]);
    fixture.store().append(append).await.unwrap();
    rows::execute(
        fixture,
        &format!("INSERT INTO continued_executions VALUES ('{TENANT}', '{}', '{}')", run.id, ExecutionId(new_id())),
    );
    run
}

/// The tables with a column of this name, as the database itself lists them.
pub fn tables_with(fixture: &Fixture, column: &str) -> Vec<String> {
    let sql = if fixture.is_postgres() {
        format!(
            "SELECT table_name::text AS text FROM information_schema.columns \
             WHERE table_schema = 'public' AND column_name = '{column}' ORDER BY 1"
        )
    } else {
        format!(
            "SELECT m.name AS text FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND c.name = '{column}' ORDER BY m.name"
        )
    };
    rows::texts(fixture, &sql)
}

fn count(fixture: &Fixture, from: &str) -> u64 {
    let counted = rows::texts(fixture, &format!("SELECT CAST(COUNT(*) AS TEXT) AS text FROM {from}"));
    counted[0].parse().unwrap()
}

/// Sweeps to the end, `rows` at a time; how many blobs went.
async fn sweep(fixture: &Fixture, rows: usize) -> usize {
    let mut blobs = 0;
    loop {
        let swept = fixture.store().sweep_removed(rows).await.unwrap();
        blobs += swept.blobs;
        if !swept.more {
            return blobs;
        }
    }
}

async fn nothing_is_left_of_a_deleted_execution(fixture: Fixture) {
    let (first, second) = (rich(&fixture, "a").await, rich(&fixture, "b").await);
    let named = tables_with(&fixture, "execution_id");
    let filled = |id: ExecutionId| {
        let is_filled = |table: &&String| count(&fixture, &format!("{table} WHERE execution_id = '{id}'")) > 0;
        named.iter().filter(is_filled).cloned().collect::<Vec<String>>()
    };
    let before = filled(first.id);
    for table in EXECUTION_TABLES.iter().filter(|table| **table != "removed_executions") {
        assert!(before.iter().any(|name| name == table), "the test puts nothing into {table}");
    }
    let store = fixture.store();
    // Input and output are shared; the creations and the large events are not.
    assert_eq!(count(&fixture, "blobs"), 6);

    assert_eq!(store.remove_executions(TENANT, vec![first.id, ExecutionId(new_id())]).await, Ok(1));
    assert_eq!(store.execution(TENANT, first.id).await.unwrap_err(), Error::NotFound);
    sweep(&fixture, 100).await;
    assert_eq!(
        filled(first.id),
        ["usage_records"],
        "a table that names executions: delete its rows with them, or say why not"
    );
    assert_eq!(count(&fixture, "blobs"), 4);
    assert_eq!(store.history(TENANT, first.id, 0, 10, Vec::new()).await.unwrap_err(), Error::NotFound);
    // Late lines find nobody.
    let line = store.logs(TENANT, second.id, LogQuery { limit: 1, ..LogQuery::default() }).await.unwrap();
    store.append_logs(lines_of(first.id, line)).await.unwrap();
    assert_eq!(filled(first.id), ["usage_records"]);

    let kept = store.load(TENANT, second.id).await.unwrap();
    assert_eq!(kept.execution.output.as_ref(), Some(&large("o")));
    assert_eq!(store.events(TENANT, second.id, 0).await.unwrap().len(), 5);
    store.remove_executions(TENANT, vec![second.id]).await.unwrap();
    sweep(&fixture, 100).await;
    assert_eq!(count(&fixture, "blobs"), 0);

    // Usage outlives its execution for a time of its own.
    assert_eq!(store.forget_usage(TENANT, fixture.now(), 10).await, Ok(0));
    fixture.clock.advance(DAY);
    assert_eq!(store.forget_usage(TENANT, fixture.now(), 10).await, Ok(2));
    let kept = rich(&fixture, "c").await;
    fixture.clock.advance(DAY);
    assert_eq!(store.forget_usage(TENANT, fixture.now(), 10).await, Ok(0), "its execution is there");
    assert_eq!(store.usage(TENANT, kept.id).await.unwrap().len(), 1);
}

async fn deleting_broken_off_goes_on_after_a_restart(mut fixture: Fixture) {
    let runs = [rich(&fixture, "a").await, rich(&fixture, "b").await];
    let mut open = fixture.create().await;
    let ids = vec![runs[0].id, runs[1].id, open.id];
    assert_eq!(fixture.store().remove_executions(TENANT, ids).await, Ok(2), "what is open is left alone");
    for _ in 0..3 {
        let swept = fixture.store().sweep_removed(1).await.unwrap();
        assert!(swept.more && swept.rows > 0, "{swept:?}");
        fixture.reopen().await;
        assert_eq!(fixture.store().execution(TENANT, runs[0].id).await.unwrap_err(), Error::NotFound);
    }
    sweep(&fixture, 2).await;
    for table in EXECUTION_TABLES {
        let rest = format!("{table} WHERE execution_id IN ('{}', '{}')", runs[0].id, runs[1].id);
        assert_eq!(count(&fixture, &rest), 0, "{table}");
    }
    assert_eq!(count(&fixture, "blobs"), 0);
    open.start(&fixture).await.unwrap();
}

async fn positions_never_fall(mut fixture: Fixture) {
    let run = fixture.finished(fixture.draft(), Status::Cancelled).await;
    let position = fixture.store().position();
    fixture.store().remove_executions(TENANT, vec![run.id]).await.unwrap();
    sweep(&fixture, 100).await;
    assert_eq!(count(&fixture, "journal"), 0);
    fixture.reopen().await;
    assert_eq!(fixture.store().position(), position);
    fixture.create().await;
    assert_eq!(fixture.store().position(), position + 1);
    assert_eq!(fixture.store().changed_since(TENANT, position, 10).await.unwrap().executions.len(), 1);
}

async fn definitions_go_with_the_last_that_needs_them(fixture: Fixture) {
    let text = |digest: &str| DefinitionText { digest: digest.into(), json: "{}".to_owned(), source: "{}".to_owned() };
    let draft = |digest: &str| {
        let mut draft = fixture.draft();
        draft.creation.definition.digest = Arc::from(digest);
        draft.new.definition = Some(text(digest));
        draft
    };
    let (first, second) = ("1".repeat(64), "2".repeat(64));
    let runs = [
        fixture.finished(draft(&first), Status::Succeeded).await.id,
        fixture.finished(draft(&first), Status::Succeeded).await.id,
        fixture.finished(draft(&second), Status::Succeeded).await.id,
    ];
    let review = callboard::domain::definition::review(
        "document: { dsl: '1.0.3', namespace: tests, name: kept, version: '1.0.0' }\ndo:\n- a: { set: { b: 1 } }\n",
        &callboard::machine::Compiles,
    );
    let registered = review.definition.unwrap();
    let store = fixture.store();
    store.register_workflow(TENANT, &registered, String::new(), None).await.unwrap();
    assert!(store.orphaned_definitions(10).await.unwrap().is_empty());

    store.remove_executions(TENANT, vec![runs[0], runs[2]]).await.unwrap();
    let orphans = store.orphaned_definitions(10).await.unwrap();
    assert_eq!(orphans.len(), 1);
    // Between the look and the deletion somebody uses it again.
    let again = fixture.finished(draft(&second), Status::Succeeded).await.id;
    assert_eq!(store.forget_definitions(orphans).await, Ok(0));
    store.remove_executions(TENANT, vec![runs[1], again]).await.unwrap();
    let orphans = store.orphaned_definitions(10).await.unwrap();
    assert_eq!(store.forget_definitions(orphans).await, Ok(2));
    for digest in [first, second] {
        assert_eq!(store.definition(TENANT, digest).await.unwrap_err(), Error::NotFound);
    }
    store.definition(TENANT, registered.digest.to_string()).await.unwrap();
}

/// Rows of the first version, large ones and ones of unregistered definitions among them, are there after the upgrade.
async fn a_database_of_the_version_before_is_brought_up_to_date(mut fixture: Fixture) {
    let migrations = migrate_names(&fixture);
    let run = rich(&fixture, "a").await;
    fixture.close().await;
    let later = migrations.iter().filter(|name| !name.contains("first")).count();
    assert_eq!(migrate_down(&fixture.url, later).unwrap().len(), later);
    assert_eq!(migrate_up(&fixture.url).unwrap().len(), later);
    fixture.reopen().await;
    assert_eq!(fixture.store().events(TENANT, run.id, 0).await.unwrap().len(), 5);
    assert_eq!(due(&fixture, succeeded(0, 1)).await, Vec::<Vec<ExecutionId>>::new());
}

fn migrate_names(fixture: &Fixture) -> Vec<String> {
    let status = callboard::store::migration_status(&fixture.url).unwrap();
    status.into_iter().map(|migration| migration.name).collect()
}

async fn compacting_loses_nothing(mut fixture: Fixture) {
    let run = rich(&fixture, "a").await;
    let url = fixture.url.clone();
    assert!(matches!(compact(&url), Err(Error::Occupied { .. })), "the service is running");
    fixture.close().await;
    if !fixture.is_postgres() {
        // As a version made it that did not know of giving back.
        rows::sqlite(&fixture).batch_execute("PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
        assert!(!space_of(&url).unwrap().can_shrink);
    }
    compact(&url).unwrap();
    assert!(space_of(&url).unwrap().can_shrink);
    fixture.reopen().await;
    assert_eq!(fixture.store().events(TENANT, run.id, 0).await.unwrap().len(), 5);
}

/// What is deleted makes the file smaller while the service runs; PostgreSQL sees to that itself.
#[tokio::test]
async fn a_sqlite_file_gives_its_space_back() {
    let fixture = Fixture::sqlite();
    let store = fixture.store();
    let mut ids = Vec::new();
    for number in 0..100 {
        let mut draft = fixture.draft();
        draft.creation.input = json!({ "text": "x".repeat(100_000), "number": number });
        ids.push(fixture.finished(draft, Status::Succeeded).await.id);
    }
    store.checkpoint().await.unwrap();
    let file = fixture.url.trim_start_matches("sqlite:");
    let before = std::fs::metadata(file).unwrap().len();
    assert!(before > 10_000_000, "{before}");
    assert_eq!(store.space().await.unwrap().size_bytes, before);
    store.remove_executions(TENANT, ids).await.unwrap();
    sweep(&fixture, 1_000).await;
    assert!(store.space().await.unwrap().can_shrink);
    assert!(store.space().await.unwrap().free_bytes > 10_000_000);
    let mut steps = 0;
    while store.give_back(100).await.unwrap() {
        steps += 1;
    }
    assert!(steps > 10, "in small steps");
    store.checkpoint().await.unwrap();
    let after = std::fs::metadata(file).unwrap().len();
    assert!(after < 3_000_000, "{before} bytes became {after}");
    fixture.create().await;
}

fn lines_of(execution_id: ExecutionId, lines: Vec<LogLine>) -> Vec<LogLines> {
    vec![LogLines { tenant_id: TENANT, execution_id, lines }]
}
