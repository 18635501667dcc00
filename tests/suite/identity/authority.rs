//! What running executions may use: what their creator was allowed to when they were made, and still is.

use super::{Person, person, tenant};
use crate::engine::gate::Gates;
use crate::service::{Client, Database, Service, definition};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(
    the_scopes_of_a_key_bound_what_its_executions_use,
    rights_that_are_taken_away_are_taken_from_what_runs,
    nobody_lends_their_rights_by_resuming,
    a_refusal_can_be_caught_and_secrets_stay_hidden,
    rights_hold_across_a_restart,
    an_operators_work_in_a_tenant_ends_with_the_role,
);

const SECRET: &str = "correct-horse-4711";

fn ask() -> Value {
    json!({ "ask": { "call": "agent", "with": { "agent": "summarizer", "prompt": "Actors keep state." } } })
}

fn run_child() -> Value {
    let child = json!({ "namespace": "tests", "name": "child", "version": "1.0.0" });
    json!({ "below": { "run": { "workflow": child } } })
}

fn read_secret() -> Value {
    json!({ "read": { "set": { "is_right": "${ ($secrets.token | length) == 18 }" } } })
}

async fn start(client: &Client, tasks: Value) -> String {
    let mut definition = definition("inline", "1.0.0", tasks);
    definition["use"] = json!({ "secrets": ["token"] });
    let accepted = client.post("/api/v1/executions", &json!({ "definition": definition })).await.expect(201);
    accepted["id"].as_str().expect("an id").to_owned()
}

/// Stores the secret and registers the child, which asks an agent.
async fn furnish(service: &Service) {
    service.put("/api/v1/secrets/token", &json!({ "value": SECRET })).await.expect(201);
    service.register("child", "1.0.0", json!([ask()])).await;
}

async fn key(person: &Person, scopes: Value) -> (Client, String) {
    let made = person.client.post("/api/v1/api-keys", &json!({ "name": "narrow", "scopes": scopes })).await.expect(201);
    (person.client.with_key(made["key"].as_str().unwrap()), made["id"].as_str().unwrap().to_owned())
}

/// That an execution has failed because it was not allowed something, and why.
fn assert_refused(ended: &Value, reason: &str) {
    assert_eq!(ended["status"], "failed", "{ended}");
    let error = &ended["error"];
    assert_eq!(error["status"], 403, "{error}");
    assert!(error["type"].as_str().unwrap().ends_with("/authorization"), "{error}");
    assert!(error["detail"].as_str().unwrap().contains(reason), "'{reason}' in {error}");
    assert!(error["suggestion"].is_string(), "{error}");
}

async fn the_scopes_of_a_key_bound_what_its_executions_use(database: Database) {
    let service = Service::start_with(database, &[]);
    furnish(&service).await;
    let ada = person(&service, None, "member", "ada").await;
    let (starter, _) = key(&ada, json!(["executions:write", "executions:read"])).await;
    let cases = [
        (ask(), "may not ask the agent 'summarizer': it runs for ada: the key lacks the scope 'agents:use'"),
        (read_secret(), "may not read the secret 'token': it runs for ada: the key lacks the scope 'secrets:use'"),
        // The child runs for whoever its parent runs for.
        (run_child(), "the key lacks the scope 'agents:use'"),
    ];
    for (task, reason) in &cases {
        let id = start(&starter, json!([task])).await;
        assert_refused(&starter.ended(&id).await, reason);
        // The person may do it, and shows so by rerunning what the key was refused.
        let again = ada.client.post(&format!("/api/v1/executions/{id}/rerun"), &json!({})).await.expect(202);
        let ended = ada.client.ended(again["id"].as_str().unwrap()).await;
        assert_eq!((&ended["status"], &ended["created_by_name"]), (&json!("succeeded"), &json!("ada")), "{ended}");
        // Rerunning what a person has made does not lend their rights to the key.
        let rerun = format!("/api/v1/executions/{}/rerun", ended["id"].as_str().unwrap());
        let again = starter.post(&rerun, &json!({})).await.expect(202);
        assert_refused(&starter.ended(again["id"].as_str().unwrap()).await, reason);
    }
    let (user, _) = key(&ada, json!(["executions:write", "executions:read", "agents:use", "secrets:use"])).await;
    let id = start(&user, json!([ask(), read_secret(), run_child()])).await;
    assert_eq!(user.ended(&id).await["status"], "succeeded");
}

/// Ways to take rights away from somebody, with what their executions are told.
const WAYS: [(&str, &str); 5] = [
    ("demoted", "it runs for demoted: the role 'viewer' does not allow"),
    ("inactive", "inactive, for whom it runs, is not active any more"),
    ("removed", "removed, for whom it runs, was removed"),
    ("revoked", "the API key that started it for revoked was revoked"),
    ("closed", "the tenant of closed, for whom it runs, is not active any more"),
];

/// Takes the rights of a person away.
async fn take_away(service: &Service, way: &str, person: &Person, key_id: &str, tenant: &str) {
    let tenant = [("X-Tenant-Id", tenant)];
    let send = async |method: &str, path: String, body: Value| {
        let method = method.parse().unwrap();
        let request = service.request(method, &path).header(tenant[0].0, tenant[0].1).json(&body);
        let answer = crate::service::answer(request).await;
        assert!(answer.status.is_success(), "{answer:?}");
    };
    let user = format!("/api/v1/users/{}", person.id);
    match way {
        "demoted" => send("PUT", user, json!({ "role": "viewer" })).await,
        "inactive" => send("PUT", user, json!({ "is_active": false })).await,
        "removed" => send("DELETE", user, json!({})).await,
        "revoked" => send("DELETE", format!("/api/v1/api-keys/{key_id}"), json!({})).await,
        _ => send("PUT", format!("/api/v1/tenants/{}", tenant[0].1), json!({ "is_active": false })).await,
    }
}

async fn rights_that_are_taken_away_are_taken_from_what_runs(database: Database) {
    let service = Service::start_with(database, &[]);
    for (way, reason) in WAYS {
        let home = tenant(&service, way).await;
        let headers = [("X-Tenant-Id", home.as_str())];
        let child = definition("child", "1.0.0", json!([ask()]));
        service.post_with("/api/v1/workflows", &headers, &child).await.expect(201);
        let ada = person(&service, Some(&home), "admin", way).await;
        ada.client.put("/api/v1/secrets/token", &json!({ "value": SECRET })).await.expect(201);
        let (client, key_id) = key(&ada, json!([])).await;
        let gates = Gates::new();
        let mut running = Vec::new();
        for (name, task) in [("asks", ask()), ("reads", read_secret()), ("starts", run_child())] {
            // What was read before is not good for later.
            running.push((
                name,
                start(&client, json!([{ "before": { "do": [read_secret()] } }, gates.task(name), task])).await,
            ));
        }
        for (name, _) in &running {
            gates.reached(name).await;
        }
        take_away(&service, way, &ada, &key_id, &home).await;
        for (name, id) in running {
            gates.open(name).await;
            let stream = format!("/api/v1/executions/{id}/stream?tenant_id={home}&after_seq=0");
            let mut events = service.events(&stream, None).await;
            let error = loop {
                let event = events.next().await.expect("the feed goes on").data["data"].clone();
                assert_ne!(event["type"], "execution_completed", "{way}, {name}");
                if event["type"] == "execution_failed" {
                    break event["data"]["error"].clone();
                }
            };
            assert_refused(&json!({ "status": "failed", "error": error }), reason);
        }
    }
}

async fn nobody_lends_their_rights_by_resuming(database: Database) {
    let (service, gates) = (Service::start_with(database, &[]), Gates::new());
    let ada = person(&service, None, "member", "ada").await;
    let grace = person(&service, None, "admin", "grace").await;
    let id = ada.client.start_definition(json!([gates.task("gate"), ask()]), json!({})).await;
    service.put(&format!("/api/v1/users/{}", ada.id), &json!({ "role": "viewer" })).await.expect(200);
    grace.client.post(&format!("/api/v1/executions/{id}/pause"), &json!({})).await.expect(202);
    gates.open("gate").await;
    grace.client.post(&format!("/api/v1/executions/{id}/resume"), &json!({})).await.expect(202);
    let ended = grace.client.ended(&id).await;
    assert_refused(&ended, "it runs for ada: the role 'viewer' does not allow agent_use");
    // Whoever retries it answers for it.
    let again = grace.client.post(&format!("/api/v1/executions/{id}/retry"), &json!({})).await.expect(202);
    let ended = grace.client.ended(again["id"].as_str().unwrap()).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    assert_eq!((&ended["created_by"], &ended["created_by_name"]), (&json!(grace.id), &json!("grace")));
    assert_eq!(gates.runs("gate"), 1, "what was completed is taken over");
}

async fn a_refusal_can_be_caught_and_secrets_stay_hidden(database: Database) {
    let (service, gates) = (Service::start_with(database, &[]), Gates::new());
    furnish(&service).await;
    let ada = person(&service, None, "member", "ada").await;
    let refused = json!({ "errors": { "with": { "status": 403 } }, "as": "error",
        "do": [{ "note": { "set": { "refused": "${ $error.type | split(\"/\") | last }" } } }] });
    // A program that knows the value without having been given it.
    let leak = json!({ "leak": { "run": { "shell": { "command": format!("printf %s {}4711", "correct-horse-") } } } });
    let tasks = json!([
        gates.task("gate"),
        { "attempt": { "try": [read_secret()], "catch": refused } },
        leak,
    ]);
    let id = start(&ada.client, tasks).await;
    service.put(&format!("/api/v1/users/{}", ada.id), &json!({ "role": "viewer" })).await.expect(200);
    gates.open("gate").await;
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!("***")), "{ended}");
    let tasks = service.get(&format!("/api/v1/executions/{id}/tasks")).await.text;
    assert!(tasks.contains("\"refused\":\"authorization\""), "{tasks}");
}

async fn rights_hold_across_a_restart(database: Database) {
    let (mut service, gates) = (Service::start_with(database, &[]), Gates::new());
    furnish(&service).await;
    let (ada, bob) = (person(&service, None, "member", "ada").await, person(&service, None, "member", "bob").await);
    let mut ids = Vec::new();
    for (person, name) in [(&ada, "ada"), (&bob, "bob")] {
        let id = start(&person.client, json!([gates.task(name), read_secret(), ask()])).await;
        person.client.post(&format!("/api/v1/executions/{id}/pause"), &json!({})).await.expect(202);
        gates.open(name).await;
        service.event(&id, |event| event["type"] == "effect_completed").await;
        ids.push(id);
    }
    service.put(&format!("/api/v1/users/{}", ada.id), &json!({ "is_active": false })).await.expect(200);
    service.restart();
    for id in &ids {
        service.post(&format!("/api/v1/executions/{id}/resume"), &json!({})).await.expect(202);
    }
    assert_refused(&service.ended(&ids[0]).await, "ada, for whom it runs, is not active any more");
    assert_eq!(service.ended(&ids[1]).await["status"], "succeeded");
}

async fn an_operators_work_in_a_tenant_ends_with_the_role(database: Database) {
    let (service, gates) = (Service::start_with(database, &[]), Gates::new());
    let blue = tenant(&service, "blue").await;
    let olga = person(&service, None, "operator", "olga").await;
    let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "before": { "do": [ask()] } }, gates.task("gate"), ask()])) });
    let accepted = olga.client.post_with("/api/v1/executions", &[("X-Tenant-Id", &blue)], &body).await.expect(201);
    let id = accepted["id"].as_str().unwrap();
    // What is asked before is allowed.
    gates.reached("gate").await;
    service.put(&format!("/api/v1/users/{}", olga.id), &json!({ "role": "admin" })).await.expect(200);
    gates.open("gate").await;
    let mut events = service.events(&format!("/api/v1/executions/{id}/stream?tenant_id={blue}"), Some(0)).await;
    let error = loop {
        let event = events.next().await.expect("the feed goes on").data["data"].clone();
        if event["type"] == "execution_failed" {
            break event["data"]["error"].clone();
        }
    };
    let reason = "olga, for whom it runs, may not work in this tenant any more";
    assert_refused(&json!({ "status": "failed", "error": error }), reason);
}
