//! Retention over HTTP: decide, look, delete.

use crate::on_both_databases;
use crate::service::Service;
use serde_json::{Value, json};

on_both_databases!(a_tenant_decides_looks_and_deletes, impossible_decisions_are_refused);

async fn succeed(service: &Service, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = service.start_definition(json!([{ "a": { "set": { "b": 1 } } }]), json!({})).await;
        service.ended(&id).await;
        ids.push(id);
    }
    ids
}

/// Asks for a round and waits for its end.
async fn round(service: &Service) -> Value {
    let mut state = service.post("/api/v1/retention/run", &json!({})).await.expect(202);
    while !state["upkeep"]["running_since"].is_null() {
        state = service.get("/api/v1/retention").await.expect(200);
    }
    state["upkeep"]["last_round"].clone()
}

async fn a_tenant_decides_looks_and_deletes(service: Service) {
    let ids = succeed(&service, 3).await;
    let state = service.get("/api/v1/retention").await.expect(200);
    assert_eq!(state["policy"]["succeeded_days"], Value::Null);
    assert_eq!(state["in_force"], state["defaults"]);
    assert_eq!(state["in_force"]["succeeded_days"], 30);
    assert_eq!(state["upkeep"]["last_round"], Value::Null);
    assert!(state["upkeep"]["next_at"].is_string());

    let preview = service.post("/api/v1/retention/preview", &json!({ "succeeded_count": 1 })).await.expect(200);
    assert_eq!(preview["total"], 2);
    assert_eq!(preview["executions"], json!({ "succeeded": 2, "failed": 0, "cancelled": 0 }));
    assert_eq!(preview["is_complete"], true);
    assert!(preview["oldest_finished_at"].as_str() <= preview["newest_finished_at"].as_str());
    let preview = service.post("/api/v1/retention/preview", &Value::Null).await.expect(200);
    assert_eq!(preview["total"], 0, "without a body: the policy in force");
    assert_eq!(round(&service).await["deleted_executions"], 0);

    let decision = json!({ "succeeded_count": 1, "failed_days": 0 });
    let state = service.put("/api/v1/retention", &decision).await.expect(200);
    assert_eq!(state["in_force"]["succeeded_count"], 1);
    assert_eq!(state["in_force"]["failed_days"], 0);
    assert_eq!(state["in_force"]["succeeded_days"], 30);
    let last = round(&service).await;
    assert_eq!((&last["deleted_executions"], &last["is_complete"]), (&json!(2), &json!(true)));
    for id in &ids[..2] {
        service.get(&format!("/api/v1/executions/{id}")).await.problem(404, "not_found");
        service.get(&format!("/api/v1/executions/{id}/history")).await.problem(404, "not_found");
    }
    service.get(&format!("/api/v1/executions/{}", ids[2])).await.expect(200);
    let metrics = service.get("/metrics").await.text;
    assert!(metrics.contains("callboard_retention_deleted_executions_total 2"), "{metrics}");

    let state = service.put("/api/v1/retention", &json!({})).await.expect(200);
    assert_eq!(state["in_force"], state["defaults"], "what is left out goes back to the settings");
}

async fn impossible_decisions_are_refused(service: Service) {
    for (decision, pointer) in [
        (json!({ "succeeded_days": -1 }), "/succeeded_days"),
        (json!({ "failed_days": 100_001 }), "/failed_days"),
        (json!({ "usage_days": "7" }), "/usage_days"),
        (json!({ "days": 7 }), "/days"),
    ] {
        for path in ["/api/v1/retention/preview", "/api/v1/retention"] {
            let answer = match path {
                "/api/v1/retention" => service.put(path, &decision).await,
                _ => service.post(path, &decision).await,
            };
            let problem = answer.problem(400, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
    }
}
