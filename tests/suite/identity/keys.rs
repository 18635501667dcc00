//! API keys: what they open, how they are narrowed, and that nobody hands out more than they have.

use super::{person, tenant};
use crate::on_both_databases;
use crate::service::Service;
use serde_json::json;

on_both_databases!(
    a_key_is_shown_once_and_opens_until_it_is_revoked,
    scopes_narrow_and_nobody_hands_out_more_than_they_have,
    own_things_only,
    two_tenants_see_nothing_of_each_other,
    the_audit_says_who_wrote_what,
);

async fn a_key_is_shown_once_and_opens_until_it_is_revoked(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let made = ada.client.post("/api/v1/api-keys", &json!({ "name": "build" })).await.expect(201);
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with(&format!("cb_{}_", made["prefix"].as_str().unwrap())));
    let build = service.with_key(key);
    assert_eq!(build.get("/api/v1/auth/me").await.expect(200)["owner_id"], ada.id);
    let shown = ada.client.get(&format!("/api/v1/api-keys/{id}")).await;
    assert!(!shown.text.contains(key.splitn(3, '_').last().unwrap()), "{}", shown.text);
    let other_end = if key.ends_with('x') { 'y' } else { 'x' };
    let almost = format!("{}{other_end}", &key[..key.len() - 1]);
    service.with_key(&almost).get("/api/v1/auth/me").await.problem(401, "invalid_credentials");
    ada.client.delete(&format!("/api/v1/api-keys/{id}")).await.expect(204);
    build.get("/api/v1/auth/me").await.problem(401, "invalid_credentials");
    let listed = ada.client.get("/api/v1/api-keys?include_revoked=true").await.expect(200);
    let revoked = listed["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap().clone();
    assert!(revoked["revoked_at"].is_string());
    let past = json!({ "name": "late", "expires_at": "2020-01-01T00:00:00Z" });
    ada.client.post("/api/v1/api-keys", &past).await.problem(400, "invalid_body");
}

async fn scopes_narrow_and_nobody_hands_out_more_than_they_have(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let scopes = json!(["executions:write", "keys:write"]);
    let made = ada.client.post("/api/v1/api-keys", &json!({ "name": "starter", "scopes": scopes })).await.expect(201);
    let starter = service.with_key(made["key"].as_str().unwrap());
    let id = starter.start_definition(json!([{ "nap": { "wait": { "hours": 1 } } }]), json!({})).await;
    starter.get(&format!("/api/v1/executions/{id}")).await.problem(403, "forbidden");
    starter.get("/api/v1/workflows").await.problem(403, "forbidden");
    // What it makes is its person's.
    assert_eq!(ada.client.get(&format!("/api/v1/executions/{id}")).await.expect(200)["created_by"], ada.id);
    for beyond in [
        json!({ "name": "x", "role": "admin" }),
        json!({ "name": "x", "scopes": ["executions:read"] }),
        json!({ "name": "x", "is_shared": true }),
    ] {
        starter.post("/api/v1/api-keys", &beyond).await.problem(403, "forbidden");
    }
    // Without scopes of its own a key has those of the key that makes it.
    let made = starter.post("/api/v1/api-keys", &json!({ "name": "child" })).await.expect(201);
    assert_eq!(made["scopes"], scopes);
    let admin = person(&service, None, "admin", "grace").await;
    let operator = json!({ "email": "o@example.org", "display_name": "O", "role": "operator" });
    admin.client.post("/api/v1/users", &operator).await.problem(403, "forbidden");
}

async fn own_things_only(service: Service) {
    let (ada, bob) = (person(&service, None, "member", "ada").await, person(&service, None, "member", "bob").await);
    let watcher = person(&service, None, "viewer", "vera").await;
    let nap = || json!([{ "nap": { "wait": { "hours": 1 } } }]);
    let theirs = bob.client.start_definition(nap(), json!({})).await;
    let own = ada.client.start_definition(nap(), json!({})).await;
    let listed = async |client: &crate::service::Client, query: &str| {
        let found = client.get(&format!("/api/v1/executions?{query}")).await.expect(200);
        let ids: Vec<String> =
            found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found["total"], ids.len());
        ids
    };
    assert_eq!(listed(&ada.client, "").await, std::slice::from_ref(&own));
    assert!(listed(&ada.client, &format!("created_by={}", bob.id)).await.is_empty());
    assert_eq!(listed(&watcher.client, "").await.len(), 2);
    let active = ada.client.get("/api/v1/executions/active").await.expect(200);
    assert!(active["items"].as_array().unwrap().iter().all(|item| item["id"] == own.as_str()), "{active}");
    // An Idempotency-Key of somebody else says nothing about what they did with it.
    let body = json!({ "definition": crate::service::definition("same", "1.0.0", nap()) });
    let keyed = [("Idempotency-Key", "monday")];
    let mine = ada.client.post_with("/api/v1/executions", &keyed, &body).await.expect(201);
    let his = bob.client.post_with("/api/v1/executions", &keyed, &body).await.expect(201);
    assert_ne!(mine["id"], his["id"]);
    // A version of somebody else's workflow would be what others get as the latest.
    bob.client.register("shared", "1.0.0", nap()).await;
    let newer = crate::service::definition("shared", "2.0.0", nap());
    ada.client.post("/api/v1/workflows", &newer).await.problem(403, "forbidden");
    let cancelled = bob.client.post(&format!("/api/v1/executions/{theirs}/cancel"), &json!({})).await;
    cancelled.expect(202);
}

async fn two_tenants_see_nothing_of_each_other(service: Service) {
    let (blue, green) = (tenant(&service, "blue").await, tenant(&service, "green").await);
    let ada = person(&service, Some(&blue), "admin", "ada").await;
    let bob = person(&service, Some(&green), "admin", "bob").await;
    let id = ada.client.start_definition(json!([{ "nap": { "wait": { "hours": 1 } } }]), json!({})).await;
    ada.client.register("hello", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])).await;
    for list in ["executions", "workflows", "audit", "executions/active"] {
        let found = bob.client.get(&format!("/api/v1/{list}")).await;
        assert!(!found.text.contains(&id) && !found.text.contains("\"hello\""), "{list}: {}", found.text);
    }
    bob.client.get(&format!("/api/v1/executions/{id}")).await.problem(404, "not_found");
    let peek = [("X-Tenant-Id", blue.as_str())];
    bob.client.post_with("/api/v1/workflows/validate", &peek, &json!({})).await.problem(404, "not_found");
    // An operator looks into a tenant by naming it.
    service.get(&format!("/api/v1/executions/{id}")).await.problem(404, "not_found");
    let request = service.request(reqwest::Method::GET, &format!("/api/v1/executions/{id}"));
    crate::service::answer(request.header("X-Tenant-Id", &blue)).await.expect(200);
    service.put(&format!("/api/v1/tenants/{blue}"), &json!({ "is_active": false })).await.expect(200);
    ada.client.get("/api/v1/auth/me").await.problem(401, "invalid_credentials");
    bob.client.get("/api/v1/auth/me").await.expect(200);
}

async fn the_audit_says_who_wrote_what(service: Service) {
    let ada = person(&service, None, "admin", "ada").await;
    let headers = [("X-Request-Id", "the-request")];
    let body =
        json!({ "definition": crate::service::definition("a", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });
    let id = ada.client.post_with("/api/v1/executions", &headers, &body).await.expect(201)["id"].clone();
    ada.client.put(&format!("/api/v1/users/{}", ada.id), &json!({ "display_name": "Countess" })).await.expect(200);
    let entries = service.get(&format!("/api/v1/audit?target_id={}", id.as_str().unwrap())).await.expect(200);
    let entry = &entries["items"][0];
    assert_eq!((&entry["action"], &entry["actor_name"]), (&json!("execution_started"), &json!("ada")), "{entries}");
    assert_eq!(entry["request_id"], "the-request");
    let changed = service.get("/api/v1/audit?action=user_changed").await.expect(200);
    let entry = &changed["items"][0];
    assert!(entry["before_digest"] != entry["after_digest"] && entry["before_digest"].is_string(), "{entry}");
    let exported = service.get("/api/v1/audit/export").await;
    assert_eq!(exported.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<serde_json::Value> = exported.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 4 && lines.iter().any(|line| line["action"] == "signed_in"), "{}", exported.text);
    assert!(!exported.text.contains("Countess") || exported.text.contains("actor_name"), "values are not kept");
}
