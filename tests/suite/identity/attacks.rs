//! What somebody tries who has a credential and wants more than it gives.

use super::{Person, person, tenant};
use crate::live::client::Socket;
use crate::on_both_databases;
use crate::service::{Answer, Client, Service, answer, definition};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(
    what_is_foreign_looks_like_what_is_not_there,
    filters_cursors_and_feeds_stay_inside_the_tenant,
    a_stream_ends_with_the_credential_though_it_is_never_quiet,
    a_socket_does_not_act_on_the_rights_of_earlier,
    a_narrowed_key_makes_nobody_who_is_not,
);

fn nap() -> Value {
    json!([{ "nap": { "wait": { "hours": 1 } } }])
}

/// The same things in a tenant: an administrator, an execution with a label, a workflow, an agent, a secret.
struct Furnished {
    admin: Person,
    execution: String,
    workflow: String,
    agent: String,
    key: String,
}

async fn furnish(service: &Service, tenant: &str, name: &str) -> Furnished {
    let admin = person(service, Some(tenant), "admin", name).await;
    let body = json!({ "definition": definition("same", "1.0.0", nap()), "labels": { "which": "same" } });
    let keyed = [("Idempotency-Key", "same")];
    let started = admin.client.post_with("/api/v1/executions", &keyed, &body).await.expect(201);
    let agent = json!({ "name": "Same", "slug": "same", "adapter": "builtin" });
    let agent = admin.client.post("/api/v1/agents", &agent).await.expect(201);
    admin.client.put("/api/v1/secrets/same", &json!({ "value": format!("the secret of {name}") })).await.expect(201);
    let key = admin.client.post("/api/v1/api-keys", &json!({ "name": "same" })).await.expect(201);
    let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let workflow = admin.client.register("same", "1.0.0", nap()).await;
    Furnished { execution: text(&started), workflow, agent: text(&agent), key: text(&key), admin }
}

async fn two(service: &Service) -> (Furnished, Furnished) {
    let (blue, green) = (tenant(service, "blue").await, tenant(service, "green").await);
    (furnish(service, &blue, "ada").await, furnish(service, &green, "bob").await)
}

/// What an answer tells, without what is different each time.
fn told(answer: &Answer, id: &str) -> String {
    let mut problem = answer.json();
    problem["request_id"] = Value::Null;
    format!("{} {}", answer.status, problem).replace(id, "ID")
}

async fn what_is_foreign_looks_like_what_is_not_there(service: Service) {
    let (blue, green) = two(&service).await;
    let unknown = "01a1fba2-d81b-7463-97a8-aef68bdcd168";
    let mut attempts = Vec::new();
    for (method, part, body) in [
        ("GET", "", json!(null)),
        ("PUT", "", json!({ "priority": 9 })),
        ("POST", "/cancel", json!({})),
        ("POST", "/pause", json!({})),
        ("POST", "/budget", json!({ "max_tokens": 1 })),
        ("POST", "/retry", json!({})),
        ("POST", "/rerun", json!({})),
        ("GET", "/history", json!(null)),
        ("GET", "/logs", json!(null)),
        ("GET", "/tasks", json!(null)),
        ("GET", "/usage", json!(null)),
        ("GET", "/children", json!(null)),
        ("GET", "/definition", json!(null)),
        ("GET", "/stream", json!(null)),
    ] {
        attempts.push((method, format!("/api/v1/executions/ID{part}"), body, &blue.execution));
    }
    for (kind, id) in [("workflows", &blue.workflow), ("agents", &blue.agent), ("users", &blue.admin.id)] {
        let change = if kind == "workflows" { json!({ "is_archived": true }) } else { json!({}) };
        attempts.push(("GET", format!("/api/v1/{kind}/ID"), json!(null), id));
        attempts.push(("PUT", format!("/api/v1/{kind}/ID"), change, id));
        attempts.push(("DELETE", format!("/api/v1/{kind}/ID"), json!(null), id));
    }
    attempts.push(("POST", "/api/v1/workflows/ID/execute".to_owned(), json!({}), &blue.workflow));
    attempts.push(("GET", "/api/v1/workflows/ID/versions".to_owned(), json!(null), &blue.workflow));
    attempts.push(("POST", "/api/v1/agents/ID/test".to_owned(), json!({ "test_input": "x" }), &blue.agent));
    attempts.push(("POST", "/api/v1/users/ID/reset".to_owned(), json!(null), &blue.admin.id));
    attempts.push(("GET", "/api/v1/api-keys/ID".to_owned(), json!(null), &blue.key));
    attempts.push(("DELETE", "/api/v1/api-keys/ID".to_owned(), json!(null), &blue.key));
    attempts.push(("POST", "/api/v1/executions".to_owned(), json!({ "workflow_id": "ID" }), &blue.workflow));
    for (method, path, body, foreign) in attempts {
        let try_with = async |id: &str| {
            let request = green.admin.client.request(method.parse::<Method>().unwrap(), &path.replace("ID", id));
            let body: Value = serde_json::from_str(&body.to_string().replace("ID", id)).unwrap();
            let answer = answer(if body.is_null() { request } else { request.json(&body) }).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            told(&answer, id)
        };
        assert_eq!(try_with(foreign).await, try_with(unknown).await, "{method} {path}");
    }
    // Nothing of it has had an effect.
    let execution = blue.admin.client.get(&format!("/api/v1/executions/{}", blue.execution)).await.expect(200);
    assert_eq!((&execution["priority"], &execution["finished_at"]), (&json!(5), &Value::Null));
    for id in ["no id", unknown] {
        let request = green.admin.client.request(Method::GET, "/api/v1/executions").header("X-Tenant-Id", id);
        answer(request).await.problem(404, "not_found");
    }
}

async fn filters_cursors_and_feeds_stay_inside_the_tenant(service: Service) {
    let (blue, green) = two(&service).await;
    let bob = &green.admin.client;
    let total =
        async |query: String| bob.get(&format!("/api/v1/executions?{query}")).await.expect(200)["total"].clone();
    assert_eq!(total("label.which=same".to_owned()).await, 1);
    assert_eq!(total("q=same".to_owned()).await, 1);
    for foreign in [
        format!("created_by={}", blue.admin.id),
        format!("workflow_id={}", blue.workflow),
        format!("agent_id={}", blue.agent),
    ] {
        assert_eq!(total(foreign.clone()).await, 0, "{foreign}");
    }
    // A cursor is a place in an order and opens nothing.
    for list in ["executions", "workflows", "agents", "audit", "users", "api-keys"] {
        let first = blue.admin.client.get(&format!("/api/v1/{list}?limit=1")).await.expect(200);
        let Some(cursor) = first["next_cursor"].as_str() else { continue };
        let found = bob.get(&format!("/api/v1/{list}?limit=100&cursor={cursor}")).await.text;
        for id in [&blue.execution, &blue.workflow, &blue.agent, &blue.admin.id, &blue.key] {
            assert!(!found.contains(id.as_str()), "{list}: {found}");
        }
    }
    // Everything since the beginning of the store is everything of the own tenant.
    let mut feed = bob.events("/api/v1/executions/stream", Some(0)).await;
    let first = feed.next().await.unwrap();
    assert_eq!(first.data["data"]["id"], green.execution.as_str(), "{first:?}");
    let mut socket = Socket::connect(bob, "/ws/executions?after=0").await;
    let update = socket.until(|frame| frame["type"] == "execution_update").await;
    assert_eq!(update["data"]["id"], green.execution.as_str(), "{update}");
    for frame in ["subscribe", "cancel", "pause"] {
        let mut refusals = Vec::new();
        for id in [blue.execution.as_str(), "01a1fba2-d81b-7463-97a8-aef68bdcd168"] {
            socket.send(&json!({ "type": frame, "execution_id": id }).to_string()).await;
            let refused = socket.until(|frame| frame["type"] == "error").await;
            refusals.push(refused.to_string().replace(id, "ID"));
        }
        assert_eq!(refusals[0], refusals[1], "{frame}");
    }
    let exported = bob.get("/api/v1/audit/export").await.text;
    let metrics = service.with_key("").get("/metrics").await.text;
    let me = blue.admin.client.get("/api/v1/auth/me").await.expect(200);
    for secret in [me["tenant_id"].as_str().unwrap(), &blue.execution, &blue.admin.id] {
        assert!(!exported.contains(secret) && !metrics.contains(secret), "{secret}");
    }
    let own = bob.get("/api/v1/secrets").await.expect(200);
    assert_eq!(own["items"].as_array().map(Vec::len), Some(1), "{own}");
}

async fn a_stream_ends_with_the_credential_though_it_is_never_quiet(service: Service) {
    let watch = async |client: &Client| {
        let mut stream = client.events("/api/v1/executions/stream", None).await;
        let id = service.start_definition(nap(), json!({})).await;
        assert_eq!(stream.next().await.unwrap().data["data"]["id"], id.as_str());
        stream
    };
    let (vera, adam) = (person(&service, None, "viewer", "vera").await, person(&service, None, "admin", "adam").await);
    let (mut revoked, mut demoted) = (watch(&vera.client).await, watch(&adam.client).await);
    service.put(&format!("/api/v1/users/{}", vera.id), &json!({ "is_active": false })).await.expect(200);
    service.put(&format!("/api/v1/users/{}", adam.id), &json!({ "role": "member" })).await.expect(200);
    // What comes next is not shown any more.
    let unseen = service.start_definition(nap(), json!({})).await;
    for (stream, code) in [(&mut revoked, "invalid_credentials"), (&mut demoted, "forbidden")] {
        loop {
            let event = stream.next().await.expect("a last word");
            if event.name == "error" {
                assert_eq!(event.data["data"]["code"], code, "{event:?}");
                break;
            }
            assert_ne!(event.data["data"]["id"], unseen.as_str(), "{event:?}");
        }
        assert!(stream.next().await.is_none());
    }
}

async fn a_socket_does_not_act_on_the_rights_of_earlier(service: Service) {
    let adam = person(&service, None, "admin", "adam").await;
    let id = service.start_definition(nap(), json!({})).await;
    for (change, code) in
        [(json!({ "role": "viewer" }), None), (json!({ "is_active": false }), Some("invalid_credentials"))]
    {
        let mut socket = Socket::connect(&adam.client, "/ws/executions").await;
        assert_eq!(socket.frame().await["type"], "hello");
        service.put(&format!("/api/v1/users/{}", adam.id), &change).await.expect(200);
        socket.send(&json!({ "type": "cancel", "execution_id": id }).to_string()).await;
        if let Some(code) = code {
            let refused = socket.until(|frame| frame["type"] == "error").await;
            assert_eq!(refused["data"]["code"], code, "{refused}");
        }
        assert_eq!(socket.close_code().await, Some(1008));
        let execution = service.get(&format!("/api/v1/executions/{id}")).await.expect(200);
        assert_eq!(execution["finished_at"], Value::Null, "{execution}");
    }
}

async fn a_narrowed_key_makes_nobody_who_is_not(service: Service) {
    let adam = person(&service, None, "admin", "adam").await;
    let bob = person(&service, None, "member", "bob").await;
    let scopes = json!({ "name": "staff", "scopes": ["people:read", "people:write"] });
    let made = adam.client.post("/api/v1/api-keys", &scopes).await.expect(201);
    let staff = service.with_key(made["key"].as_str().unwrap());
    let eve =
        json!({ "email": "eve@example.org", "display_name": "Eve", "role": "viewer", "password": super::PASSWORD });
    staff.post("/api/v1/users", &eve).await.problem(403, "forbidden");
    staff.post(&format!("/api/v1/users/{}/reset", adam.id), &json!(null)).await.problem(403, "forbidden");
    let user = format!("/api/v1/users/{}", bob.id);
    staff.put(&user, &json!({ "role": "admin" })).await.problem(403, "forbidden");
    // What gives nothing away it may do.
    staff.put(&user, &json!({ "role": "viewer", "display_name": "Robert" })).await.expect(200);
    staff.put(&user, &json!({ "is_active": false })).await.expect(200);
}
