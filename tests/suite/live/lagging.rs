//! Subscribers that do not read: they cost the others nothing and miss nothing.

use super::client::Socket;
use crate::engine::nothing_is_left;
use crate::service::{Database, Service};
use crate::with_both_databases;
use callboard::actors::Scope;
use callboard::domain::TenantId;
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};

with_both_databases!(
    a_subscriber_that_did_not_read_catches_up_completely,
    an_event_stream_that_was_not_read_catches_up_completely,
    many_subscribers_see_the_same_end,
    subscribers_that_barely_keep_up_are_never_left_behind,
    the_feed_of_a_deleted_execution_ends,
);

/// Some 20 MB of events: more than the buffers of a connection hold.
fn chatty() -> Value {
    let body = json!([{ "a": { "set": { "text": "${ \"x\" * 20000 }", "n": "${ $item }" } } }, { "nap": { "wait": { "milliseconds": 1 } } }]);
    json!([{ "each": { "for": { "in": "${ [range(300)] }" }, "do": body } }])
}

async fn a_subscriber_that_did_not_read_catches_up_completely(database: Database) {
    let service = Service::start_with(database, &[("live.mailbox", "4")]);
    let id = service.start_definition(chatty(), json!({})).await;
    let mut stuck = Socket::connect(&service, &format!("/ws/executions/{id}")).await;
    let mut reading = Socket::connect(&service, &format!("/ws/executions/{id}")).await;
    let ends = |frame: &Value| frame["type"] == "execution_event" && frame["data"]["type"] == "execution_completed";
    let last = reading.until(ends).await["seq"].as_u64().unwrap();
    let mut seq = 0;
    let mut resyncs = 0;
    while seq < last {
        let frame = stuck.frame().await;
        match frame["type"].as_str() {
            Some("execution_event") => {
                seq += 1;
                assert_eq!(frame["seq"], seq);
            }
            Some("resync") => {
                resyncs += 1;
                assert_eq!((&frame["data"]["reason"], &frame["data"]["from"]), (&json!("lagging"), &json!(seq)));
            }
            _ => {}
        }
    }
    assert!(resyncs > 0, "it never lagged: the test proves nothing");
    nothing_is_left(&service).await;
}

async fn an_event_stream_that_was_not_read_catches_up_completely(database: Database) {
    let service = Service::start_with(database, &[("live.mailbox", "4")]);
    let id = service.start_definition(chatty(), json!({})).await;
    let mut stuck = service.events(&format!("/api/v1/executions/{id}/stream"), None).await;
    let last = service.ended(&id).await["last_seq"].as_u64().unwrap();
    let mut seq = 0;
    while seq < last {
        let event = stuck.next().await.expect("the stream goes on");
        if event.name == "execution_event" {
            seq += 1;
            assert_eq!(event.id, Some(seq));
        }
    }
}

/// One delivery fits: a subscriber is often found with a full channel that is empty when it is marked.
async fn subscribers_that_barely_keep_up_are_never_left_behind(database: Database) {
    let service = Service::start_with(database, &[("live.mailbox", "1")]);
    let ask = json!([{ "ask": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } }]);
    let tasks = json!([
        { "nap": { "wait": { "milliseconds": 300 } } },
        { "each": { "for": { "in": "${ [range(400)] }" }, "do": ask } },
    ]);
    let id = service.start_definition(tasks, json!({})).await;
    let path = format!("/ws/executions/{id}");
    let mut sockets = join_all((0..16).map(|_| Socket::connect(&service, &path))).await;
    let ends = |frame: &Value| frame["type"] == "execution_event" && frame["data"]["type"] == "execution_completed";
    join_all(sockets.iter_mut().map(|socket| socket.until(ends))).await;
}

async fn the_feed_of_a_deleted_execution_ends(database: Database) {
    let service = Service::start(database);
    let id = callboard::domain::ExecutionId(callboard::clock::new_id());
    let mut feed = service.engine().feed(TenantId::DEFAULT, Scope::Execution { id, after_seq: 7 });
    assert!(feed.next().await.is_none());
}

async fn many_subscribers_see_the_same_end(database: Database) {
    let service = Service::start(database);
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.extend(join_all((0..100).map(|_| Socket::connect(&service, "/ws/executions"))).await);
    }
    join_all(sockets.iter_mut().map(Socket::frame)).await;
    let id = service.start_definition(json!([{ "a": { "set": { "x": 1 } } }]), json!({})).await;
    let wanted = |frame: &Value| frame["type"] == "execution_update" && frame["data"]["status"] == "succeeded";
    let seen = join_all(sockets.iter_mut().map(|socket| socket.until(wanted))).await;
    assert_eq!(seen.len(), 1_000);
    for frame in &seen {
        assert_eq!(frame["data"]["id"], id.as_str());
        assert_eq!(frame, &seen[0]);
    }
}
