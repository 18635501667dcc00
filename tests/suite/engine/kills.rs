//! `kill -9`: what was accepted goes on after the next start, and what was done is not done again.

use super::gate::Gates;
use super::process::Process;
use super::{command, count, journal, long_wait, nothing_is_left, path, queue_until};
use crate::service::{Client, Database, definition};
use crate::with_both_databases;
use callboard::failure_points::FailurePoint;
use reqwest::Method;
use serde_json::{Value, json};

with_both_databases!(
    everything_open_goes_on_after_a_kill,
    a_child_that_ended_unseen_lets_its_parent_go_on,
    a_child_whose_parent_has_ended_is_cancelled,
    every_named_point_is_survived,
    an_effect_that_nobody_waits_for_is_performed_all_the_same,
);

async fn everything_open_goes_on_after_a_kill(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &["engine.max_running=2", "engine.passivate_after_ms=10"]);
    let waiting =
        service.start_definition(json!([{ "nap": { "wait": { "seconds": 2 } } }, gates.mark("woke")]), json!({})).await;
    service.event(&waiting, |event| event["type"] == "execution_waiting").await;
    let paused = service.start_definition(json!([long_wait()]), json!({})).await;
    service.event(&paused, |event| event["type"] == "execution_waiting").await;
    command(&service, &paused, "pause", 202).await;
    let delayed = start_later(&service, 2).await;
    service.register("child", "1.0.0", json!([gates.task("beta")])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    let running = service.start_definition(json!([gates.mark("once"), gates.task("alpha")]), json!({})).await;
    service.event(&running, |event| event["type"] == "effect_scheduled" && event["task"] == "/do/1/alpha").await;
    queue_until(&service, |queue| queue["running"] == 2).await;
    let pending = service.start_definition(json!([gates.mark("late")]), json!({})).await;
    assert_eq!(service.get(&path(&pending)).await.expect(200)["status"], "pending");

    service.kill();
    service.resume(&[]);

    assert_eq!(service.get(&path(&paused)).await.expect(200)["status"], "paused");
    gates.open("alpha").await;
    gates.open("beta").await;
    for (id, restarts) in [(&waiting, 1), (&delayed, 0), (&parent, 1), (&running, 1), (&pending, 0)] {
        let execution = service.ended(id).await;
        assert_eq!(execution["status"], "succeeded", "{execution}");
        assert_eq!(execution["restarts"], restarts, "{execution}");
        let events = journal(&service, id).await;
        assert_eq!(count(&events, "execution_started"), 1);
    }
    let recovered = service.get(&path(&running)).await.expect(200);
    assert_eq!(recovered["last_crash"], "the service was restarted");
    assert!(recovered["recovered_in_ms"].is_u64());
    for mark in ["once", "woke", "late"] {
        assert_eq!(gates.runs(mark), 1, "{mark}");
    }
    assert_eq!(command(&service, &paused, "resume", 202).await["status"], "waiting");
    command(&service, &paused, "cancel", 202).await;
    nothing_is_left(&service).await;
}

async fn start_later(client: &Client, seconds: u64) -> String {
    let start_at = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + seconds;
    let start_at = jiff::Timestamp::from_second(i64::try_from(start_at).unwrap()).unwrap().to_string();
    let definition = definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }]));
    let body = json!({ "definition": definition, "start_at": start_at });
    let accepted = client.post("/api/v1/executions", &body).await.expect(201);
    assert_eq!(accepted["status"], "pending");
    accepted["id"].as_str().unwrap().to_owned()
}

async fn a_child_that_ended_unseen_lets_its_parent_go_on(database: Database) {
    let gates = Gates::new();
    // Parent and child take a turn each; the third is the child's end.
    let mut service = Process::start(database, &[]);
    service.register("child", "1.0.0", json!([gates.task("alpha")])).await;
    service.kill();
    service.resume(&["store.failure_points=turn_after_append@3=abort"]);
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    gates.open("alpha").await;
    service.wait();
    service.resume(&[]);
    let ended = service.ended(&parent).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    assert_eq!(gates.runs("alpha"), 1);
    journal(&service, &parent).await;
    nothing_is_left(&service).await;
}

async fn a_child_whose_parent_has_ended_is_cancelled(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &[]);
    service.register("child", "1.0.0", json!([gates.task("alpha")])).await;
    service.kill();
    // Parent and child take a turn each; the third is the parent's cancellation.
    service.resume(&["store.failure_points=turn_after_append@3=abort"]);
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    let started = service.event(&parent, |event| event["type"] == "child_started").await;
    let child = started["data"]["child_id"].as_str().unwrap().to_owned();
    service.event(&child, |event| event["type"] == "effect_scheduled").await;
    let cancel = service.request(Method::POST, &format!("{}/cancel", path(&parent))).send().await;
    assert!(cancel.is_err(), "the service ended before it could answer");
    service.wait();
    service.resume(&[]);
    assert_eq!(service.ended(&parent).await["status"], "cancelled");
    assert_eq!(service.ended(&child).await["status"], "cancelled");
    nothing_is_left(&service).await;
}

/// The process ends at each point, some work into its life; then it goes on.
async fn every_named_point_is_survived(database: Database) {
    let mut service = Process::start(database, &["engine.max_running=4", "engine.passivate_after_ms=10"]);
    for point in FailurePoint::ALL {
        service.kill();
        service.resume(&[&format!("store.failure_points={}@9=abort", point.as_str())]);
        let accepted = work_until_it_ends(&service).await;
        service.wait();
        service.resume(&[]);
        for id in accepted {
            let execution = service.ended(&id).await;
            assert_eq!(execution["status"], "succeeded", "{}: {execution}", point.as_str());
            journal(&service, &id).await;
        }
        nothing_is_left(&service).await;
    }
}

/// Submits until the service is gone; what it has acknowledged.
async fn work_until_it_ends(client: &Client) -> Vec<String> {
    let ask = |name: &str| json!({ name: { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } });
    let tasks = json!([ask("one"), { "nap": { "wait": { "milliseconds": 200 } } }, ask("two")]);
    let body = json!({ "definition": definition("inline", "1.0.0", tasks) });
    let mut accepted = Vec::new();
    // Nothing is published while nobody watches.
    let Ok(_watching) = client.request(Method::GET, "/api/v1/executions/stream").send().await else { return accepted };
    loop {
        let submission = client.request(Method::POST, "/api/v1/executions").json(&body);
        let Ok(answer) = submission.send().await else { return accepted };
        let Ok(execution) = answer.json::<Value>().await else { return accepted };
        let Some(id) = execution["id"].as_str() else { continue };
        accepted.push(id.to_owned());
        // A write that is not an append.
        let urgent = client.request(Method::PUT, &path(id)).json(&json!({ "priority": 7 }));
        if urgent.send().await.is_err() {
            return accepted;
        }
    }
}

async fn an_effect_that_nobody_waits_for_is_performed_all_the_same(database: Database) {
    let gates = Gates::new();
    let mut beside = gates.task("alpha");
    beside["alpha"]["run"]["await"] = json!(false);
    let body = json!({ "definition": definition("inline", "1.0.0", json!([beside])) });
    // Killed between the commit and the start of the effect: nobody is answered, and the effect comes with the next start.
    let mut service = Process::start(database, &["store.failure_points=turn_after_append=abort"]);
    assert!(service.request(Method::POST, "/api/v1/executions").json(&body).send().await.is_err());
    service.wait();
    service.resume(&["store.failure_points="]);
    gates.open("alpha").await;
    assert_eq!(gates.runs("alpha"), 1);

    // Killed while it runs, after the end of its execution.
    let id = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(service.ended(&id).await["status"], "succeeded");
    while gates.runs("alpha") < 2 {
        tokio::task::yield_now().await;
    }
    service.kill();
    service.resume(&["store.failure_points="]);
    gates.open("alpha").await;
    assert_eq!(gates.runs("alpha"), 3);

    // What has ended is not performed again.
    let done = "callboard_effects_total{kind=\"shell\",outcome=\"completed\"} 1";
    while !service.get("/metrics").await.text.contains(done) {}
    let other = json!([{ "a": { "set": { "x": 1 } } }]);
    let other_id = service.start_definition(other.clone(), json!({})).await;
    service.ended(&other_id).await;
    service.kill();
    service.resume(&["store.failure_points="]);
    let other_id = service.start_definition(other, json!({})).await;
    service.ended(&other_id).await;
    assert_eq!(gates.runs("alpha"), 3);
    nothing_is_left(&service).await;
}
