//! What somebody tries who is on the way out, or would rather be somebody else.

use super::{PASSWORD, person, tenant};
use crate::live::client::Socket;
use crate::on_both_databases;
use crate::service::{Database, Service, definition};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(
    a_socket_shows_nothing_to_whoever_was_let_go,
    passwords_are_not_guessed_with_the_help_of_another_tenant,
    one_person_does_not_take_the_tickets_of_all,
    nobody_chooses_the_address_of_somebody_else,
    a_key_that_ends_makes_nobody_who_stays,
    a_key_for_another_tenant_reaches_no_further_by_itself,
);

async fn a_socket_shows_nothing_to_whoever_was_let_go(service: Service) {
    let start = async || {
        let body = json!({ "definition": definition("work", "1.0.0", json!([{ "a": { "set": { "b": 1 } } }])) });
        service.post("/api/v1/executions", &body).await.expect(201);
    };
    for change in [json!({ "is_active": false }), json!({ "role": "member" })] {
        let name = if change["role"].is_null() { "ada" } else { "bob" };
        let leaver = person(&service, None, "admin", name).await;
        let path = format!("/ws/executions?token={}", leaver.access_token);
        let mut socket = Socket::connect(&service.with_key(""), &path).await;
        assert_eq!(socket.frame().await["type"], "hello");
        start().await;
        assert_eq!(socket.frame().await["type"], "execution_update");
        service.put(&format!("/api/v1/users/{}", leaver.id), &change).await.expect(200);
        start().await;
        // What was on its way before may still come; the session ends long before the next probe.
        assert_eq!(socket.close_code().await, Some(1008), "{change}");
    }
}

async fn passwords_are_not_guessed_with_the_help_of_another_tenant(service: Service) {
    let blue = tenant(&service, "blue").await;
    person(&service, None, "admin", "ada").await;
    let twin = json!({ "email": "ada@example.org", "display_name": "Twin", "role": "member", "password": PASSWORD });
    service.post_with("/api/v1/users", &[("X-Tenant-Id", &blue)], &twin).await.expect(201);
    let attempt = async |tenant: &str, password: &str| {
        let body = json!({ "email": "ada@example.org", "password": password, "tenant": tenant });
        service.with_key("").post("/api/v1/auth/login", &body).await
    };
    // However slow the machine: the waits double.
    for _ in 0..12 {
        let guess = attempt("default", "a guess that is wrong").await.status;
        if guess == 429 || attempt("blue", PASSWORD).await.status == 429 {
            return;
        }
    }
    panic!("a dozen guesses had to wait for nothing");
}

async fn one_person_does_not_take_the_tickets_of_all(service: Service) {
    let (greedy, modest) =
        (person(&service, None, "viewer", "ada").await, person(&service, None, "viewer", "bob").await);
    let ticket = async |client: &crate::service::Client| client.post("/api/v1/auth/ticket", &json!({})).await;
    for _ in 0..200 {
        ticket(&greedy.client).await.expect(201);
    }
    ticket(&greedy.client).await.problem(429, "too_many_attempts");
    ticket(&modest.client).await.expect(201);
}

async fn nobody_chooses_the_address_of_somebody_else(service: Service) {
    let added = json!({ "email": "eve@example.org", "display_name": "Eve", "role": "viewer" });
    let added = service.post("/api/v1/users", &added).await.expect(201);
    let redeem = async |email: Value| {
        let body = json!({ "token": added["sign_in_token"], "password": PASSWORD, "email": email });
        service.with_key("").post("/api/v1/auth/first-sign-in", &body).await
    };
    let refused = redeem(json!("chief@example.org")).await.problem(400, "invalid_body");
    assert_eq!(refused["errors"][0]["pointer"], "/email", "{refused}");
    assert_eq!(redeem(json!(" Eve@Example.org")).await.expect(200)["user"]["email"], "eve@example.org");
}

async fn a_key_that_ends_makes_nobody_who_stays(service: Service) {
    let adam = person(&service, None, "admin", "adam").await;
    let ends = json!({ "name": "for a day", "expires_at": "2100-01-01T00:00:00Z" });
    let made = adam.client.post("/api/v1/api-keys", &ends).await.expect(201);
    let key = service.with_key(made["key"].as_str().unwrap());
    let eve = json!({ "email": "eve@example.org", "display_name": "Eve", "role": "viewer", "password": PASSWORD });
    key.post("/api/v1/users", &eve).await.problem(403, "forbidden");
    key.post(&format!("/api/v1/users/{}/reset", adam.id), &json!(null)).await.problem(403, "forbidden");
    adam.client.post("/api/v1/users", &eve).await.expect(201);
}

async fn a_key_for_another_tenant_reaches_no_further_by_itself(service: Service) {
    let blue = tenant(&service, "blue").await;
    let make =
        async |body: Value| service.post_with("/api/v1/api-keys", &[("X-Tenant-Id", &blue)], &body).await.expect(201);
    assert_eq!(make(json!({ "name": "for the customer" })).await["role"], "admin");
    assert_eq!(make(json!({ "name": "on purpose", "role": "operator" })).await["role"], "operator");
}

#[tokio::test]
async fn one_tenant_does_not_take_the_sockets_of_all() {
    let service = Service::start_with(Database::Sqlite, &[("live.max_sessions_per_tenant", "2")]);
    let blue = tenant(&service, "blue").await;
    let ada = person(&service, Some(&blue), "viewer", "ada").await;
    let stream = "/api/v1/executions/stream";
    let mut first = Socket::connect(&ada.client, "/ws/executions").await;
    let _second = ada.client.events(stream, None).await;
    let refused = ada.client.get(stream).await;
    assert!(refused.header("retry-after").is_some());
    refused.problem(429, "rate_limited");
    // The others have theirs, and whoever leaves makes room.
    service.events(stream, None).await;
    for _ in 0..5 {
        first.send("no frame at all").await;
    }
    assert_eq!(first.close_code().await, Some(1008));
    let next = loop {
        let answer = ada.client.request(Method::GET, stream).send().await.unwrap();
        if answer.status() != 429 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(next.status(), 200);
}
