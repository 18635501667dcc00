//! The frames of a session, as the contract says them.

use super::client::Socket;
use crate::engine::{long_wait, path};
use crate::service::{Database, Service};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(
    a_session_begins_with_hello_and_answers_pings,
    the_feed_of_one_execution_is_complete_and_in_order,
    commands_and_subscriptions_over_a_session,
    a_retry_says_what_it_goes_on_with_also_to_whoever_was_away,
    bad_frames_are_answered_and_the_fifth_ends_the_session,
    a_frame_that_is_too_large_ends_the_session,
);

async fn a_session_begins_with_hello_and_answers_pings(database: Database) {
    let service = Service::start(database);
    for path in ["/ws/executions", "/api/v1/executions/ws"] {
        let mut socket = Socket::connect(&service, path).await;
        let hello = socket.frame().await;
        assert_eq!(hello["type"], "hello");
        assert_eq!(hello["data"]["heartbeat_seconds"], 30);
        assert!(hello["data"]["position"].is_u64() && hello["data"]["session"].is_string(), "{hello}");
        socket.send("ping").await;
        assert_eq!(socket.text().await.as_deref(), Some("pong"));
        socket.send(r#"{"type":"ping"}"#).await;
        assert_eq!(socket.frame().await, json!({ "type": "pong" }));
    }
}

async fn the_feed_of_one_execution_is_complete_and_in_order(database: Database) {
    let service = Service::start(database);
    let each = json!([{ "each": { "for": { "in": "${ [range(300)] }" }, "do": [{ "a": { "set": { "x": "${ $item }" } } }] } }]);
    let id = service.start_definition(each, json!({})).await;
    let last_seq = service.ended(&id).await["last_seq"].as_u64().unwrap();
    for after in [0, 250, last_seq - 1] {
        let mut socket = Socket::connect(&service, &format!("/ws/executions/{id}?after={after}")).await;
        let mut seq = after;
        while seq < last_seq {
            let frame = socket.until(|frame| frame["type"] == "execution_event").await;
            seq += 1;
            assert_eq!(frame["seq"], seq);
            assert_eq!(frame["data"]["execution_id"], id.as_str());
            assert!(frame["position"].is_u64() && frame["data"]["at"].is_string(), "{frame}");
        }
        let update = socket.until(|frame| frame["type"] == "execution_update").await;
        assert_eq!((&update["data"]["status"], &update["data"]["last_seq"]), (&json!("succeeded"), &json!(last_seq)));
    }
}

async fn commands_and_subscriptions_over_a_session(database: Database) {
    let service = Service::start(database);
    let mut socket = Socket::connect(&service, "/ws/executions").await;
    let id = service.start_definition(json!([long_wait()]), json!({})).await;
    let send = |word: &str| json!({ "type": word, "execution_id": id }).to_string();
    let of_type = |frame: &Value, wanted: &str| frame["type"] == "execution_event" && frame["data"]["type"] == wanted;
    socket.send(&json!({ "type": "subscribe", "execution_id": id, "after_seq": 1 }).to_string()).await;
    let first = socket.until(|frame| frame["type"] == "execution_event").await;
    assert_eq!(first["seq"], 2);
    socket.until(|frame| of_type(frame, "execution_waiting")).await;
    socket.send(&send("pause")).await;
    socket.until(|frame| of_type(frame, "execution_paused")).await;
    socket.send(&send("pause")).await;
    let error = socket.until(|frame| frame["type"] == "error").await;
    assert_eq!((&error["data"]["code"], &error["data"]["status"]), (&json!("wrong_state"), &json!(409)));
    socket.send(&send("resume")).await;
    socket.until(|frame| of_type(frame, "execution_resumed")).await;
    socket.send(&send("unsubscribe")).await;
    socket.send(&send("cancel")).await;
    // The global feed still shows it; the other one is gone.
    loop {
        let frame = socket.frame().await;
        assert!(!of_type(&frame, "execution_cancelled"), "{frame}");
        if frame["type"] == "execution_update" && frame["data"]["status"] == "cancelled" {
            break;
        }
    }
    assert_eq!(service.get(&path(&id)).await.expect(200)["status"], "cancelled");
    let unknown = json!({ "type": "subscribe", "execution_id": "01900000-0000-7000-8000-000000000000" }).to_string();
    socket.send(&unknown).await;
    assert_eq!(socket.until(|frame| frame["type"] == "error").await["data"]["code"], "not_found");
}

async fn a_retry_says_what_it_goes_on_with_also_to_whoever_was_away(database: Database) {
    let service = Service::start(database);
    let mut socket = Socket::connect(&service, "/ws/executions").await;
    let position = socket.frame().await["data"]["position"].as_u64().unwrap();
    let error = json!({ "type": "https://example.org/broken", "status": 418 });
    let id = service.start_definition(json!([{ "fail": { "raise": { "error": error } } }]), json!({})).await;
    service.ended(&id).await;
    let retried = service.post(&format!("{}/retry", path(&id)), &json!({})).await.expect(202);
    service.ended(retried["id"].as_str().unwrap()).await;
    let mut away = Socket::connect(&service, &format!("/ws/executions?after={position}")).await;
    for socket in [&mut socket, &mut away] {
        // What is gone on with is known by then.
        let first = socket.until(|frame| frame["type"] == "execution_update").await;
        assert_eq!((&first["data"]["id"], &first["data"]["continues"]), (&json!(id), &Value::Null));
        let retry = socket.until(|frame| frame["data"]["id"] == retried["id"]).await;
        assert_eq!(retry["data"]["continues"], json!(id), "{retry}");
    }
}

async fn bad_frames_are_answered_and_the_fifth_ends_the_session(database: Database) {
    let service = Service::start(database);
    let mut socket = Socket::connect(&service, "/ws/executions").await;
    socket.frame().await;
    for bad in ["what", "{}", r#"{"type":"dance"}"#, r#"{"type":"cancel"}"#, "[1]"] {
        socket.send(bad).await;
        let error = socket.frame().await;
        assert_eq!((&error["type"], &error["data"]["code"]), (&json!("error"), &json!("invalid_frame")), "{bad}");
    }
    assert_eq!(socket.close_code().await, Some(1008));
}

/// Their answers wait for a database that is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_asks_without_end_is_ended() {
    crate::engine::limited(async {
        let url = crate::postgres::database();
        let service = Service::start_with(Database::Sqlite, &[("store.url", &url)]);
        let mut socket = Socket::connect(&service, "/ws/executions").await;
        socket.frame().await;
        crate::postgres::cut_off(&url);
        let id = "01900000-0000-7000-8000-000000000000";
        for _ in 0..517 {
            socket.send(&json!({ "type": "pause", "execution_id": id }).to_string()).await;
        }
        assert_eq!(socket.close_code().await, Some(1008));
        crate::postgres::let_in(&url);
    })
    .await;
}

async fn a_frame_that_is_too_large_ends_the_session(database: Database) {
    let service = Service::start(database);
    let mut socket = Socket::connect(&service, "/ws/executions").await;
    socket.frame().await;
    let id = "01900000-0000-7000-8000-000000000000";
    let reason = "r".repeat(64 * 1024 - 200);
    socket.send(&json!({ "type": "cancel", "execution_id": id, "reason": reason }).to_string()).await;
    assert_eq!(socket.frame().await["data"]["code"], "not_found");
    socket.send(&" ".repeat(64 * 1024 + 1)).await;
    assert_eq!(socket.close_code().await, Some(1009));
}
