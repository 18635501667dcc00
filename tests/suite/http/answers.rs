//! A request with an `Idempotency-Key` whose answer holds something secret: made once, answered again, and to nobody else.

use crate::identity::{PASSWORD, Person, person, sign_in, tenant};
use crate::on_both_databases;
use crate::service::{Answer, Client, Database, Service, answer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;

on_both_databases!(
    keys_people_and_links_are_made_once_and_answered_again,
    an_answer_is_for_the_very_principal_that_got_it,
    whoever_hangs_up_finds_what_was_made,
    an_answer_outlives_a_restart_and_a_rotation_of_keys,
);

const KEYS: &str = "/api/v1/api-keys";
const USERS: &str = "/api/v1/users";

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

/// Posts with a key.
async fn keyed(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    client.post_with(path, &[("Idempotency-Key", key)], body).await
}

/// How many of the API keys that somebody sees have this name.
async fn keys_named(client: &Client, name: &str) -> usize {
    let listed = client.get(&format!("{KEYS}?limit=100")).await.expect(200);
    listed["items"].as_array().unwrap().iter().filter(|key| key["name"] == name).count()
}

/// Posts twice: the second answer is the first once more, and is marked.
async fn twice(client: &Client, path: &str, key: &str, body: &Value) -> Value {
    let first = keyed(client, path, key, body).await;
    assert!(!is_replayed(&first));
    let (location, caching) =
        (first.header("location").map(str::to_owned), first.header("cache-control").map(str::to_owned));
    assert_eq!(caching.as_deref(), Some("no-store"));
    let first = first.expect(201);
    if let Some(id) = first["id"].as_str() {
        assert_eq!(location, Some(format!("{path}/{id}")));
    }
    let second = keyed(client, path, key, body).await;
    assert!(is_replayed(&second));
    assert_eq!(second.header("location").map(str::to_owned), location);
    assert_eq!(second.header("cache-control").map(str::to_owned), caching);
    assert_eq!(second.expect(201), first);
    first
}

async fn keys_people_and_links_are_made_once_and_answered_again(service: Service) {
    let made = twice(&service, KEYS, "k1", &json!({ "name": "nightly" })).await;
    service.with_key(made["key"].as_str().unwrap()).get("/api/v1/auth/me").await.expect(200);
    assert_eq!(keys_named(&service, "nightly").await, 1);
    let other = keyed(&service, KEYS, "k1", &json!({ "name": "daily" })).await.problem(409, "idempotency_conflict");
    assert!(other["detail"].as_str().unwrap().contains(made["id"].as_str().unwrap()), "{other}");
    assert!(!other.to_string().contains(made["key"].as_str().unwrap()), "{other}");
    assert_eq!(keys_named(&service, "daily").await, 0);

    let invited = json!({ "email": "ada@example.org", "display_name": "Ada", "role": "member" });
    let ada = twice(&service, USERS, "k2", &invited).await;
    let token = ada["sign_in_token"].as_str().unwrap();
    let first = json!({ "token": token, "password": PASSWORD });
    service.with_key("").post("/api/v1/auth/first-sign-in", &first).await.expect(200);
    let link = twice(&service, &format!("{USERS}/{}/reset", ada["id"].as_str().unwrap()), "k3", &json!({})).await;
    let again = json!({ "token": link["sign_in_token"], "password": "another password" });
    service.with_key("").post("/api/v1/auth/first-sign-in", &again).await.expect(200);

    let with_password = |password: &str| json!({ "email": "bob@example.org", "display_name": "Bob", "role": "member", "password": password });
    let bob = twice(&service, USERS, "k4", &with_password(PASSWORD)).await;
    sign_in(&service, "bob@example.org", PASSWORD).await;
    let other = keyed(&service, USERS, "k4", &with_password("another password")).await;
    let other = other.problem(409, "idempotency_conflict");
    assert!(other["detail"].as_str().unwrap().contains(bob["id"].as_str().unwrap()), "{other}");

    // A key that was used for something else, in either direction.
    let agent = json!({ "name": "Once", "adapter": "builtin" });
    keyed(&service, "/api/v1/agents", "k1", &agent).await.problem(409, "idempotency_conflict");
    // What is refused gives its key back.
    keyed(&service, USERS, "k5", &with_password(PASSWORD)).await.problem(409, "already_exists");
    keyed(&service, KEYS, "k5", &json!({ "name": "weekly" })).await.expect(201);
    let entries = service.get("/api/v1/audit?action=user_created").await.expect(200);
    assert_eq!(entries["total"], 3, "the first operator, Ada and Bob: a replay is no second write: {entries}");
}

async fn an_answer_is_for_the_very_principal_that_got_it(service: Service) {
    let (blue, green) = (tenant(&service, "blue").await, tenant(&service, "green").await);
    let Person { access_token, id, .. } = person(&service, Some(&blue), "admin", "ada").await;
    let bob = person(&service, Some(&blue), "admin", "bob").await;
    let eve = person(&service, Some(&green), "admin", "eve").await;
    let bearer = format!("Bearer {access_token}");
    let nobody = service.with_key("");
    let as_ada = async |body: &Value| {
        nobody.post_with(KEYS, &[("Authorization", &bearer), ("Idempotency-Key", "guessed")], body).await
    };
    let body = json!({ "name": "everything" });
    let first = as_ada(&body).await.expect(201);
    let text = first["key"].as_str().unwrap();
    let narrow = json!({ "name": "narrow", "scopes": ["keys:write", "keys:read"] });
    let narrow = nobody.post_with(KEYS, &[("Authorization", &bearer)], &narrow).await.expect(201);
    // A key of hers that may do less, a colleague, somebody of another tenant, and an operator who looks into hers.
    let narrow = service.with_key(narrow["key"].as_str().unwrap());
    for other in [&narrow, &bob.client, &eve.client] {
        let answered = keyed(other, KEYS, "guessed", &body).await;
        assert!(!is_replayed(&answered) && !answered.text.contains(text), "{}", answered.text);
        answered.expect(201);
    }
    let looking = [("Idempotency-Key", "guessed"), ("X-Tenant-Id", blue.as_str())];
    let answered = service.post_with(KEYS, &looking, &body).await;
    assert!(!is_replayed(&answered) && !answered.text.contains(text));
    // The operator's own key in one tenant is another one in the next.
    let elsewhere = [("Idempotency-Key", "guessed"), ("X-Tenant-Id", green.as_str())];
    assert!(!is_replayed(&service.post_with(KEYS, &elsewhere, &body).await));
    assert!(is_replayed(&service.post_with(KEYS, &looking, &body).await));
    assert_eq!(as_ada(&body).await.expect(201), first);

    // What she may not do any more is not answered any more either.
    let shared = json!({ "name": "shared", "is_shared": true });
    let as_admin = [("Authorization", bearer.as_str()), ("Idempotency-Key", "shared")];
    nobody.post_with(KEYS, &as_admin, &shared).await.expect(201);
    let request = service.request(Method::PUT, &format!("{USERS}/{id}")).header("X-Tenant-Id", &blue);
    answer(request.json(&json!({ "role": "member" }))).await.expect(200);
    nobody.post_with(KEYS, &as_admin, &shared).await.problem(403, "forbidden");
    assert_eq!(as_ada(&body).await.expect(201), first, "a key of her own has the role that she has now");
}

/// Whoever does not wait for the answer asks again. Whatever had become of the first request, there is one key.
async fn whoever_hangs_up_finds_what_was_made(service: Service) {
    for round in 0..10 {
        let (key, name) = (format!("round-{round}"), format!("impatient-{round}"));
        let text = json!({ "name": name }).to_string();
        let head = format!(
            "POST {KEYS} HTTP/1.1\r\nHost: {}\r\nX-API-Key: {}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            service.authority(),
            service.key,
            text.len()
        );
        let mut impatient = TcpStream::connect(service.authority()).unwrap();
        impatient.write_all(format!("{head}{text}").as_bytes()).unwrap();
        drop(impatient);
        let send = async || {
            let request = service.request(Method::POST, KEYS).header("Idempotency-Key", &key);
            answer(request.header("Content-Type", "application/json").body(text.clone())).await
        };
        let mut answered = send().await;
        // The first one is still being served: that ends.
        while answered.status == 409 {
            answered.problem(409, "request_in_progress");
            answered = send().await;
        }
        let made = answered.expect(201);
        assert_eq!(keys_named(&service, &name).await, 1);
        service.with_key(made["key"].as_str().unwrap()).get("/api/v1/auth/me").await.expect(200);
    }
}

fn secrets_key(id: &str, byte: u8) -> String {
    format!("{id}={}", STANDARD.encode([byte; 32]))
}

async fn an_answer_outlives_a_restart_and_a_rotation_of_keys(mut service: Service) {
    let (old, new) = (secrets_key("old", 1), secrets_key("new", 2));
    service.set("secrets.keys", &old);
    service.restart();
    let body = json!({ "name": "rotated" });
    let first = keyed(&service, KEYS, "k", &body).await.expect(201);
    service.set("secrets.keys", &format!("{new},{old}"));
    service.restart();
    assert_eq!(keyed(&service, KEYS, "k", &body).await.expect(201), first);
    // Secrets are counted, answers go along.
    let rotated = service.post("/api/v1/secret-keys/rotate", &json!({})).await.expect(200);
    assert_eq!(rotated, json!({ "rotated": 0, "unreadable": 0 }));
    service.set("secrets.keys", &new);
    service.restart();
    let again = keyed(&service, KEYS, "k", &body).await;
    assert!(is_replayed(&again));
    assert_eq!(again.expect(201), first);

    // Without its key nobody reads it, and nothing is made a second time.
    service.set("secrets.keys", &old);
    service.restart();
    let lost = keyed(&service, KEYS, "k", &body).await.problem(409, "idempotency_conflict");
    let detail = lost["detail"].as_str().unwrap();
    assert!(detail.contains("decrypted") && detail.contains(first["id"].as_str().unwrap()), "{lost}");
    assert_eq!(keys_named(&service, "rotated").await, 1);
}

#[tokio::test]
async fn without_keys_an_answer_lives_as_long_as_the_process() {
    let mut service = Service::start(Database::Sqlite);
    service.set("secrets.key_file", "");
    service.set("secrets.generate_key", "false");
    service.restart();
    service.put("/api/v1/secrets/any", &json!({ "value": "long enough" })).await.problem(503, "no_secret_key");
    let made = twice(&service, KEYS, "k", &json!({ "name": "passing" })).await;
    service.restart();
    let lost = keyed(&service, KEYS, "k", &json!({ "name": "passing" })).await.problem(409, "idempotency_conflict");
    assert!(lost["detail"].as_str().unwrap().contains(made["id"].as_str().unwrap()), "{lost}");
    assert_eq!(keys_named(&service, "passing").await, 1);
}
