//! Cancel, pause and resume, wherever the execution is: in the queue, parked without an actor, at work, about to end.

use super::gate::{Gates, closed, first_line};
use super::{command, count, journal, long_wait, nothing_is_left, path, queue_until};
use crate::service::{Database, Service, definition};
use crate::with_both_databases;
use futures_util::future::join_all;
use serde_json::{Value, json};

with_both_databases!(
    a_pending_execution_refuses_what_it_cannot_do_and_still_starts,
    a_pending_or_delayed_execution_can_be_cancelled,
    a_parked_execution_obeys_without_an_actor,
    an_execution_that_leaves_memory_obeys_without_a_slot,
    commands_are_answered_although_no_slot_is_free,
    a_paused_execution_keeps_the_result_of_its_running_effect,
    a_command_that_races_with_the_end_is_either_done_or_refused,
    a_cancelled_shell_task_leaves_no_process,
    children_do_not_outlive_a_cancelled_parent,
    a_retry_repeats_only_what_failed,
    a_retry_whose_secret_is_gone_fails_and_says_why,
    names_may_be_very_long,
    changed_labels_are_seen_and_inherited,
);

async fn a_pending_execution_refuses_what_it_cannot_do_and_still_starts(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.passivate_after_ms", "1")]);
    let first = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let second = service.start_definition(json!([gates.mark("beta")]), json!({})).await;
    for word in ["pause", "resume", "pause"] {
        let problem = service.post(&format!("{}/{word}", path(&second)), &json!({})).await.problem(409, "wrong_state");
        assert!(problem["detail"].as_str().unwrap().contains("pending"), "{problem}");
    }
    gates.open("alpha").await;
    for id in [&first, &second] {
        assert_eq!(service.ended(id).await["status"], "succeeded");
    }
    assert_eq!(gates.runs("beta"), 1);
    nothing_is_left(&service).await;
}

async fn a_pending_or_delayed_execution_can_be_cancelled(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1")]);
    let first = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let pending = service.start_definition(json!([gates.mark("beta")]), json!({})).await;
    let body = json!({
        "definition": definition("inline", "1.0.0", json!([gates.mark("beta")])), "start_at": "2100-01-01T00:00:00Z",
    });
    let delayed = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned();
    for id in [&pending, &delayed] {
        assert_eq!(command(&service, id, "cancel", 202).await["status"], "cancelled");
        let problem = service.post(&format!("{}/cancel", path(id)), &json!({})).await.problem(409, "wrong_state");
        assert!(problem["detail"].as_str().unwrap().contains("cancelled"), "{problem}");
    }
    gates.open("alpha").await;
    assert_eq!(service.ended(&first).await["status"], "succeeded");
    nothing_is_left(&service).await;
    assert_eq!(gates.runs("beta"), 0);
}

async fn a_parked_execution_obeys_without_an_actor(database: Database) {
    let service = Service::start_with(database, &[("engine.passivate_after_ms", "1")]);
    let id = service.start_definition(json!([long_wait()]), json!({})).await;
    for (word, status) in [("pause", "paused"), ("resume", "waiting"), ("pause", "paused")] {
        queue_until(&service, |queue| queue["parked"] == 1 && queue["running"] == 0).await;
        assert_eq!(command(&service, &id, word, 202).await["status"], status);
        service.post(&format!("{}/{word}", path(&id)), &json!({})).await.problem(409, "wrong_state");
    }
    queue_until(&service, |queue| queue["parked"] == 1).await;
    assert_eq!(command(&service, &id, "cancel", 202).await["status"], "cancelled");
    let execution = service.get(&path(&id)).await.expect(200);
    assert_eq!(execution["restarts"], 0);
    nothing_is_left(&service).await;
}

/// A command may meet an execution in the moment in which it leaves memory; it does not wait for a slot then either.
async fn an_execution_that_leaves_memory_obeys_without_a_slot(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.passivate_after_ms", "1")]);
    let id = service.start_definition(json!([long_wait()]), json!({})).await;
    queue_until(&service, |queue| queue["running"] == 0).await;
    let holder = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    for _ in 0..100 {
        assert_eq!(command(&service, &id, "pause", 202).await["status"], "paused");
        assert_eq!(command(&service, &id, "resume", 202).await["status"], "waiting");
    }
    assert_eq!(command(&service, &id, "cancel", 202).await["status"], "cancelled");
    gates.open("alpha").await;
    assert_eq!(service.ended(&holder).await["status"], "succeeded");
    nothing_is_left(&service).await;
}

/// Whatever an execution is doing (it waits, leaves memory, is woken by a timer or a child, queues), whoever commands it is
/// answered while somebody else holds the only slot.
async fn commands_are_answered_although_no_slot_is_free(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.passivate_after_ms", "1")]);
    service.register("child", "1.0.0", json!([{ "brief": { "wait": { "milliseconds": 30 } } }, long_wait()])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let nap = json!({ "nap": { "wait": { "milliseconds": 20 } } });
    let naps = json!([{ "again": { "for": { "in": "${ [range(8)] }" }, "do": [nap] } }, long_wait()]);
    let kinds = [json!([long_wait()]), json!([{ "sub": { "run": run } }]), naps];
    let mut ids = Vec::new();
    for tasks in kinds.iter().cycle().take(18) {
        ids.push(service.start_definition(tasks.clone(), json!({})).await);
    }
    for id in &ids {
        service.event(id, |event| event["type"] == "execution_started").await;
    }
    let holder = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    service.event(&holder, |event| event["type"] == "effect_scheduled").await;
    let service = &service;
    let work = ids.chunks(3).map(|ids| async move {
        for (round, word) in ["pause", "resume"].iter().cycle().take(60).enumerate() {
            let answer = service.post(&format!("{}/{word}", path(&ids[round / 2 % 3])), &json!({})).await;
            assert!(matches!(answer.status.as_u16(), 202 | 409), "{answer:?}");
        }
        for id in ids {
            assert_eq!(command(service, id, "cancel", 202).await["status"], "cancelled");
        }
    });
    join_all(work).await;
    gates.open("alpha").await;
    assert_eq!(service.ended(&holder).await["status"], "succeeded");
    nothing_is_left(service).await;
}

async fn a_paused_execution_keeps_the_result_of_its_running_effect(database: Database) {
    let gates = Gates::new();
    let service = Service::start(database);
    let id = service.start_definition(json!([gates.task("alpha"), gates.mark("beta")]), json!({})).await;
    service.event(&id, |event| event["type"] == "effect_scheduled").await;
    assert_eq!(command(&service, &id, "pause", 202).await["status"], "paused");
    gates.open("alpha").await;
    service.event(&id, |event| event["type"] == "effect_completed").await;
    assert_eq!(service.get(&path(&id)).await.expect(200)["status"], "paused");
    assert_eq!(gates.runs("beta"), 0);
    command(&service, &id, "resume", 202).await;
    assert_eq!(service.ended(&id).await["status"], "succeeded");
    assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 1));
    nothing_is_left(&service).await;
}

async fn a_command_that_races_with_the_end_is_either_done_or_refused(database: Database) {
    let service = Service::start(database);
    let ask = json!([{ "ask": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } }]);
    for round in 0..30 {
        let id = service.start_definition(ask.clone(), json!({})).await;
        let cancel = format!("{}/cancel", path(&id));
        let nothing = json!({});
        let (one, two) = tokio::join!(service.post(&cancel, &nothing), service.post(&cancel, &nothing));
        let ended = service.ended(&id).await;
        let answers = [one.status.as_u16(), two.status.as_u16()];
        match ended["status"].as_str().unwrap() {
            "succeeded" => assert_eq!(answers, [409, 409], "round {round}"),
            "cancelled" => assert!(answers.contains(&202) && answers.contains(&409), "round {round}: {answers:?}"),
            other => panic!("{other}"),
        }
        let ends = ["execution_completed", "execution_cancelled", "execution_failed"];
        let events = journal(&service, &id).await;
        assert_eq!(ends.iter().map(|end| count(&events, end)).sum::<usize>(), 1, "{events:?}");
    }
    nothing_is_left(&service).await;
}

/// The command and a grandchild of it ignore the polite signal; the pipe closes when the last of them is gone.
async fn a_cancelled_shell_task_leaves_no_process(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("effects.shell.grace_ms", "50")]);
    let pipe = gates.pipe("alive");
    let command_line = format!(
        "exec 9> {}; trap '' TERM INT HUP; sh -c 'sleep 3600; sleep 3600' & echo started >&9; wait; sleep 3600",
        pipe.display()
    );
    let tasks = json!([{ "stubborn": { "run": { "shell": { "command": command_line } } } }]);
    let id = service.start_definition(tasks, json!({})).await;
    let alive = first_line(pipe).await;
    assert_eq!(command(&service, &id, "cancel", 202).await["status"], "cancelled");
    closed(alive).await;
    nothing_is_left(&service).await;
}

async fn children_do_not_outlive_a_cancelled_parent(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.passivate_after_ms", "1"), ("engine.max_running", "1")]);
    let pipe = gates.pipe("alive");
    let shell = format!("exec 9> {}; echo started >&9; sleep 3600", pipe.display());
    service.register("child", "1.0.0", json!([{ "work": { "run": { "shell": { "command": shell } } } }])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let parent = service.start_definition(json!([{ "sub": { "run": run } }]), json!({})).await;
    let started = service.event(&parent, |event| event["type"] == "child_started").await;
    let child = started["data"]["child_id"].as_str().unwrap().to_owned();
    let alive = first_line(pipe).await;
    queue_until(&service, |queue| queue["parked"] == 1).await;
    command(&service, &parent, "cancel", 202).await;
    let ended: Value = service.ended(&child).await;
    assert_eq!(ended["status"], "cancelled", "{ended}");
    closed(alive).await;
    nothing_is_left(&service).await;
}

async fn a_retry_repeats_only_what_failed(database: Database) {
    let gates = Gates::new();
    let service = Service::start(database);
    let flaky = format!("test -e {0} || {{ touch {0}; exit 3; }}", gates.pipe("x").with_extension("seen").display());
    let tasks = json!([
        gates.mark("alpha"), { "flaky": { "run": { "shell": { "command": flaky } } } }, gates.mark("beta"),
    ]);
    let id = service.start_definition(tasks, json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "failed");
    let retry = command(&service, &id, "retry", 202).await["id"].as_str().unwrap().to_owned();
    assert_ne!(retry, id);
    let retried = service.ended(&retry).await;
    assert_eq!(retried["status"], "succeeded", "{retried}");
    assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 1));
    service.post(&format!("{}/retry", path(&retry)), &json!({})).await.problem(409, "wrong_state");
    let rerun = command(&service, &id, "rerun", 202).await["id"].as_str().unwrap().to_owned();
    assert_eq!(service.ended(&rerun).await["status"], "succeeded");
    assert_eq!((gates.runs("alpha"), gates.runs("beta")), (2, 2));

    // What was cancelled in the middle of a wait goes on with it.
    let tasks = json!([gates.mark("gamma"), { "nap": { "wait": { "seconds": 1 } } }, gates.mark("delta")]);
    let id = service.start_definition(tasks, json!({})).await;
    service.event(&id, |event| event["type"] == "execution_waiting").await;
    command(&service, &id, "cancel", 202).await;
    let retry = command(&service, &id, "retry", 202).await["id"].as_str().unwrap().to_owned();
    assert_eq!(service.ended(&retry).await["status"], "succeeded");
    assert_eq!((gates.runs("gamma"), gates.runs("delta")), (1, 1));
    nothing_is_left(&service).await;
}

/// The retry takes over an effect that it cannot ask for any more.
async fn a_retry_whose_secret_is_gone_fails_and_says_why(database: Database) {
    let service = Service::start(database);
    let secret = "/api/v1/secrets/pass";
    service.put(secret, &json!({ "value": "a-secret-value" })).await.expect(201);
    let shell = json!({ "command": "exit 3", "environment": { "PASS": "${ $secrets.pass }" } });
    let mut definition = definition("inline", "1.0.0", json!([{ "use": { "run": { "shell": shell } } }]));
    definition["use"] = json!({ "secrets": ["pass"] });
    let body = json!({ "definition": definition });
    let id = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(service.ended(&id).await["status"], "failed");
    service.delete(secret).await.expect(204);
    let retry = command(&service, &id, "retry", 202).await["id"].as_str().unwrap().to_owned();
    let retried = service.ended(&retry).await;
    assert_eq!(retried["status"], "failed", "{retried}");
    assert!(retried["error"]["detail"].as_str().unwrap().contains("'pass' does not exist"), "{retried}");
    nothing_is_left(&service).await;
}

async fn names_may_be_very_long(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.passivate_after_ms", "1")]);
    service.register("child", "1.0.0", json!([gates.mark("child")])).await;
    // Digests cannot be compressed, and the last character has four bytes.
    let long: String = (0..15).map(|n| callboard::store::digest(&[n])).chain(["\u{1f9f5}".to_owned()]).collect();
    let mut beside = json!({ "run": { "shell": gates.mark("beside")["beside"]["run"]["shell"], "await": false } });
    for _ in 0..4 {
        beside = json!({ "do": [{ &long: beside }] });
    }
    let sub = json!({ "run": { "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } } });
    let ask = json!({ "call": "agent", "with": { "agent": "echo", "prompt": "hi" } });
    let nap = json!({ "wait": { "milliseconds": 50 } });
    let inner = json!([{ &long: nap }, { format!("{long}2"): sub }, { format!("{long}3"): ask }]);
    let tasks = json!([{ &long: beside }, { format!("{long}2"): { "try": inner, "catch": {} } }]);
    let id = service.start_definition(tasks, json!({})).await;
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!("hi")), "{ended}");
    nothing_is_left(&service).await;
    while gates.runs("beside") < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!((gates.runs("child"), gates.runs("beside")), (1, 1));
}

async fn changed_labels_are_seen_and_inherited(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.passivate_after_ms", "1")]);
    service.register("child", "1.0.0", json!([long_wait()])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } });
    let tasks = |name: &str| json!([gates.task(name), { "sub": { "run": run } }]);
    let running = service.start_definition(tasks("alpha"), json!({})).await;
    let pending = service.start_definition(tasks("beta"), json!({})).await;
    for (id, gate) in [(&running, "alpha"), (&pending, "beta")] {
        let change = json!({ "labels": { "team": gate }, "priority": 7 });
        service.put(&path(id), &change).await.expect(200);
    }
    for (id, gate) in [(&running, "alpha"), (&pending, "beta")] {
        gates.open(gate).await;
        let started = service.event(id, |event| event["type"] == "child_started").await;
        let child = path(started["data"]["child_id"].as_str().unwrap());
        let child = service.get(&child).await.expect(200);
        assert_eq!((&child["labels"], &child["priority"]), (&json!({ "team": gate }), &json!(7)), "{child}");
        let answer = command(&service, id, "pause", 202).await;
        assert_eq!((&answer["labels"], &answer["priority"]), (&json!({ "team": gate }), &json!(7)), "{answer}");
        command(&service, id, "cancel", 202).await;
    }
    nothing_is_left(&service).await;
}
