//! The audit has an entry for everything that people and keys have done, whatever becomes of the service or of them meanwhile.

use super::person;
use crate::engine::process::Process;
use crate::live::client::Socket;
use crate::service::{Client, Database, Service, definition};
use crate::with_both_databases;
use reqwest::Method;
use serde_json::{Value, json};

with_both_databases!(what_was_done_before_a_kill_is_in_the_audit, every_write_has_its_entry_when_it_is_answered);

fn nap() -> Value {
    json!([{ "nap": { "wait": { "hours": 1 } } }])
}

/// The actions that the audit knows of a thing, oldest first.
async fn actions(client: &Client, target: &str) -> Vec<String> {
    let entries = client.get(&format!("/api/v1/audit?target_id={target}")).await.expect(200);
    let entries = entries["items"].as_array().unwrap().iter().rev();
    entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// A service that dies when the n-th append of an execution is committed, before anybody is told.
fn mortal(database: Database, append: u32) -> Process {
    let mut service = Process::start(database, &[]);
    service.kill();
    service.resume(&[&format!("store.failure_points=turn_after_append@{append}=abort")]);
    service
}

async fn what_was_done_before_a_kill_is_in_the_audit(database: Database) {
    let mut service = mortal(database, 1);
    let body = json!({ "definition": definition("inline", "1.0.0", nap()) });
    let started = service.request(Method::POST, "/api/v1/executions").json(&body).send().await;
    assert!(started.is_err(), "nobody is answered");
    service.wait();
    service.resume(&[]);
    let found = service.get("/api/v1/executions").await.expect(200);
    let id = found["items"][0]["id"].as_str().expect("it was created").to_owned();
    assert_eq!(actions(&service, &id).await, ["execution_started"]);

    let mut service = mortal(database, 2);
    let id = service.start_definition(nap(), json!({})).await;
    let pause = service.request(Method::POST, &format!("/api/v1/executions/{id}/pause"));
    assert!(pause.send().await.is_err(), "nobody is answered");
    service.wait();
    service.resume(&[]);
    assert_eq!(service.get(&format!("/api/v1/executions/{id}")).await.expect(200)["status"], "paused");
    assert_eq!(actions(&service, &id).await, ["execution_started", "execution_paused"]);
}

async fn every_write_has_its_entry_when_it_is_answered(database: Database) {
    let service = Service::start_with(database, &[]);
    let ada = person(&service, None, "admin", "ada").await;
    let client = &ada.client;
    let id = client.start_definition(nap(), json!({})).await;
    let execution = format!("/api/v1/executions/{id}");
    client.event(&id, |event| event["type"] == "execution_waiting").await;
    client.post(&format!("{execution}/pause"), &json!({})).await.expect(202);
    client.post(&format!("{execution}/pause"), &json!({})).await.problem(409, "wrong_state");
    client.post(&format!("{execution}/budget"), &json!({ "max_tokens": 7 })).await.expect(202);
    client.put(&execution, &json!({ "priority": 7 })).await.expect(200);
    client.put(&execution, &json!({ "status": "running" })).await.expect(200);
    let mut socket = Socket::connect(client, &format!("/ws/executions/{id}")).await;
    socket.send(&json!({ "type": "cancel", "execution_id": id }).to_string()).await;
    client.ended(&id).await;
    let expected = ["started", "paused", "budget_changed", "changed", "resumed", "cancelled"];
    assert_eq!(actions(&service, &id).await, expected.map(|action| format!("execution_{action}")));
    let retried = client.post(&format!("{execution}/retry"), &json!({})).await.expect(202);
    let rerun = client.post(&format!("{execution}/rerun"), &json!({})).await.expect(202);
    for made in [retried, rerun] {
        assert_eq!(actions(&service, made["id"].as_str().unwrap()).await, ["execution_started"]);
    }
    let agent = json!({ "name": "Noted", "adapter": "builtin" });
    let made = client.post("/api/v1/agents", &agent).await.expect(201)["id"].as_str().unwrap().to_owned();
    let agent = format!("/api/v1/agents/{made}");
    client.put(&agent, &json!({ "description": "x" })).await.expect(200);
    client.delete(&agent).await.expect(204);
    assert_eq!(actions(&service, &made).await, ["agent_created", "agent_changed", "agent_removed"]);
    let workflow = client.register("noted", "1.0.0", nap()).await;
    client.register("noted", "1.0.0", nap()).await;
    client.delete(&format!("/api/v1/workflows/{workflow}")).await.expect(204);
    assert_eq!(actions(&service, &workflow).await, ["workflow_registered", "workflow_changed"]);
    client.put("/api/v1/secrets/noted", &json!({ "value": "something long" })).await.expect(201);
    client.delete("/api/v1/secrets/noted").await.expect(204);
    client.delete("/api/v1/secrets/noted").await.problem(404, "not_found");
    assert_eq!(actions(&service, "noted").await, ["secret_stored", "secret_removed"]);
    client.put("/api/v1/retention", &json!({})).await.expect(200);
    let entries = service.get("/api/v1/audit?action=retention_changed").await.expect(200);
    assert_eq!(entries["items"][0]["actor_name"], "ada", "{entries}");
}
