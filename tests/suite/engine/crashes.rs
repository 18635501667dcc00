//! Crashes of one execution's actor: the others do not notice, it resumes, and it fails when it crashes too often.

use super::gate::Gates;
use super::{count, journal, nothing_is_left, path};
use crate::service::{Database, Service, definition};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(
    a_crash_before_the_step_repeats_only_what_was_under_way,
    a_crash_before_the_append_repeats_only_what_was_under_way,
    a_crash_after_the_append_repeats_nothing,
    an_execution_that_crashes_too_often_fails_and_says_why,
    a_crash_while_it_is_rebuilt_stays_with_the_execution,
    an_execution_that_cannot_be_rebuilt_is_failed,
    a_child_that_crashes_after_its_end_does_not_leave_its_parent_waiting,
    a_parent_that_crashes_after_its_end_takes_its_children_along,
    a_child_that_crashes_over_its_cancellation_is_cancelled_all_the_same,
    a_submission_that_crashes_is_refused_and_takes_no_slot,
    an_effect_that_crashes_fails_its_task,
    an_append_that_is_never_acknowledged_is_found_in_the_journal,
    a_command_that_is_slow_to_end_leaves_its_successor_alone,
    a_retry_that_is_never_acknowledged_goes_on,
    a_creation_that_is_never_acknowledged_goes_on_with_all_that_it_started,
);

fn start(database: Database, points: &str) -> Service {
    Service::start_with(database, &[("store.failure_points", points), ("engine.max_running", "4")])
}

const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// Four executions run; the first one's next turn, the fifth of all, crashes.
async fn crash_at(database: Database, point: &str, is_repeated: bool) {
    let gates = Gates::new();
    let service = start(database, &format!("{point}@5=panic"));
    let mut ids = Vec::new();
    for name in NAMES {
        let tasks = json!([gates.task(name), gates.mark(&format!("{name}-after"))]);
        ids.push(service.start_definition(tasks, json!({})).await);
    }
    gates.open("alpha").await;
    if is_repeated {
        gates.open("alpha").await;
    }
    let crashed = service.ended(&ids[0]).await;
    assert_eq!(crashed["status"], "succeeded", "{crashed}");
    assert_eq!(crashed["restarts"], 1);
    assert!(crashed["last_crash"].as_str().unwrap().contains(point), "{crashed}");
    assert!(crashed["recovered_in_ms"].is_u64(), "{crashed}");
    assert_eq!(gates.runs("alpha"), if is_repeated { 2 } else { 1 });
    let events = journal(&service, &ids[0]).await;
    assert_eq!(count(&events, "execution_recovered"), 1);
    for (id, name) in ids.iter().zip(NAMES).skip(1) {
        gates.open(name).await;
        let execution = service.ended(id).await;
        assert_eq!((&execution["status"], &execution["restarts"]), (&json!("succeeded"), &json!(0)));
        assert_eq!(gates.runs(name), 1);
    }
    assert_eq!(service.get("/api/v1/queue").await.expect(200)["service"]["restarts"], 1);
    nothing_is_left(&service).await;
}

async fn a_crash_before_the_step_repeats_only_what_was_under_way(database: Database) {
    crash_at(database, "turn_before_step", true).await;
}

async fn a_crash_before_the_append_repeats_only_what_was_under_way(database: Database) {
    crash_at(database, "turn_before_append", true).await;
}

async fn a_crash_after_the_append_repeats_nothing(database: Database) {
    crash_at(database, "turn_after_append", false).await;
}

async fn an_execution_that_crashes_too_often_fails_and_says_why(database: Database) {
    let gates = Gates::new();
    let points: Vec<String> = (3..=6).map(|pass| format!("turn_before_step@{pass}=panic")).collect();
    let service = start(database, &points.join(","));
    let other = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let id = service.start_definition(json!([gates.task("beta")]), json!({})).await;
    gates.open("beta").await;
    let failed = service.ended(&id).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed["error"]["type"].as_str().unwrap().ends_with("/runtime"), "{failed}");
    assert!(failed["error"]["detail"].as_str().unwrap().contains("injected at turn_before_step"), "{failed}");
    assert!(failed["last_crash"].as_str().unwrap().contains("injected at turn_before_step"), "{failed}");
    assert_eq!(failed["restarts"], 3);
    gates.open("alpha").await;
    assert_eq!(service.ended(&other).await["restarts"], 0);
    nothing_is_left(&service).await;
}

async fn a_crash_while_it_is_rebuilt_stays_with_the_execution(database: Database) {
    let gates = Gates::new();
    let service = start(database, "turn_after_append@3=panic,rebuild_before_apply=panic");
    let other = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let id = service.start_definition(json!([gates.task("beta"), gates.mark("gamma")]), json!({})).await;
    gates.open("beta").await;
    let execution = service.ended(&id).await;
    assert_eq!((&execution["status"], &execution["restarts"]), (&json!("succeeded"), &json!(2)), "{execution}");
    assert_eq!((gates.runs("beta"), gates.runs("gamma")), (1, 1));
    gates.open("alpha").await;
    assert_eq!(service.ended(&other).await["status"], "succeeded");
    nothing_is_left(&service).await;
}

async fn an_execution_that_cannot_be_rebuilt_is_failed(database: Database) {
    let gates = Gates::new();
    let rebuilds: Vec<String> = (1..=4).map(|pass| format!("rebuild_before_apply@{pass}=panic")).collect();
    let service = start(database, &format!("turn_after_append@3=panic,{}", rebuilds.join(",")));
    service.register("child", "1.0.0", json!([gates.task("alpha"), gates.mark("beta")])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    gates.open("alpha").await;
    let failed = service.ended(&parent).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    let children = service.get("/api/v1/executions?status=failed").await.expect(200);
    let child =
        children["items"].as_array().unwrap().iter().find(|item| item["id"] != parent.as_str()).unwrap().clone();
    let child = service.get(&path(child["id"].as_str().unwrap())).await.expect(200);
    assert!(child["error"]["detail"].as_str().unwrap().contains("injected at rebuild_before_apply"), "{child}");
    nothing_is_left(&service).await;
}

async fn a_child_that_crashes_after_its_end_does_not_leave_its_parent_waiting(database: Database) {
    let gates = Gates::new();
    let service = start(database, "turn_after_append@3=panic");
    service.register("child", "1.0.0", json!([gates.task("alpha")])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    gates.open("alpha").await;
    assert_eq!(service.ended(&parent).await["status"], "succeeded");
    nothing_is_left(&service).await;
}

async fn a_parent_that_crashes_after_its_end_takes_its_children_along(database: Database) {
    let gates = Gates::new();
    let service = start(database, "turn_after_append@3=panic");
    service.register("child", "1.0.0", json!([gates.task("alpha")])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    let started = service.event(&parent, |event| event["type"] == "child_started").await;
    let child = started["data"]["child_id"].as_str().unwrap().to_owned();
    service.event(&child, |event| event["type"] == "effect_scheduled").await;
    // The answer is lost with the actor; asking again tells the outcome.
    service.post(&format!("{}/cancel", path(&parent)), &json!({})).await.problem(409, "wrong_state");
    assert_eq!(service.ended(&child).await["status"], "cancelled");
    nothing_is_left(&service).await;
}

/// The turns: the parent's start, the child's start, the end of the parent, and the child's, which crashes.
async fn a_child_that_crashes_over_its_cancellation_is_cancelled_all_the_same(database: Database) {
    let service = start(database, "turn_before_step@4=panic");
    service.register("child", "1.0.0", json!([super::long_wait()])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    let started = service.event(&parent, |event| event["type"] == "child_started").await;
    let child = started["data"]["child_id"].as_str().unwrap().to_owned();
    service.event(&child, |event| event["type"] == "execution_waiting").await;
    super::command(&service, &parent, "cancel", 202).await;
    let child = service.ended(&child).await;
    assert_eq!((&child["status"], &child["restarts"]), (&json!("cancelled"), &json!(1)), "{child}");
    nothing_is_left(&service).await;
}

async fn a_submission_that_crashes_is_refused_and_takes_no_slot(database: Database) {
    let service = Service::start_with(
        database,
        &[("store.failure_points", "turn_before_step=panic"), ("engine.max_running", "1")],
    );
    let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });
    service.post("/api/v1/executions", &body).await.problem(500, "internal");
    let id = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(service.ended(&id).await["status"], "succeeded");
    nothing_is_left(&service).await;
}

async fn an_effect_that_crashes_fails_its_task(database: Database) {
    let service = start(database, "effect_before_start=panic");
    let ask = json!([{ "ask": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } }]);
    let id = service.start_definition(ask.clone(), json!({})).await;
    let failed = service.ended(&id).await;
    assert_eq!((&failed["status"], &failed["restarts"]), (&json!("failed"), &json!(0)));
    assert!(failed["error"]["detail"].as_str().unwrap().contains("injected at effect_before_start"), "{failed}");
    let again = service.start_definition(ask, json!({})).await;
    assert_eq!(service.ended(&again).await["status"], "succeeded");
}

/// The store has committed what an execution decided, and the acknowledgement is lost.
async fn an_append_that_is_never_acknowledged_is_found_in_the_journal(database: Database) {
    let gates = Gates::new();
    for point in ["journal_after_commit@2=error", "journal_before_commit@2=error", "journal_before_begin@2=panic"] {
        let service = start(database, point);
        let tasks = json!([gates.task("alpha"), { "after": { "set": { "done": true } } }]);
        let before = gates.runs("alpha");
        let id = service.start_definition(tasks, json!({})).await;
        gates.open("alpha").await;
        let execution: Value = service.ended(&id).await;
        assert_eq!((&execution["status"], &execution["restarts"]), (&json!("succeeded"), &json!(0)), "{point}");
        assert_eq!(gates.runs("alpha") - before, 1, "{point}");
        journal(&service, &id).await;
        nothing_is_left(&service).await;
    }
}

/// A crash breaks a command off that does not listen, and the next attempt begins while the first is still being ended.
async fn a_command_that_is_slow_to_end_leaves_its_successor_alone(database: Database) {
    let gates = Gates::new();
    let points = ("store.failure_points", "turn_before_step@2=panic");
    let service = Service::start_with(database, &[points, ("effects.shell.grace_ms", "700")]);
    let pids = gates.pipe("x").with_extension("pids");
    let mut stubborn = gates.task("beta");
    let command = stubborn["beta"]["run"]["shell"]["command"].as_str().unwrap().to_owned();
    stubborn["beta"]["run"]["shell"]["command"] =
        json!(format!("trap '' TERM; echo $$ >> {}; {command}", pids.display()));
    let fork = json!([{ "both": { "fork": { "branches": [gates.task("alpha"), stubborn] } } }]);
    let id = service.start_definition(fork, json!({})).await;
    let started =
        || -> Vec<String> { std::fs::read_to_string(&pids).unwrap_or_default().lines().map(str::to_owned).collect() };
    while started().is_empty() {
        tokio::task::yield_now().await;
    }
    gates.open("alpha").await;
    // The first one ends by force in the end.
    while started().len() < 2 || std::path::Path::new("/proc").join(&started()[0]).exists() {
        tokio::task::yield_now().await;
    }
    gates.open("alpha").await;
    gates.open("beta").await;
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["restarts"]), (&json!("succeeded"), &json!(1)), "{ended}");
    nothing_is_left(&service).await;
}

/// The three appends: the start, the failure, and the retry, which is stored although nobody is told.
async fn a_retry_that_is_never_acknowledged_goes_on(database: Database) {
    let gates = Gates::new();
    let service = start(database, "journal_after_commit@3=error");
    let flaky = format!("test -e {0} || {{ touch {0}; exit 3; }}", gates.pipe("x").with_extension("seen").display());
    let tasks = json!([{ "flaky": { "run": { "shell": { "command": flaky } } } }, gates.mark("after")]);
    let id = service.start_definition(tasks, json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "failed");
    let (retry, key) = (format!("{}/retry", path(&id)), [("Idempotency-Key", "once")]);
    service.post_with(&retry, &key, &json!({})).await.problem(503, "store_unavailable");
    let again = service.post_with(&retry, &key, &json!({})).await.json()["id"].as_str().expect("an id").to_owned();
    let retried = service.ended(&again).await;
    assert_eq!(retried["status"], "succeeded", "{retried}");
    assert_eq!(gates.runs("after"), 1);
    nothing_is_left(&service).await;
}

async fn a_creation_that_is_never_acknowledged_goes_on_with_all_that_it_started(database: Database) {
    let gates = Gates::new();
    let service = start(database, "journal_after_commit=error");
    service.register("child", "1.0.0", json!([gates.mark("child")])).await;
    let child = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" }, "await": false });
    let mut beside = gates.mark("beside");
    beside["beside"]["run"]["await"] = json!(false);
    let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "sub": { "run": child } }, beside])) });
    service.post("/api/v1/executions", &body).await.problem(503, "store_unavailable");
    let succeeded = async || service.get("/api/v1/executions?status=succeeded").await.expect(200);
    while succeeded().await["items"].as_array().unwrap().len() < 2 || gates.runs("beside") < 1 {
        tokio::task::yield_now().await;
    }
    nothing_is_left(&service).await;
    assert_eq!((gates.runs("child"), gates.runs("beside")), (1, 1));
}
