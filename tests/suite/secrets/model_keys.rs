//! Agents whose key is a secret of the tenant that asks: which key goes where, who may make and use them, and what is said when
//! there is none.

use crate::effects::stand_in::{Received, Reply, StandIn};
use crate::identity::{Person, person, tenant};
use crate::on_both_databases;
use crate::service::{Client, Service, definition};
use callboard::clock;
use callboard::domain::{Adapter, Agent, AgentId, TenantId, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

on_both_databases!(
    every_tenant_sends_a_key_of_its_own,
    whoever_may_not_use_secrets_neither_makes_nor_asks_such_an_agent,
    a_key_that_is_not_there_is_said_before_and_after,
    a_key_does_not_follow_a_redirect,
);

/// An answer of a model in one piece for each word.
pub fn chat(words: &[&str], model: &str) -> Reply {
    let piece = |delta: Value, finish: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        format!("data: {}\n\n", json!({ "model": model, "choices": [choice] }))
    };
    let mut pieces: Vec<String> = words.iter().map(|word| piece(json!({ "content": word }), Value::Null)).collect();
    pieces.push(piece(json!({}), json!("stop")));
    pieces.push(format!(
        "data: {}\n\n",
        json!({ "choices": [], "usage": { "prompt_tokens": 9, "completion_tokens": 1 } })
    ));
    pieces.push("data: [DONE]\n\n".to_owned());
    Reply::Chunks { content_type: "text/event-stream", pieces, complete: true }
}

async fn gateway() -> StandIn {
    StandIn::start(|_| chat(&["all ", "well"], "m-1")).await
}

fn with_key(server: &StandIn, more: Value) -> Value {
    let mut parameters = json!({ "base_url": format!("{}/v1", server.url), "api_key_secret": "gateway-key" });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "name": "Gateway", "slug": "gateway", "adapter": "openai", "model": "m", "parameters": parameters })
}

async fn store_key(client: &Client, value: Value) {
    let stored = client.put("/api/v1/secrets/gateway-key", &json!({ "value": value })).await;
    assert!(stored.status.is_success(), "{stored:?}");
}

/// Asks an agent in an execution, and returns it when it has ended.
async fn ask(client: &Client, agent: &str) -> Value {
    let tasks = json!([{ "ask": { "call": "agent", "with": { "agent": agent, "prompt": "How is it?" } } }]);
    let id = client.start_definition(tasks, json!({})).await;
    client.ended(&id).await
}

fn sent(request: &Received) -> (Option<&str>, Option<&str>) {
    (request.header("authorization"), request.header("x-gateway-key"))
}

/// An agent of the system, which no request can make.
fn of_the_system(server: &StandIn) -> Agent {
    let body = with_key(server, json!({}));
    let Value::Object(parameters) = body["parameters"].clone() else { panic!("an object") };
    Agent {
        id: AgentId(clock::new_id()),
        tenant_id: TenantId::DEFAULT,
        name: "Everybody's".to_owned(),
        slug: "everybodys".to_owned(),
        description: String::new(),
        adapter: Adapter::Openai,
        model: Some("m".to_owned()),
        system_prompt: None,
        parameters: Map::from_iter(parameters),
        capabilities: BTreeMap::new(),
        is_active: true,
        is_system: true,
        created_by: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

async fn every_tenant_sends_a_key_of_its_own(service: Service) {
    let server = gateway().await;
    store_key(&service, json!("the-key-of-the-default-tenant")).await;
    service.engine().store().create_agent(of_the_system(&server)).await.expect("an agent");
    let mut people: Vec<(Person, &str)> = Vec::new();
    for (slug, value, header) in [
        ("acme", "acme-pays-for-this", json!({})),
        ("globex", " globex-pays\n", json!({ "api_key_header": "X-Gateway-Key" })),
    ] {
        let admin = person(&service, Some(&tenant(&service, slug).await), "admin", slug).await;
        store_key(&admin.client, json!(value)).await;
        let made = admin.client.post("/api/v1/agents", &with_key(&server, header)).await.expect(201);
        assert_eq!(made["parameters"]["api_key_secret"], "gateway-key");
        people.push((admin, value.trim()));
    }
    for (who, value) in &people {
        for agent in ["gateway", "everybodys"] {
            let ended = ask(&who.client, agent).await;
            assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!("all well")), "{ended}");
            let bearer = format!("Bearer {value}");
            let expected = if who.email.starts_with("globex") && agent == "gateway" {
                (None, Some(*value))
            } else {
                (Some(bearer.as_str()), None)
            };
            assert_eq!(sent(&server.last()), expected);
        }
    }
    // Another value is sent from the next call on.
    let (acme, _) = &people[0];
    store_key(&acme.client, json!("acme-has-another-key")).await;
    assert_eq!(ask(&acme.client, "gateway").await["status"], "succeeded");
    assert_eq!(server.last().header("authorization"), Some("Bearer acme-has-another-key"));
    // An execution cannot say where the key goes.
    let with = json!({ "agent": "gateway", "prompt": "?", "parameters": { "base_url": "http://127.0.0.1:9", "api_key_secret": "x" } });
    let id = acme.client.start_definition(json!([{ "ask": { "call": "agent", "with": with } }]), json!({})).await;
    assert_eq!(acme.client.ended(&id).await["error"]["status"], 403);
    assert_eq!(server.received().len(), 5);
}

async fn narrow(person: &Person, scopes: Value) -> Client {
    let made = person.client.post("/api/v1/api-keys", &json!({ "name": "narrow", "scopes": scopes })).await.expect(201);
    person.client.with_key(made["key"].as_str().unwrap())
}

async fn whoever_may_not_use_secrets_neither_makes_nor_asks_such_an_agent(service: Service) {
    let server = gateway().await;
    store_key(&service, json!("the-key-of-the-tenant")).await;
    let member = person(&service, None, "member", "ada").await;
    let editor = narrow(&member, json!(["agents:read", "agents:write", "secrets:read"])).await;
    let problem = editor.post("/api/v1/agents", &with_key(&server, json!({}))).await.problem(403, "forbidden");
    assert!(problem["detail"].as_str().unwrap().contains("secrets:use"), "{problem}");

    let made = member.client.post("/api/v1/agents", &with_key(&server, json!({}))).await.expect(201);
    let path = format!("/api/v1/agents/{}", made["id"].as_str().unwrap());
    // Not even its name: the change would leave an agent behind for which they have no right.
    for change in [json!({ "parameters": with_key(&server, json!({}))["parameters"] }), json!({ "name": "Other" })] {
        editor.put(&path, &change).await.problem(403, "forbidden");
    }
    let starter = narrow(&member, json!(["executions:read", "executions:write", "agents:read", "agents:use"])).await;
    let ended = ask(&starter, "gateway").await;
    assert_eq!((&ended["status"], &ended["error"]["status"]), (&json!("failed"), &json!(403)), "{ended}");
    let detail = ended["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("gateway-key") && detail.contains("secrets:use"), "{detail}");
    starter.post(&format!("{path}/test"), &json!({ "test_input": "hello" })).await.problem(403, "forbidden");
    assert_eq!(server.received().len(), 0);
    let used = service.get(&format!("/api/v1/executions/{}/usage", ended["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(used["items"], json!([]), "no model was asked");

    let user = narrow(&member, json!(["executions:read", "executions:write", "agents:use", "secrets:use"])).await;
    assert_eq!(ask(&user, "gateway").await["status"], "succeeded");
    // The editor may take the key away and put the agent right for themselves.
    member.client.put(&path, &json!({ "parameters": { "base_url": server.url } })).await.expect(200);
    editor.put(&path, &json!({ "name": "Other" })).await.expect(200);
}

async fn a_key_that_is_not_there_is_said_before_and_after(service: Service) {
    let server = gateway().await;
    let problem = service.post("/api/v1/agents", &with_key(&server, json!({}))).await.problem(400, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/parameters/api_key_secret", "{problem}");
    for (more, pointer) in [
        (json!({ "api_key_env": "OPENAI_API_KEY" }), "/parameters/api_key_secret"),
        (json!({ "api_key_secret": "no name" }), "/parameters/api_key_secret"),
        (json!({ "api_key_header": "Host" }), "/parameters/api_key_header"),
    ] {
        let problem = service.post("/api/v1/agents", &with_key(&server, more)).await.problem(400, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    store_key(&service, json!("a-key-for-a-while")).await;
    let made = service.post("/api/v1/agents", &with_key(&server, json!({}))).await.expect(201);
    let tasks = json!([{ "ask": { "call": "agent", "with": { "agent": "gateway", "prompt": "?" } } }]);
    let workflow = service.register("asking", "1.0.0", tasks).await;
    let preflight = format!("/api/v1/workflows/{workflow}/preflight");
    let ready = service.post(&preflight, &Value::Null).await.expect(200);
    let key = |verdict: &str| json!([{ "name": "gateway-key", "agent": "gateway", "verdict": verdict }]);
    assert_eq!((&ready["secrets"], &ready["is_ready"]), (&key("ready"), &json!(true)));

    assert_eq!(service.delete("/api/v1/secrets/gateway-key").await.status, 204);
    let missing = service.post(&preflight, &Value::Null).await.expect(200);
    assert_eq!((&missing["secrets"], &missing["is_ready"]), (&key("missing"), &json!(false)));
    let ended = ask(&service, "gateway").await;
    let error = &ended["error"];
    assert!(error["type"].as_str().unwrap().ends_with("/authorization") && error["instance"] == "/do/0/ask", "{error}");
    assert!(error["detail"].as_str().unwrap().contains("'gateway-key' does not exist"), "{error}");
    assert!(error["suggestion"].as_str().unwrap().contains("callboard secrets set gateway-key"), "{error}");
    // What else is changed is no matter of the secret that is gone.
    let path = format!("/api/v1/agents/{}", made["id"].as_str().unwrap());
    service.put(&path, &json!({ "description": "Waits for its key." })).await.expect(200);

    store_key(&service, json!({ "user": "ada-lovelace" })).await;
    let ended = ask(&service, "gateway").await;
    assert!(ended["error"]["detail"].as_str().unwrap().contains("has to be a text"), "{ended}");
    assert!(!ended.to_string().contains("lovelace"));
    store_key(&service, json!("two lines\nare no key")).await;
    let ended = ask(&service, "gateway").await;
    assert!(ended["error"]["type"].as_str().unwrap().ends_with("/authentication"), "{ended}");
    assert_eq!(server.received().len(), 0);
    store_key(&service, json!("a-key-that-is-fine")).await;
    let retried =
        service.post(&format!("/api/v1/executions/{}/retry", ended["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!(service.ended(retried.json()["id"].as_str().unwrap()).await["status"], "succeeded");
    assert_eq!(server.last().header("authorization"), Some("Bearer a-key-that-is-fine"));
}

async fn a_key_does_not_follow_a_redirect(service: Service) {
    let elsewhere = gateway().await;
    let target = format!("{}/v1/chat/completions", elsewhere.url);
    let server = StandIn::start(move |_| Reply::redirect(307, target.clone())).await;
    store_key(&service, json!("stay-where-you-are")).await;
    service.post("/api/v1/agents", &with_key(&server, json!({}))).await.expect(201);
    let mut body = definition(
        "redirected",
        "1.0.0",
        json!([{ "ask": { "call": "agent", "with": { "agent": "gateway", "prompt": "?" } } }]),
    );
    body["use"] = json!({ "secrets": ["gateway-key"] });
    let accepted = service.post("/api/v1/executions", &json!({ "definition": body })).await.expect(201);
    let ended = service.ended(accepted["id"].as_str().unwrap()).await;
    assert_eq!((&ended["status"], &ended["error"]["status"]), (&json!("failed"), &json!(307)), "{ended}");
    assert!(ended["error"]["suggestion"].as_str().unwrap().contains("base_url"), "{ended}");
    assert_eq!((server.received().len(), elsewhere.received().len()), (1, 0));
}
