//! An orderly end: no new work, running effects may finish, what is left goes on after the next start.

use super::gate::Gates;
use super::process::Process;
use super::{journal, long_wait, nothing_is_left, path};
use crate::live::client::Socket;
use crate::service::{Database, Service, definition};
use crate::with_both_databases;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

with_both_databases!(
    a_graceful_end_lets_effects_finish_and_the_rest_go_on,
    a_second_signal_ends_it_at_once,
    what_the_end_cuts_off_is_asked_again,
    the_last_log_lines_are_stored,
);

async fn a_graceful_end_lets_effects_finish_and_the_rest_go_on(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &["server.shutdown_grace_seconds=30"]);
    let running = service.start_definition(json!([gates.task("alpha"), gates.mark("beta")]), json!({})).await;
    let parked = service.start_definition(json!([long_wait()]), json!({})).await;
    service.event(&parked, |event| event["type"] == "execution_waiting").await;
    let mut socket = Socket::connect(&service, "/ws/executions").await;
    assert_eq!(socket.frame().await["type"], "hello");
    service.signal(Signal::SIGTERM);
    let body = json!({ "definition": definition("inline", "1.0.0", json!([gates.mark("gamma")])) });
    // Until the signal has arrived submissions are accepted.
    let mut accepted = Vec::new();
    loop {
        let answer = service.post("/api/v1/executions", &body).await;
        if answer.status.as_u16() == 503 {
            answer.problem(503, "shutting_down");
            break;
        }
        accepted.push(answer.expect(201)["id"].as_str().unwrap().to_owned());
    }
    gates.open("alpha").await;
    let goodbye = socket.until(|frame| frame["type"] == "goodbye").await;
    assert_eq!(goodbye["data"]["reason"], "shutting_down");
    assert!(goodbye["data"]["retry_after_ms"].is_u64());
    assert_eq!(socket.close_code().await, Some(1001));
    assert!(service.wait().success());
    assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 0), "nothing was started any more");

    service.resume(&[]);
    let ended = service.ended(&running).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 1));
    journal(&service, &running).await;
    for id in accepted {
        assert_eq!(service.ended(&id).await["status"], "succeeded");
    }
    assert_eq!(service.get(&path(&parked)).await.expect(200)["status"], "waiting");
    super::command(&service, &parked, "cancel", 202).await;
    nothing_is_left(&service).await;
}

async fn a_second_signal_ends_it_at_once(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &["server.shutdown_grace_seconds=600"]);
    let running = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    service.event(&running, |event| event["type"] == "effect_scheduled").await;
    service.signal(Signal::SIGTERM);
    let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });
    while service.post("/api/v1/executions", &body).await.status.as_u16() != 503 {}
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().code(), Some(130));
    service.resume(&[]);
    gates.open("alpha").await;
    assert_eq!(service.ended(&running).await["status"], "succeeded");
}

async fn what_the_end_cuts_off_is_asked_again(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &["server.shutdown_grace_seconds=1", "effects.shell.grace_ms=50"]);
    let names: Vec<String> = (0..12).map(|n| format!("gate{n}")).collect();
    let branches: Vec<Value> = names.iter().map(|name| gates.task(name)).collect();
    let id = service.start_definition(json!([{ "all": { "fork": { "branches": branches } } }]), json!({})).await;
    while names.iter().any(|name| gates.runs(name) < 1) {
        tokio::task::yield_now().await;
    }
    service.signal(Signal::SIGTERM);
    assert!(service.wait().success());
    service.resume(&[]);
    for name in &names {
        gates.open(name).await;
    }
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["restarts"]), (&json!("succeeded"), &json!(1)), "{ended}");
    assert_eq!(super::count(&journal(&service, &id).await, "effect_failed"), 0);
    nothing_is_left(&service).await;
}

async fn the_last_log_lines_are_stored(database: Database) {
    let mut service = Service::start(database);
    let lines = 300;
    let command = format!("for n in $(seq {lines}); do echo line $n >&2; done");
    let id =
        service.start_definition(json!([{ "talk": { "run": { "shell": { "command": command } } } }]), json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "succeeded");
    service.restart();
    let log = service.get(&format!("{}/logs?limit=500", path(&id))).await.expect(200);
    let messages: Vec<String> =
        log["items"].as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(messages, (1..=lines).map(|n| format!("line {n}")).collect::<Vec<_>>());
}
