//! Agents and their tests.

use crate::on_both_databases;
use crate::service::Service;
use callboard::domain::{Agent, AgentId, TenantId};
use futures_util::FutureExt;
use serde_json::{Value, json};

on_both_databases!(
    an_agent_is_made_changed_and_removed,
    an_agent_is_tested,
    what_was_remembered_of_an_agent_ends_with_its_change_though_nobody_waits,
);

async fn an_agent_is_made_changed_and_removed(service: Service) {
    let body = json!({
        "name": "Release Writer", "adapter": "openai", "model": "m", "system_prompt": "Be brief.",
        "parameters": {"base_url": "http://127.0.0.1:9/v1"}, "capabilities": {"writing": 0.8},
    });
    let made = service.post("/api/v1/agents", &body).await.expect(201);
    assert_eq!(
        (&made["slug"], &made["is_active"], &made["is_system"]),
        (&json!("release-writer"), &json!(true), &json!(false))
    );
    let path = format!("/api/v1/agents/{}", made["id"].as_str().unwrap());
    assert_eq!(service.get(&path).await.expect(200), made);
    service.post("/api/v1/agents", &body).await.problem(409, "already_exists");
    let bad = json!({"name": "", "slug": "No Slug", "adapter": "builtin", "capabilities": {"a": 2}});
    let problem = service.post("/api/v1/agents", &bad).await.problem(400, "invalid_body");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
    service.post("/api/v1/agents", &json!({"name": "x", "adapter": "telepathy"})).await.problem(400, "invalid_body");

    // Without a model it could never answer.
    service.put(&path, &json!({"model": null})).await.problem(400, "invalid_body");
    let change = json!({"model": "n", "system_prompt": null, "description": "Writes.", "is_active": false});
    let changed = service.put(&path, &change).await.expect(200);
    assert_eq!((&changed["model"], &changed["description"]), (&json!("n"), &json!("Writes.")));
    assert_eq!((&changed["system_prompt"], &changed["created_at"]), (&Value::Null, &made["created_at"]));
    service.put(&path, &json!({"slug": "echo"})).await.problem(409, "already_exists");
    service.post(&format!("{path}/test"), &json!({"test_input": "x"})).await.problem(422, "not_runnable");

    let inactive = service.get("/api/v1/agents?is_active=false").await.expect(200);
    assert_eq!((&inactive["total"], &inactive["items"][0]["slug"]), (&json!(1), &json!("release-writer")));
    let found = service.get("/api/v1/agents?adapter=builtin&q=ECHO").await.expect(200);
    assert_eq!(found["items"][0]["slug"], "echo");
    let system = format!("/api/v1/agents/{}", found["items"][0]["id"].as_str().unwrap());
    service.put(&system, &json!({"description": "mine"})).await.problem(403, "read_only");
    service.delete(&system).await.problem(403, "read_only");

    assert_eq!(service.delete(&path).await.status, 204);
    service.get(&path).await.problem(404, "not_found");
}

async fn an_agent_is_tested(service: Service) {
    let found = service.get("/api/v1/agents?q=echo").await.expect(200);
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/agents/{id}/test");
    // Nothing a caller sends is read as an expression.
    let question = "${ .agent_id }";
    let accepted = service.post(&path, &json!({"test_input": question})).await;
    let location = accepted.header("location").unwrap().to_owned();
    let accepted = accepted.expect(202);
    assert_eq!(accepted["status"], "pending");
    let ended = service.ended(accepted["execution_id"].as_str().unwrap()).await;
    assert_eq!((&ended["status"], &ended["execution_type"]), (&json!("succeeded"), &json!("agent_test")), "{ended}");
    assert_eq!((&ended["test_input"], &ended["test_output"]), (&json!(question), &json!(question)));
    assert_eq!((&ended["agent_id"], &ended["output"]), (&json!(id), &json!(question)));
    assert_eq!(service.get(&location).await.expect(200)["id"], ended["id"]);
    let tests = service.get(&format!("/api/v1/executions?execution_type=agent_test&agent_id={id}")).await.expect(200);
    assert_eq!(tests["total"], 1);
    for input in ["", "   ", &"x".repeat(5_001)] {
        service.post(&path, &json!({"test_input": input})).await.problem(400, "invalid_body");
    }
    service.post(&path, &json!({"test_input": "ä".repeat(5_000)})).await.expect(202);
}

async fn what_was_remembered_of_an_agent_ends_with_its_change_though_nobody_waits(service: Service) {
    let body = json!({"name": "Parrot", "adapter": "builtin", "parameters": {"skill": "echo"}});
    let made = service.post("/api/v1/agents", &body).await.expect(201);
    let ask = async || {
        let tasks = json!([{"ask": {"call": "agent", "with": {"agent": "parrot", "prompt": "Hello"}}}]);
        service.ended(&service.start_definition(tasks, json!({})).await).await
    };
    assert_eq!(ask().await["output"], "Hello");
    let store = service.engine().store();
    let id: AgentId = made["id"].as_str().unwrap().parse().unwrap();
    let agent = store.agent(TenantId::DEFAULT, id).await.unwrap();
    // Whoever switches it off hangs up while the write is in the queue.
    let _ = store.update_agent(Agent { is_active: false, ..agent }).now_or_never();
    let refused = ask().await;
    assert_eq!(
        (&refused["status"], &refused["error"]["instance"]),
        (&json!("failed"), &json!("/do/0/ask")),
        "{refused}"
    );
    assert!(refused["error"]["detail"].as_str().unwrap().contains("parrot"), "{refused}");
}
