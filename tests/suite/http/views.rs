//! Saved views over HTTP: own ones, shared ones, and the walls between people and tenants.

use crate::identity::{person, tenant};
use crate::on_both_databases;
use crate::service::{Client, Service, answer};
use serde_json::{Value, json};

on_both_databases!(
    a_view_is_saved_changed_and_removed,
    what_is_shared_is_seen_by_the_tenant_and_nothing_else_is,
    viewers_keep_views_and_do_not_share,
    a_repeated_save_makes_one_view,
    a_key_saves_for_its_person,
    the_number_of_views_is_limited_and_a_place_is_given_back,
);

const VIEWS: &str = "/api/v1/views";

fn body(name: &str, is_shared: bool) -> Value {
    json!({ "list": "executions", "name": name, "query": { "status": "failed" }, "is_shared": is_shared })
}

async fn save(client: &Client, name: &str, is_shared: bool) -> String {
    let made = client.post(VIEWS, &body(name, is_shared)).await.expect(201);
    format!("{VIEWS}/{}", made["id"].as_str().unwrap())
}

/// The names of the views that a list holds.
async fn names(client: &Client, query: &str) -> Vec<String> {
    let found = client.get(&format!("{VIEWS}?{query}")).await.expect(200);
    found["items"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap().to_owned()).collect()
}

async fn a_view_is_saved_changed_and_removed(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let query = json!({ "status": "failed,cancelled", "since": "24h", "label": "team=blue", "columns": "owner" });
    let body = json!({ "list": "executions", "name": "  Failed at night ", "query": query });
    let answer = ada.client.post(VIEWS, &body).await;
    let location = answer.header("location").unwrap().to_owned();
    let made = answer.expect(201);
    assert_eq!(location, format!("{VIEWS}/{}", made["id"].as_str().unwrap()));
    assert_eq!((&made["name"], &made["is_shared"]), (&json!("Failed at night"), &json!(false)));
    assert_eq!((&made["created_by"], &made["created_by_name"]), (&json!(ada.id), &json!("ada")));
    assert_eq!(made["query"], query);
    assert_eq!(ada.client.get(&location).await.expect(200), made);
    let problem = ada.client.post(VIEWS, &body).await.problem(409, "already_exists");
    assert!(problem["detail"].as_str().unwrap().contains("Failed at night"), "{problem}");

    let wrong = json!({ "status": "lost", "colour": "blue", "q": "x".repeat(1_001) });
    let wrong = json!({ "list": "executions", "name": " ", "query": wrong });
    let problem = ada.client.post(VIEWS, &wrong).await.problem(400, "invalid_body");
    let pointers = problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap());
    assert_eq!(pointers.collect::<Vec<_>>(), ["/name", "/query/colour", "/query/q", "/query/status"]);
    for wrong in [
        json!({ "list": "agents", "name": "a", "query": {} }),
        json!({ "list": "executions", "name": "a", "query": { "status": ["failed"] } }),
        json!({ "list": "executions", "name": "a" }),
        json!({ "list": "executions", "name": "a", "query": {}, "created_by": "somebody" }),
    ] {
        ada.client.post(VIEWS, &wrong).await.problem(400, "invalid_body");
    }

    let changed = ada.client.put(&location, &json!({ "name": "Failed" })).await.expect(200);
    assert_eq!((&changed["name"], &changed["query"]), (&json!("Failed"), &query), "what is left out stays");
    let changed = ada.client.put(&location, &json!({ "query": {} })).await.expect(200);
    assert_eq!((&changed["name"], &changed["query"]), (&json!("Failed"), &json!({})), "a query is replaced");
    assert_eq!(changed["created_at"], made["created_at"]);
    ada.client.put(&location, &json!({ "query": { "since": "2y" } })).await.problem(400, "invalid_body");
    save(&ada.client, "Slow", false).await;
    ada.client.put(&location, &json!({ "name": "Slow" })).await.problem(409, "already_exists");
    assert_eq!(names(&ada.client, "list=executions").await, ["Slow", "Failed"], "newest first");
    let first = ada.client.get(&format!("{VIEWS}?limit=1")).await.expect(200);
    let next = format!("limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(names(&ada.client, &next).await, ["Failed"]);
    let page = ada.client.get(&format!("{VIEWS}?page=2&size=1")).await.expect(200);
    assert_eq!((&page["total"], &page["items"][0]["name"]), (&json!(2), &json!("Failed")));
    ada.client.get(&format!("{VIEWS}?list=agents")).await.problem(400, "invalid_query");

    ada.client.delete(&location).await.expect(204);
    ada.client.get(&location).await.problem(404, "not_found");
    ada.client.delete(&location).await.problem(404, "not_found");
    let audit = format!("/api/v1/audit?target_id={}", made["id"].as_str().unwrap());
    let entries = service.get(&audit).await.expect(200)["items"].clone();
    let actions: Vec<&str> =
        entries.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["view_removed", "view_changed", "view_changed", "view_created"], "refusals leave none");
    assert_eq!(entries[2]["before_digest"], entries[3]["after_digest"]);
    assert_eq!(entries[0]["before_digest"], entries[1]["after_digest"]);
}

async fn what_is_shared_is_seen_by_the_tenant_and_nothing_else_is(service: Service) {
    let blue = tenant(&service, "blue").await;
    let (ada, bob) = (person(&service, None, "member", "ada").await, person(&service, None, "member", "bob").await);
    let grace = person(&service, None, "admin", "grace").await;
    let eve = person(&service, Some(&blue), "admin", "eve").await;
    let private = save(&ada.client, "private", false).await;
    let shared = save(&ada.client, "shared", true).await;
    assert_eq!(bob.client.get(&shared).await.expect(200)["created_by_name"], "ada");
    bob.client.get(&private).await.problem(403, "forbidden");
    for path in [&shared, &private] {
        bob.client.put(path, &json!({ "name": "mine" })).await.problem(403, "forbidden");
        bob.client.delete(path).await.problem(403, "forbidden");
        eve.client.get(path).await.problem(404, "not_found");
        eve.client.put(path, &json!({ "name": "mine" })).await.problem(404, "not_found");
        eve.client.delete(path).await.problem(404, "not_found");
    }
    save(&bob.client, "private", false).await;
    assert_eq!(names(&bob.client, "").await, ["private", "shared"]);
    assert_eq!(names(&bob.client, "is_shared=true").await, ["shared"]);
    assert_eq!(names(&bob.client, &format!("created_by={}", ada.id)).await, ["shared"]);
    assert!(names(&eve.client, &format!("created_by={}", ada.id)).await.is_empty());
    // An admin sees what somebody keeps for themselves when it is asked for, and puts shared ones right.
    assert_eq!(names(&grace.client, "").await, ["shared"]);
    assert_eq!(names(&grace.client, &format!("created_by={}", ada.id)).await, ["shared", "private"]);
    let changed = grace.client.put(&shared, &json!({ "name": "for all" })).await.expect(200);
    assert_eq!((&changed["created_by"], &changed["name"]), (&json!(ada.id), &json!("for all")), "it stays hers");
    ada.client.put(&shared, &json!({ "is_shared": false })).await.expect(200);
    bob.client.get(&shared).await.problem(403, "forbidden");
    assert_eq!(names(&bob.client, "").await, ["private"]);
    ada.client.put(&shared, &json!({ "is_shared": true })).await.expect(200);
    // An operator looks into another tenant, where nothing of this one is.
    let there = service.request(reqwest::Method::GET, VIEWS).header("X-Tenant-Id", &blue);
    assert_eq!(answer(there).await.expect(200)["total"], 0);
    service.delete(&format!("/api/v1/users/{}", ada.id)).await.expect(204);
    bob.client.get(&shared).await.problem(404, "not_found");
    assert_eq!(names(&bob.client, "").await, ["private"]);
}

async fn viewers_keep_views_and_do_not_share(service: Service) {
    let vera = person(&service, None, "viewer", "vera").await;
    let own = save(&vera.client, "own", false).await;
    vera.client.put(&own, &json!({ "name": "still own" })).await.expect(200);
    vera.client.post(VIEWS, &body("for all", true)).await.problem(403, "forbidden");
    vera.client.put(&own, &json!({ "is_shared": true })).await.problem(403, "forbidden");
    assert_eq!(names(&vera.client, "").await, ["still own"]);
    // Whoever may not share any more decides no longer what others see, and may still take back what is theirs.
    let bob = person(&service, None, "member", "bob").await;
    let (first, second) = (save(&bob.client, "1", true).await, save(&bob.client, "2", true).await);
    service.put(&format!("/api/v1/users/{}", bob.id), &json!({ "role": "viewer" })).await.expect(200);
    bob.client.put(&first, &json!({ "query": {} })).await.problem(403, "forbidden");
    bob.client.put(&first, &json!({ "query": {}, "is_shared": false })).await.expect(200);
    bob.client.delete(&second).await.expect(204);
    assert_eq!(names(&vera.client, "").await, ["still own"]);
}

async fn a_repeated_save_makes_one_view(service: Service) {
    let (ada, bob) = (person(&service, None, "member", "ada").await, person(&service, None, "member", "bob").await);
    let key = [("Idempotency-Key", "view-1")];
    let first = ada.client.post_with(VIEWS, &key, &body("once", false)).await;
    let location = first.header("location").unwrap().to_owned();
    let first = first.expect(201);
    let again = ada.client.post_with(VIEWS, &key, &body("once", false)).await;
    let replayed = (again.header("idempotency-replayed"), again.header("location"));
    assert_eq!(replayed, (Some("true"), Some(location.as_str())));
    assert_eq!(again.expect(201), first);
    ada.client.post_with(VIEWS, &key, &body("other", false)).await.problem(409, "idempotency_conflict");
    let his = bob.client.post_with(VIEWS, &key, &body("once", false)).await.expect(201);
    assert_ne!(his["id"], first["id"], "keys of others are others");
    // A refused request gives its key back.
    let key = [("Idempotency-Key", "view-2")];
    ada.client.post_with(VIEWS, &key, &body("once", false)).await.problem(409, "already_exists");
    ada.client.post_with(VIEWS, &key, &body("twice", false)).await.expect(201);
    let made = body("together", false);
    let together = futures_util::future::join_all((0..5).map(|_| ada.client.post(VIEWS, &made))).await;
    let mut statuses: Vec<u16> = together.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409], "a name is given once");
}

async fn a_key_saves_for_its_person(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let grace = person(&service, None, "admin", "grace").await;
    let key = async |owner: &Client, body: Value| {
        let made = owner.post("/api/v1/api-keys", &body).await.expect(201);
        (service.with_key(made["key"].as_str().unwrap()), made["id"].as_str().unwrap().to_owned())
    };
    let scopes = json!(["views:read", "views:write"]);
    let (narrowed, _) = key(&ada.client, json!({ "name": "narrowed", "scopes": scopes })).await;
    let (reading, _) = key(&ada.client, json!({ "name": "reading", "scopes": ["views:read"] })).await;
    let (other, _) = key(&ada.client, json!({ "name": "other", "scopes": ["executions:write"] })).await;
    let (shared, shared_id) = key(&grace.client, json!({ "name": "build", "role": "member", "is_shared": true })).await;
    let own = save(&narrowed, "made by a program", false).await;
    narrowed.get("/api/v1/executions").await.problem(403, "forbidden");
    assert_eq!(ada.client.get(&own).await.expect(200)["created_by"], ada.id);
    assert_eq!(names(&reading, "").await, ["made by a program"]);
    reading.post(VIEWS, &body("x", false)).await.problem(403, "forbidden");
    reading.delete(&own).await.problem(403, "forbidden");
    other.get(&own).await.problem(403, "forbidden");
    // A key that belongs to nobody has views of its own.
    shared.get(&own).await.problem(403, "forbidden");
    let of_key = save(&shared, "nightly", true).await;
    let seen = ada.client.get(&of_key).await.expect(200);
    assert_eq!((&seen["created_by"], &seen["created_by_name"]), (&json!(shared_id), &json!("build")));
    ada.client.delete(&own).await.expect(204);
    ada.client.delete(&of_key).await.problem(403, "forbidden");
    grace.client.delete(&of_key).await.expect(204);
}

async fn the_number_of_views_is_limited_and_a_place_is_given_back(service: Service) {
    let (ada, bob) = (person(&service, None, "viewer", "ada").await, person(&service, None, "member", "bob").await);
    let mut last = String::new();
    for number in 0..100 {
        last = save(&ada.client, &number.to_string(), false).await;
    }
    let problem = ada.client.post(VIEWS, &body("one more", false)).await.problem(409, "limit_reached");
    assert!(problem["detail"].as_str().unwrap().contains("100"), "{problem}");
    save(&bob.client, "first", false).await;
    ada.client.put(&last, &json!({ "name": "renamed" })).await.expect(200);
    ada.client.delete(&last).await.expect(204);
    save(&ada.client, "one more", false).await;
}
