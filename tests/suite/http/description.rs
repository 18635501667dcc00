//! What the service says about itself: OpenAPI, documentation, health, metrics.

use crate::service::{Database, Service, answer};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn service() -> Service {
    Service::start(Database::Sqlite)
}

#[tokio::test]
async fn the_description_is_complete_and_consistent() {
    let service = service();
    let description = service.get("/api/v1/openapi.json").await.expect(200);
    assert_eq!(description["openapi"], "3.1.0");
    let mut references = BTreeSet::new();
    collect_references(&description, &mut references);
    for reference in references {
        let target = description.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference} leads nowhere");
    }
    let mut names = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name.clone()), "the name {name} is used twice");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("403"), "{method} {path}");
            let opens = ["login", "first-sign-in", "refresh", "logout"];
            let is_open = !path.starts_with("/api/")
                || path.contains("/auth/oidc")
                || opens.iter().any(|word| path.ends_with(&format!("/auth/{word}")));
            assert_eq!(operation["security"].is_array(), !is_open, "{method} {path}");
            for status in ["401", "404"] {
                assert!(is_open || responses.contains_key(status), "{method} {path}");
            }
            assert_eq!(operation["requestBody"].is_object(), responses.contains_key("413"), "{method} {path}");
        }
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|field| collect_references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn what_is_answered_is_what_is_described() {
    let service = service();
    let description = service.get("/api/v1/openapi.json").await.expect(200);
    let id = service.start_definition(json!([{"a": {"set": {"x": 1}}}]), json!({})).await;
    service.ended(&id).await;
    let workflow_id = service.register("described", "1.0.0", json!([{"a": {"set": {"x": 1}}}])).await;
    let agents = service.get("/api/v1/agents").await.expect(200);
    let agent_id = agents["items"][0]["id"].as_str().unwrap().to_owned();
    service.put("/api/v1/secrets/described", &json!({ "value": "long enough" })).await.expect(201);
    let view = json!({ "list": "executions", "name": "Described", "query": { "status": "failed" } });
    let view_id = service.post("/api/v1/views", &view).await.expect(201)["id"].as_str().unwrap().to_owned();
    let first = async |list: &str| {
        let found = service.get(&format!("/api/v1/{list}")).await.expect(200);
        found["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let (tenant_id, user_id, key_id) = (first("tenants").await, first("users").await, first("api-keys").await);
    let mut checked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        let Some(schema) = item["get"]["responses"]["200"]["content"]["application/json"].get("schema") else {
            continue;
        };
        let thing = if path.contains("/agents/") {
            &agent_id
        } else if path.contains("/workflows/{id}") {
            &workflow_id
        } else if path.contains("/tenants/") {
            &tenant_id
        } else if path.contains("/users/") {
            &user_id
        } else if path.contains("/api-keys/") {
            &key_id
        } else if path.contains("/views/") {
            &view_id
        } else {
            &id
        };
        let answer = service
            .get(&path.replace("{id}", thing).replace("{other}", thing).replace("{name}", "described"))
            .await
            .expect(200);
        let mut document = schema.clone();
        document["components"] = description["components"].clone();
        let validator = jsonschema::validator_for(&document).unwrap_or_else(|error| panic!("{path}: {error}"));
        let errors: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{path}: {errors:?}\n{answer:#}");
        checked += 1;
    }
    assert!(checked >= 15, "only {checked} answers were checked");
}

#[tokio::test]
async fn the_documentation_can_be_browsed() {
    let service = service();
    let page = service.get("/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    let script = service.get("/docs/swagger-initializer.js").await;
    assert!(script.text.contains("/api/v1/openapi.json"), "{}", script.text);
    let home = service.get("/").await;
    assert_eq!(home.header("content-type"), Some("text/html; charset=utf-8"));
    for link in home.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert_eq!(service.get(link).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn health_and_metrics_tell_the_state() {
    let service = service();
    assert_eq!(service.get("/livez").await.expect(200)["status"], "ok");
    let ready = service.get("/readyz").await.expect(200);
    assert_eq!(
        (&ready["status"], &ready["dependencies"]["store"]["status"]),
        (&json!("ready"), &json!("ok")),
        "{ready}"
    );
    answer(service.request(Method::POST, "/api/v1/executions").json(&json!({}))).await.problem(400, "invalid_body");
    let metrics = service.get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let line = "callboard_http_requests_total{method=\"POST\",route=\"/api/v1/executions\",status=\"400\"} 1";
    assert!(metrics.text.lines().any(|found| found == line), "{}", metrics.text);
    assert!(metrics.text.ends_with("# EOF\n"));
}
