//! A request with an `Idempotency-Key` has its effect once.

use crate::on_both_databases;
use crate::service::{Service, answer, definition};
use serde_json::{Value, json};

on_both_databases!(
    a_repeated_start_is_answered_with_the_first_answer,
    another_request_with_the_same_key_is_refused,
    simultaneous_repetitions_make_one_execution,
    agents_and_workflows_are_made_once,
    a_key_survives_a_restart,
    retries_and_reruns_are_made_once,
);

fn body(n: u32) -> Value {
    json!({"definition": definition("once", "1.0.0", json!([{"a": {"set": {"n": n}}}])), "input": {"n": n}})
}

async fn a_repeated_start_is_answered_with_the_first_answer(service: Service) {
    let send = || async { service.post_with("/api/v1/executions", &[("Idempotency-Key", "key-1")], &body(1)).await };
    let first = send().await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let location = first.header("location").unwrap().to_owned();
    let first = first.expect(201);
    service.ended(first["id"].as_str().unwrap()).await;
    let second = send().await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.header("location"), Some(location.as_str()));
    assert_eq!(second.expect(201), first);
    assert_eq!(service.get("/api/v1/executions").await.expect(200)["total"], 1);
}

async fn another_request_with_the_same_key_is_refused(service: Service) {
    let key = [("Idempotency-Key", "key-2")];
    let first = service.post_with("/api/v1/executions", &key, &body(1)).await.expect(201);
    let problem = service.post_with("/api/v1/executions", &key, &body(2)).await.problem(409, "idempotency_conflict");
    assert!(problem["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()), "{problem}");
    let agent = json!({"name": "Once", "adapter": "builtin"});
    service.post_with("/api/v1/agents", &key, &agent).await.problem(409, "idempotency_conflict");
    for bad in ["", "two words", &"x".repeat(256)] {
        let refused = service.post_with("/api/v1/executions", &[("Idempotency-Key", bad)], &body(1)).await;
        refused.problem(400, "invalid_header");
    }
}

async fn simultaneous_repetitions_make_one_execution(service: Service) {
    let send = |_| service.post_with("/api/v1/executions", &[("Idempotency-Key", "key-3")], &BODY);
    static BODY: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| body(3));
    let answers = futures_util::future::join_all((0..20).map(send)).await;
    let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_some()).count();
    assert_eq!(replayed, 19);
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(service.get("/api/v1/executions").await.expect(200)["total"], 1);
}

async fn agents_and_workflows_are_made_once(service: Service) {
    let agent = json!({"name": "Once", "adapter": "builtin", "parameters": {"skill": "echo"}});
    let send = || service.post_with("/api/v1/agents", &[("Idempotency-Key", "key-4")], &agent);
    let first = send().await;
    let location = first.header("location").unwrap().to_owned();
    let first = first.expect(201);
    assert_eq!(location, format!("/api/v1/agents/{}", first["id"].as_str().unwrap()));
    let second = send().await;
    assert_eq!(
        (second.header("idempotency-replayed"), second.header("location")),
        (Some("true"), Some(location.as_str()))
    );
    assert_eq!(second.expect(201), first);
    let other = json!({"name": "Other", "adapter": "builtin"});
    let refused = service.post_with("/api/v1/agents", &[("Idempotency-Key", "key-4")], &other).await;
    let problem = refused.problem(409, "idempotency_conflict");
    assert!(problem["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()), "{problem}");
    // A refused request gives its key back.
    let key = [("Idempotency-Key", "key-5")];
    service.post_with("/api/v1/agents", &key, &agent).await.problem(409, "already_exists");
    let other = json!({"name": "Twice", "adapter": "builtin"});
    service.post_with("/api/v1/agents", &key, &other).await.expect(201);

    let workflow = definition("once", "1.0.0", json!([{"a": {"set": {"x": 1}}}]));
    let send = || {
        let request = service.request(reqwest::Method::POST, "/api/v1/workflows").header("Idempotency-Key", "key-6");
        answer(request.json(&workflow))
    };
    let first = send().await.expect(201);
    let second = send().await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.expect(201), first);
    let newer = definition("once", "1.1.0", json!([{"a": {"set": {"x": 1}}}]));
    let refused = service.post_with("/api/v1/workflows", &[("Idempotency-Key", "key-6")], &newer).await;
    let problem = refused.problem(409, "idempotency_conflict");
    assert!(problem["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()), "{problem}");
    let run = format!("/api/v1/workflows/{}/execute", first["id"].as_str().unwrap());
    let key = [("Idempotency-Key", "key-7")];
    let first = service.post_with(&run, &key, &json!({})).await.expect(202);
    let second = service.post_with(&run, &key, &json!({})).await;
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.expect(202), first);
}

async fn a_key_survives_a_restart(mut service: Service) {
    let key = [("Idempotency-Key", "key-8")];
    let first = service.post_with("/api/v1/executions", &key, &body(8)).await.expect(201);
    service.ended(first["id"].as_str().unwrap()).await;
    service.restart();
    assert_eq!(service.post_with("/api/v1/executions", &key, &body(8)).await.expect(201), first);
}

async fn retries_and_reruns_are_made_once(service: Service) {
    let tasks = json!([{"fail": {"raise": {"error": {"type": "https://example.org/broken", "status": 418}}}}]);
    let id = service.start_definition(tasks, json!({})).await;
    service.ended(&id).await;
    for word in ["retry", "rerun"] {
        let path = format!("/api/v1/executions/{id}/{word}");
        let key = [("Idempotency-Key", word)];
        let first = service.post_with(&path, &key, &json!({})).await.expect(202);
        service.ended(first["id"].as_str().unwrap()).await;
        let second = service.post_with(&path, &key, &json!({})).await;
        assert_eq!(second.header("idempotency-replayed"), Some("true"));
        assert_eq!(second.expect(202), first);
        let other = format!("/api/v1/executions/{id}/{}", if word == "retry" { "rerun" } else { "retry" });
        service.post_with(&other, &key, &json!({})).await.problem(409, "idempotency_conflict");
    }
    assert_eq!(service.get("/api/v1/executions").await.expect(200)["total"], 3);
}
