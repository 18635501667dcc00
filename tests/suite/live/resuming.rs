//! Clients that come back with a cursor: no loss, no repetition, also when the service was killed in between.

use super::client::Socket;
use crate::engine::process::Process;
use crate::service::Database;
use crate::with_both_databases;
use serde_json::{Value, json};
use std::collections::HashMap;

with_both_databases!(
    the_feed_of_one_execution_goes_on_after_a_kill,
    the_global_feed_goes_on_after_a_kill,
    updates_are_conflated_and_the_last_state_arrives,
);

fn naps(count: usize) -> Value {
    let tasks = (0..count).map(|n| json!({ format!("nap{n}"): { "wait": { "milliseconds": 20 } } }));
    Value::Array(tasks.collect())
}

async fn the_feed_of_one_execution_goes_on_after_a_kill(database: Database) {
    let mut service = Process::start(database, &[]);
    let id = service.start_definition(naps(60), json!({})).await;
    let mut seq = 0;
    let mut ended = false;
    for round in 0..4 {
        let mut socket = Socket::connect(&service, &format!("/ws/executions/{id}?after={seq}")).await;
        let mut left = if round == 3 { usize::MAX } else { 20 };
        while left > 0 && !ended {
            let frame = socket.until(|frame| frame["type"] == "execution_event").await;
            seq += 1;
            left -= 1;
            assert_eq!(frame["seq"], seq, "{frame}");
            ended = frame["data"]["type"] == "execution_completed";
        }
        if !ended {
            service.kill();
            service.resume(&[]);
        }
    }
    assert!(ended);
}

async fn the_global_feed_goes_on_after_a_kill(database: Database) {
    let mut service = Process::start(database, &[]);
    let mut ids = Vec::new();
    let mut cursor = 0;
    let mut states: HashMap<String, String> = HashMap::new();
    for _ in 0..3 {
        for _ in 0..5 {
            ids.push(service.start_definition(naps(3), json!({})).await);
        }
        let mut socket = Socket::connect(&service, &format!("/ws/executions?after={cursor}")).await;
        for _ in 0..6 {
            // All of them may have ended before the socket was there: then no more than their last states come.
            if have_ended(&ids, &states) {
                break;
            }
            note(&socket.until(|frame| frame["type"] == "execution_update").await, &mut cursor, &mut states);
        }
        service.kill();
        service.resume(&[]);
    }
    let mut socket = Socket::connect(&service, &format!("/ws/executions?after={cursor}")).await;
    while !have_ended(&ids, &states) {
        note(&socket.until(|frame| frame["type"] == "execution_update").await, &mut cursor, &mut states);
    }
}

fn have_ended(ids: &[String], states: &HashMap<String, String>) -> bool {
    ids.iter().all(|id| states.get(id).is_some_and(|status| status == "succeeded"))
}

fn note(frame: &Value, cursor: &mut u64, states: &mut HashMap<String, String>) {
    let position = frame["position"].as_u64().unwrap();
    assert!(position > *cursor, "{frame} after {cursor}");
    *cursor = position;
    let text = |field: &str| frame["data"][field].as_str().unwrap().to_owned();
    states.insert(text("id"), text("status"));
}

async fn updates_are_conflated_and_the_last_state_arrives(database: Database) {
    let service = Process::start(database, &["live.conflation_ms=500"]);
    let mut socket = Socket::connect(&service, "/ws/executions").await;
    socket.frame().await;
    let id = service.start_definition(naps(40), json!({})).await;
    let mut updates = 0;
    let last = loop {
        let frame = socket.until(|frame| frame["type"] == "execution_update").await;
        updates += 1;
        if frame["data"]["status"] == "succeeded" {
            break frame;
        }
    };
    assert_eq!(last["data"]["id"], id.as_str());
    let commits = service.ended(&id).await["last_seq"].as_u64().unwrap() / 4;
    assert!(updates <= commits / 2, "{updates} updates of {commits} commits");
}
