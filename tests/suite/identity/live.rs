//! Live sessions: tickets, feeds of own things, commands that are asked for like any others, tokens that end meanwhile.

use super::{PASSWORD, person, sign_in};
use crate::live::client::Socket;
use crate::on_both_databases;
use crate::service::{Database, Service};
use serde_json::json;

on_both_databases!(a_ticket_is_good_once, a_member_watches_and_steers_own_things_only);

fn nap() -> serde_json::Value {
    json!([{ "nap": { "wait": { "hours": 1 } } }])
}

async fn a_ticket_is_good_once(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let ticket = ada.client.post("/api/v1/auth/ticket", &json!({})).await.expect(201);
    let path = format!("/api/v1/executions/stream?ticket={}", ticket["ticket"].as_str().unwrap());
    let nobody = service.with_key("");
    nobody.events(&path, None).await;
    nobody.get(&path).await.problem(401, "invalid_credentials");
    nobody.get("/api/v1/executions/stream").await.problem(401, "unauthenticated");
    // For clients that can do nothing else, and nowhere else.
    nobody.events(&format!("/api/v1/executions/stream?token={}", ada.client.key), None).await;
    nobody.get(&format!("/api/v1/executions?token={}", ada.client.key)).await.problem(401, "unauthenticated");
    let mut socket = Socket::connect(&nobody, &format!("/ws/executions?token={}", ada.client.key)).await;
    assert_eq!(socket.frame().await["type"], "hello");
}

async fn a_member_watches_and_steers_own_things_only(service: Service) {
    let (ada, bob) = (person(&service, None, "member", "ada").await, person(&service, None, "member", "bob").await);
    let mut socket = Socket::connect(&ada.client, "/ws/executions").await;
    assert_eq!(socket.frame().await["type"], "hello");
    let theirs = bob.client.start_definition(nap(), json!({})).await;
    let own = ada.client.start_definition(nap(), json!({})).await;
    let update = socket.until(|frame| frame["type"] == "execution_update").await;
    assert_eq!(update["data"]["id"], own.as_str(), "the other one came first and was not shown");
    for frame in
        [json!({ "type": "subscribe", "execution_id": theirs }), json!({ "type": "cancel", "execution_id": theirs })]
    {
        socket.send(&frame.to_string()).await;
        let refused = socket.until(|frame| frame["type"] == "error").await;
        assert_eq!(refused["data"]["code"], "forbidden", "{refused}");
    }
    socket.send(&json!({ "type": "cancel", "execution_id": own }).to_string()).await;
    assert_eq!(ada.client.ended(&own).await["status"], "cancelled");
    assert_eq!(bob.client.get(&format!("/api/v1/executions/{theirs}")).await.expect(200)["finished_at"], json!(null));
    let viewer = person(&service, None, "viewer", "vera").await;
    let mut socket = Socket::connect(&viewer.client, &format!("/ws/executions/{theirs}")).await;
    socket.send(&json!({ "type": "cancel", "execution_id": theirs }).to_string()).await;
    let refused = socket.until(|frame| frame["type"] == "error").await;
    assert_eq!(refused["data"]["code"], "forbidden", "{refused}");
}

#[tokio::test]
async fn a_token_that_ends_meanwhile_is_renewed_or_the_session_ends() {
    let settings = [("identity.access_token_seconds", "2"), ("identity.renewal_seconds", "1")];
    let service = Service::start_with(Database::Sqlite, &settings);
    let ada = person(&service, None, "member", "ada").await;
    let bob = person(&service, None, "member", "bob").await;
    let tokens = sign_in(&service, &ada.email, PASSWORD).await;
    let path = format!("/ws/executions?token={}", tokens["access_token"].as_str().unwrap());
    let mut socket = Socket::connect(&service.with_key(""), &path).await;
    let expired = socket.until(|frame| frame["type"] == "error").await;
    assert_eq!(expired["data"]["code"], "token_expired");
    // Somebody else's credential does not take the session over.
    socket.send(&json!({ "type": "auth", "token": bob.client.key }).to_string()).await;
    let refused = socket.until(|frame| frame["type"] == "error").await;
    assert_eq!(refused["data"]["code"], "invalid_credentials", "{refused}");
    let own = ada.client.start_definition(nap(), json!({})).await;
    let subscribe = json!({ "type": "subscribe", "execution_id": own }).to_string();
    socket.send(&subscribe).await;
    let refused = socket.until(|frame| frame["type"] == "error").await;
    assert_eq!(refused["data"]["code"], "token_expired", "{refused}");
    let fresh = sign_in(&service, &ada.email, PASSWORD).await;
    // What follows a fresh token is asked for with it, without a pause.
    socket.send(&json!({ "type": "auth", "token": fresh["access_token"] }).to_string()).await;
    socket.send(&subscribe).await;
    let first = socket.until(|frame| frame["type"] == "execution_event" || frame["type"] == "error").await;
    assert_eq!(first["data"]["execution_id"], own.as_str(), "{first}");
    let expired = socket.until(|frame| frame["type"] == "error").await;
    assert_eq!(expired["data"]["code"], "token_expired", "it went on until the next token ended");
    assert_eq!(socket.close_code().await, Some(1008));
    let tokens = sign_in(&service, &ada.email, PASSWORD).await;
    let path = format!("/api/v1/executions/stream?token={}", tokens["access_token"].as_str().unwrap());
    let mut stream = service.with_key("").events(&path, None).await;
    let last = stream.next().await.unwrap();
    assert_eq!((last.name.as_str(), &last.data["data"]["code"]), ("error", &json!("token_expired")));
    assert!(stream.next().await.is_none());
}
