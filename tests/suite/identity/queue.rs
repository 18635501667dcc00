//! The queue tells everybody in a tenant why somebody waits, and who that is only to those who may see it.

use super::{Person, person};
use crate::service::{Client, Database, Service};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(whose_turn_is_next_is_told_to_those_who_may_see_them);

async fn head(client: &Client) -> Value {
    client.get("/api/v1/queue").await.expect(200)["head"].clone()
}

/// Who waits, with the priority, in the order of the queue.
async fn order(client: &Client) -> Vec<(Value, u64)> {
    let queue = client.get("/api/v1/queue").await.expect(200);
    let waiting = queue["next"].as_array().unwrap().iter();
    waiting.map(|one| (one["execution"]["id"].clone(), one["priority"].as_u64().unwrap())).collect()
}

async fn whose_turn_is_next_is_told_to_those_who_may_see_them(database: Database) {
    let service = Service::start_with(database, &[("engine.max_running", "1")]);
    let ada = person(&service, None, "member", "ada").await;
    let bob = person(&service, None, "member", "bob").await;
    let Person { client: vera, .. } = person(&service, None, "viewer", "vera").await;
    let tasks = json!([{ "hold": { "run": { "shell": { "command": "sleep 600" } } } }]);
    let running = bob.client.start_definition(tasks.clone(), json!({})).await;
    bob.client.event(&running, |event| event["type"] == "effect_scheduled").await;
    let next = ada.client.start_definition(tasks.clone(), json!({})).await;
    let last = bob.client.start_definition(tasks, json!({})).await;

    let told = |id: Value| {
        let reason = "all 1 slots of the service are taken";
        json!({ "execution_id": id, "reason": reason, "holdup": "no_slot", "limit": 1 })
    };
    for client in [&ada.client, &vera, &service] {
        assert_eq!(head(client).await, told(json!(next)));
    }
    let answered = bob.client.get("/api/v1/queue").await;
    assert!(!answered.text.contains(&next), "{}", answered.text);
    assert_eq!(answered.expect(200)["head"], told(Value::Null));
    let turns = [(json!(next), 5), (json!(last), 5)];
    assert_eq!(order(&vera).await, turns);
    let path = format!("/api/v1/executions/{last}");
    bob.client.put(&path, &json!({ "priority": 7, "labels": { "customer": "ada" } })).await.expect(200);
    let turns = [(json!(last), 7), (json!(next), 5)];
    assert_eq!(order(&vera).await, turns, "a higher priority goes first");
    assert_eq!(order(&ada.client).await, [(Value::Null, 7), (json!(next), 5)], "nobody learns whose turn it is before");
    bob.client.put(&path, &json!({ "priority": 1 })).await.expect(200);
    ada.client.post(&format!("/api/v1/executions/{next}/cancel"), &json!({})).await.expect(202);
    ada.client.ended(&next).await;
    assert_eq!(head(&bob.client).await["execution_id"], last);
    assert_eq!(head(&ada.client).await["execution_id"], Value::Null);
    for id in [last, running] {
        bob.client.post(&format!("/api/v1/executions/{id}/cancel"), &json!({})).await.expect(202);
    }
}
