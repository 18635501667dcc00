//! A backup taken under load holds everything that was acknowledged before it began, and goes on where it was.

use super::gate::Gates;
use super::process::Process;
use super::{command, count, journal, long_wait, nothing_is_left, path};
use crate::cli::program::{Finished, folder, run};
use crate::service::{Client, Database, definition};
use crate::with_both_databases;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

with_both_databases!(a_backup_under_load_loses_nothing, what_is_not_a_backup_is_refused);

/// Clients that submit while the backup is made.
const CLIENTS: usize = 6;
/// Executions that are acknowledged before it begins, and then again while it runs.
const BEFORE: usize = 60;

fn callboard(folder: &Path, url: &str, arguments: &[&str]) -> Finished {
    run(folder, &[arguments, &["--store", url]].concat())
}

/// Submits until told to stop; what is acknowledged goes into `accepted`.
async fn submit(client: &Client, accepted: &Mutex<Vec<String>>, is_over: &AtomicBool) {
    let tasks = json!([
        { "one": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } },
        { "nap": { "wait": { "milliseconds": 30 } } },
        { "two": { "set": { "large": "x".repeat(2_000) } } },
    ]);
    let body = json!({ "definition": definition("load", "1.0.0", tasks) });
    while !is_over.load(Ordering::Relaxed) {
        let answer = client.request(Method::POST, "/api/v1/executions").json(&body).send().await.unwrap();
        let execution: Value = answer.json().await.unwrap();
        accepted.lock().unwrap().push(execution["id"].as_str().expect("an id").to_owned());
    }
}

/// Lets others go on until so many are acknowledged.
async fn until(accepted: &Mutex<Vec<String>>, count: usize) {
    while accepted.lock().unwrap().len() < count {
        tokio::task::yield_now().await;
    }
}

async fn a_backup_under_load_loses_nothing(database: Database) {
    let gates = Gates::new();
    let copies = folder(&[]);
    let file = copies.path().join("callboard.backup");
    let mut service = Process::start(database, &["engine.passivate_after_ms=10"]);
    let running = service.start_definition(json!([gates.mark("once"), gates.task("alpha")]), json!({})).await;
    service.event(&running, |event| event["type"] == "effect_scheduled" && event["task"] == "/do/1/alpha").await;
    let parked = service.start_definition(json!([long_wait()]), json!({ "large": "x".repeat(100_000) })).await;
    service.event(&parked, |event| event["type"] == "execution_waiting").await;

    let (accepted, is_over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let load = join_all((0..CLIENTS).map(|_| submit(&service, &accepted, &is_over)));
    let copying = async {
        until(&accepted, BEFORE).await;
        let before = accepted.lock().unwrap().clone();
        let (folder, url, file) = (copies.path().to_owned(), service.store_url().to_owned(), file.clone());
        let copied = tokio::task::spawn_blocking(move || {
            callboard(&folder, &url, &["backup", "create", &file.display().to_string()])
        });
        copied.await.unwrap().expect_code(0);
        until(&accepted, before.len() + BEFORE).await;
        is_over.store(true, Ordering::Relaxed);
        before
    };
    let (_, before) = tokio::join!(load, copying);
    // The old service goes on past the backup; what it does then is not in it.
    gates.open("alpha").await;
    service.ended(&running).await;
    service.kill();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "a backup is for its owner only");

    let target = match database {
        Database::Sqlite => format!("sqlite:{}", copies.path().join("restored/callboard.db").display()),
        Database::Postgres => crate::postgres::database(),
    };
    std::fs::create_dir(copies.path().join("restored")).unwrap();
    let restore = ["backup", "restore", &file.display().to_string()];
    callboard(copies.path(), &target, &restore).expect_code(0);
    let again = callboard(copies.path(), &target, &restore).expect_code(1);
    assert!(again.stderr.contains("is there already") || again.stderr.contains("is not empty"), "{}", again.stderr);

    let service = Process::on(copies, target, &["engine.passivate_after_ms=10"]);
    assert!(before.len() >= BEFORE);
    for id in &before {
        let execution = service.ended(id).await;
        assert_eq!(execution["status"], "succeeded", "{execution}");
        journal(&service, id).await;
    }
    gates.open("alpha").await;
    assert_eq!(service.ended(&running).await["status"], "succeeded");
    assert_eq!(count(&journal(&service, &running).await, "execution_recovered"), 1);
    assert_eq!((gates.runs("once"), gates.runs("alpha")), (1, 2), "only what was not done is done again");
    let waiting = service.get(&path(&parked)).await.expect(200);
    assert_eq!(
        (&waiting["status"], waiting["input"]["large"].as_str().map(str::len)),
        (&json!("waiting"), Some(100_000))
    );
    command(&service, &parked, "cancel", 202).await;
    nothing_is_left(&service).await;
}

async fn what_is_not_a_backup_is_refused(database: Database) {
    let folder = folder(&[("notes.txt", "no database"), ("torn", "SQLite format 3\0 and then nothing")]);
    let service = Process::start(database, &[]);
    let url = service.store_url().to_owned();
    let kept = service.start_definition(json!([{ "a": { "set": { "b": 1 } } }]), json!({})).await;
    service.ended(&kept).await;
    for file in ["notes.txt", "torn", "missing"] {
        let refused = callboard(folder.path(), &url, &["backup", "restore", file, "--replace"]);
        assert!(matches!(refused.code, Some(1 | 4)), "{refused:?}");
    }
    callboard(folder.path(), &url, &["backup", "create", "good"]).expect_code(0);
    let refused = callboard(folder.path(), &url, &["backup", "create", "good"]).expect_code(1);
    assert!(refused.stderr.contains("is there already"), "{}", refused.stderr);
    let refused = callboard(folder.path(), &url, &["backup", "restore", "good", "--replace"]).expect_code(4);
    assert!(refused.stderr.contains("another process"), "{}", refused.stderr);
    assert_eq!(service.get(&path(&kept)).await.expect(200)["status"], "succeeded");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing half done stays behind: {left:?}");
}
