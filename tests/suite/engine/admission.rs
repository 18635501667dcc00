//! Admission: who runs next, and that slots come back.

use super::gate::Gates;
use super::{command, long_wait, nothing_is_left, path, queue_until};
use crate::service::{Database, Service, definition};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(
    the_urgent_come_first_and_a_full_queue_refuses,
    a_delayed_execution_takes_its_place_in_the_queue,
    a_parked_execution_needs_no_slot,
    parents_and_children_share_one_slot,
    woken_executions_wait_for_a_slot,
    one_that_waits_for_a_slot_obeys_at_once,
    nothing_is_left_of_many_executions,
);

async fn submit(service: &Service, tasks: Value, more: Value) -> String {
    let mut body = json!({ "definition": definition("inline", "1.0.0", tasks) });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

/// Ids in the order in which they were started.
async fn by_start(service: &Service, ids: &[&String]) -> Vec<String> {
    let mut started = Vec::new();
    for id in ids {
        let execution = service.ended(id).await;
        assert_eq!(execution["status"], "succeeded");
        started.push((execution["started_at"].as_str().unwrap().to_owned(), (*id).clone()));
    }
    started.sort();
    started.into_iter().map(|(_, id)| id).collect()
}

async fn the_urgent_come_first_and_a_full_queue_refuses(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.max_queued", "4")]);
    let holder = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let task = || json!([{ "a": { "set": { "x": 1 } } }]);
    let low = submit(&service, task(), json!({ "priority": 1 })).await;
    let high = submit(&service, task(), json!({ "priority": 9 })).await;
    let middle = submit(&service, task(), json!({ "priority": 5 })).await;
    let later = submit(&service, task(), json!({ "priority": 5 })).await;
    let body = json!({ "definition": definition("inline", "1.0.0", task()) });
    let refused = service.post("/api/v1/executions", &body).await;
    assert!(refused.header("retry-after").is_some_and(|after| after.parse::<u64>().is_ok_and(|after| after > 0)));
    refused.problem(429, "queue_full");
    let raised = service.put(&path(&later), &json!({ "priority": 8 })).await.expect(200);
    assert_eq!(raised["priority"], 8);
    let queue = service.get("/api/v1/queue").await.expect(200);
    assert_eq!(queue["head"]["execution_id"], high.as_str());
    gates.open("alpha").await;
    let order = by_start(&service, &[&holder, &low, &high, &middle, &later]).await;
    assert_eq!(order, [holder, high, later, middle, low]);
    nothing_is_left(&service).await;
}

async fn a_delayed_execution_takes_its_place_in_the_queue(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1")]);
    let holder = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let task = || json!([{ "a": { "set": { "x": 1 } } }]);
    let soon = jiff::Timestamp::from_millisecond(
        i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + 300,
    );
    let delayed = submit(&service, task(), json!({ "priority": 2, "start_at": soon.unwrap().to_string() })).await;
    let urgent = submit(&service, task(), json!({ "priority": 6 })).await;
    queue_until(&service, |queue| queue["pending"] == 2).await;
    gates.open("alpha").await;
    assert_eq!(by_start(&service, &[&holder, &delayed, &urgent]).await, [holder, urgent, delayed]);
    nothing_is_left(&service).await;
}

async fn a_parked_execution_needs_no_slot(database: Database) {
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.passivate_after_ms", "1")]);
    let parked = service.start_definition(json!([long_wait()]), json!({})).await;
    service.event(&parked, |event| event["type"] == "execution_waiting").await;
    let other = service.start_definition(json!([{ "a": { "set": { "x": 1 } } }]), json!({})).await;
    assert_eq!(service.ended(&other).await["status"], "succeeded");
    command(&service, &parked, "cancel", 202).await;
    nothing_is_left(&service).await;
}

async fn parents_and_children_share_one_slot(database: Database) {
    let service = Service::start_with(database, &[("engine.max_running", "1"), ("engine.passivate_after_ms", "1")]);
    service.register("leaf", "1.0.0", json!([{ "a": { "set": { "leaf": true } } }])).await;
    let run = |name: &str| json!({ "run": { "workflow": { "namespace": "tests", "name": name, "version": "1.0.0" } } });
    service.register("branch", "1.0.0", json!([{ "one": run("leaf") }, { "two": run("leaf") }])).await;
    let mut roots = Vec::new();
    for _ in 0..3 {
        let fork = json!([{ "both": { "fork": { "branches": [{ "l": run("branch") }, { "r": run("branch") }] } } }]);
        roots.push(service.start_definition(fork, json!({})).await);
    }
    for root in &roots {
        let ended = service.ended(root).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
    }
    nothing_is_left(&service).await;
}

/// All wake at about the same time; only one runs.
async fn woken_executions_wait_for_a_slot(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1")]);
    let mut ids = Vec::new();
    for _ in 0..5 {
        let tasks = json!([{ "nap": { "wait": { "milliseconds": 300 } } }, gates.task("alpha")]);
        ids.push(service.start_definition(tasks, json!({})).await);
    }
    queue_until(&service, |queue| {
        assert!(queue["running"].as_u64() <= Some(1), "{queue}");
        queue["woken"] == 4
    })
    .await;
    for woken in [3, 2, 1, 0, 0] {
        gates.open("alpha").await;
        queue_until(&service, |queue| {
            assert!(queue["running"].as_u64() <= Some(1), "{queue}");
            queue["woken"] == woken
        })
        .await;
    }
    for id in &ids {
        assert_eq!(service.ended(id).await["status"], "succeeded");
    }
    nothing_is_left(&service).await;
}

/// Woken while another holds the only slot, whether its actor still lives or not.
async fn one_that_waits_for_a_slot_obeys_at_once(database: Database) {
    let gates = Gates::new();
    for passivate_after_ms in ["1", "60000"] {
        let settings = [("engine.max_running", "1"), ("engine.passivate_after_ms", passivate_after_ms)];
        let service = Service::start_with(database, &settings);
        let tasks = json!([{ "nap": { "wait": { "milliseconds": 300 } } }, gates.mark("beta")]);
        let woken = service.start_definition(tasks, json!({})).await;
        service.event(&woken, |event| event["type"] == "execution_waiting").await;
        let holder = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
        queue_until(&service, |queue| queue["woken"] == 1).await;
        assert_eq!(command(&service, &woken, "pause", 202).await["status"], "paused");
        assert_eq!(command(&service, &woken, "cancel", 202).await["status"], "cancelled");
        gates.open("alpha").await;
        assert_eq!(service.ended(&holder).await["status"], "succeeded");
        nothing_is_left(&service).await;
    }
    assert_eq!(gates.runs("beta"), 0);
}

async fn nothing_is_left_of_many_executions(database: Database) {
    let service = Service::start_with(database, &[("engine.max_running", "16")]);
    let tasks = json!([
        { "ask": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } },
        { "nap": { "wait": { "milliseconds": 5 } } },
        { "a": { "set": { "x": 1 } } },
    ]);
    let id = service.register("many", "1.0.0", tasks).await;
    let mut ids = Vec::new();
    for _ in 0..300 {
        let body = json!({ "workflow_id": id });
        ids.push(service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned());
    }
    for id in &ids {
        assert_eq!(service.ended(id).await["status"], "succeeded");
    }
    nothing_is_left(&service).await;
}
