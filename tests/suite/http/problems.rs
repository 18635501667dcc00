//! Everything that is not a success is a problem from the catalog.

use crate::on_both_databases;
use crate::service::{Service, answer};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

on_both_databases!(
    unknown_things_are_not_found,
    what_a_list_was_asked_wrongly_is_said,
    odd_texts_never_make_the_service_fail
);

const NOBODY: &str = "0198c5a0-7c1e-7000-8000-00000000dead";

async fn unknown_things_are_not_found(service: Service) {
    for path in [
        format!("/api/v1/executions/{NOBODY}"),
        format!("/api/v1/executions/{NOBODY}/history"),
        format!("/api/v1/executions/{NOBODY}/logs"),
        format!("/api/v1/executions/{NOBODY}/tasks"),
        format!("/api/v1/executions/{NOBODY}/usage"),
        format!("/api/v1/executions/{NOBODY}/children"),
        format!("/api/v1/executions/{NOBODY}/stream"),
        format!("/api/v1/executions/ws/{NOBODY}"),
        format!("/api/v1/workflows/{NOBODY}"),
        format!("/api/v1/workflows/{NOBODY}/versions"),
        format!("/api/v1/workflows/executions/{NOBODY}/status"),
        format!("/api/v1/agents/{NOBODY}"),
        "/api/v1/executions/not-an-id".to_owned(),
        "/api/v1/workflows/not-an-id".to_owned(),
        "/api/v1/agents/%00".to_owned(),
    ] {
        service.get(&path).await.problem(404, "not_found");
    }
    for action in ["cancel", "pause", "resume", "retry", "rerun"] {
        let path = format!("/api/v1/executions/{NOBODY}/{action}");
        answer(service.request(Method::POST, &path)).await.problem(404, "not_found");
    }
    service.put(&format!("/api/v1/executions/{NOBODY}"), &json!({"priority": 1})).await.problem(404, "not_found");
    service.put(&format!("/api/v1/executions/{NOBODY}"), &json!({"labels": {}})).await.problem(404, "not_found");
    service.put(&format!("/api/v1/agents/{NOBODY}"), &json!({})).await.problem(404, "not_found");
    service.delete(&format!("/api/v1/agents/{NOBODY}")).await.problem(404, "not_found");
    service.delete(&format!("/api/v1/workflows/{NOBODY}")).await.problem(404, "not_found");
    service.post(&format!("/api/v1/agents/{NOBODY}/test"), &json!({"test_input": "x"})).await.problem(404, "not_found");
    let body = json!({"workflow_id": NOBODY});
    service.post("/api/v1/executions", &body).await.problem(404, "not_found");
    service.post(&format!("/api/v1/workflows/{NOBODY}/execute"), &json!({})).await.problem(404, "not_found");
    let body = json!({"workflow": {"namespace": "no", "name": "body"}});
    let problem = service.post("/api/v1/executions", &body).await.problem(404, "not_found");
    assert!(problem["detail"].as_str().unwrap().contains("no/body"), "{problem}");
}

async fn what_a_list_was_asked_wrongly_is_said(service: Service) {
    let problem = service.get("/api/v1/executions?cursor=nonsense").await.problem(400, "invalid_query");
    assert_eq!(problem["errors"][0]["parameter"], "cursor");
    assert!(problem["suggestion"].as_str().unwrap().contains("next_cursor"), "{problem}");
    let id = service.start_definition(json!([{"a": {"set": {"x": 1}}}]), json!({})).await;
    let history = format!("/api/v1/executions/{id}/history");
    let problem = service.get(&format!("{history}?type=task_start")).await.problem(400, "invalid_query");
    assert!(problem["detail"].as_str().unwrap().contains("task_started"), "{problem}");
    service.ended(&id).await;
    let events = service.get(&format!("{history}?type=task_started,execution_completed")).await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "{events}");
}

async fn odd_texts_never_make_the_service_fail(service: Service) {
    let odd = ["%00", "%27%22--", "%25_%5C", "%F0%9F%92%A9", "%FF%FE"];
    for text in odd {
        for query in ["q", "created_by", "workflow", "label.a", "project_id", "cursor", "status", "created_after"] {
            let found = service.get(&format!("/api/v1/executions?{query}={text}")).await;
            assert!(found.status.is_success() || found.status == 400, "{query}={text}: {found:?}");
        }
        let found = service.get(&format!("/api/v1/workflows?q={text}")).await;
        assert!(found.status.is_success() || found.status == 400, "{found:?}");
        let found = service.get(&format!("/api/v1/agents?q={text}")).await;
        assert!(found.status.is_success() || found.status == 400, "{found:?}");
    }
    let body = json!({"name": "a\u{0}b", "adapter": "builtin"});
    service.post("/api/v1/agents", &body).await.problem(400, "invalid_body");
    let nul = "a\u{0}b";
    let address = format!("{nul}@example.org");
    let password = "correct horse battery";
    for (path, body) in [
        ("auth/login", json!({"email": address, "password": password})),
        ("auth/login", json!({"email": "ada@example.org", "password": nul, "tenant": nul})),
        ("auth/first-sign-in", json!({"token": nul, "password": password, "email": address, "display_name": nul})),
        ("users", json!({"email": address, "display_name": nul, "role": "member", "password": password})),
        ("users", json!({"email": "ada@example.org", "display_name": nul, "role": "member", "password": password})),
        ("api-keys", json!({"name": nul, "role": "member"})),
        ("tenants", json!({"slug": "other", "name": nul})),
        ("views", json!({"list": "executions", "name": nul, "query": {"q": nul}})),
        ("agents/test", json!({"agent": nul, "input": nul})),
        ("executions", json!({"workflow": {"namespace": nul, "name": nul, "version": nul}})),
        (
            "executions",
            json!({"definition": crate::service::definition("nul", "1.0.0", json!([])), "labels": {nul: nul}, "idempotency_key": nul}),
        ),
    ] {
        let refused = service.post(&format!("/api/v1/{path}"), &body).await;
        assert!(refused.status.is_success() || refused.status.is_client_error(), "{path} {body}: {refused:?}");
    }
    let ask = json!([{"ask": {"call": "agent", "with": {"agent": "${ .name }", "prompt": "hi"}}}]);
    let id = service.start_definition(ask, json!({"name": nul})).await;
    assert_eq!(service.ended(&id).await["status"], "failed");
    let tasks = json!([{"a": {"set": {"x": "nul \u{0} here"}}}]);
    let id = service.start_definition(tasks, json!({"nul": "\u{0}"})).await;
    let ended = service.ended(&id).await;
    assert_eq!(ended["output"], json!({"x": "nul \u{0} here"}));
    let mut definition = crate::service::definition("nul", "1.0.0", json!([{"a": {"set": {"x": 1}}}]));
    definition["document"]["title"] = json!("nul \u{0} here");
    let registered = service.post("/api/v1/workflows", &definition).await;
    registered.problem(422, "invalid_definition");
}

fn service() -> Service {
    Service::start(crate::service::Database::Sqlite)
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_method_say_so() {
    let service = service();
    for path in ["/nothing", "/api/v1", "/api/v1/nothing", "/api/v1/executions/a/b/c", "/docs/nothing.js"] {
        service.get(path).await.problem(404, "route_not_found");
    }
    let refused = answer(service.request(Method::PATCH, "/api/v1/executions")).await;
    let allowed = refused.header("allow").unwrap().to_owned();
    assert!(["GET", "HEAD", "POST", "OPTIONS"].iter().all(|method| allowed.contains(method)), "{allowed}");
    refused.problem(405, "method_not_allowed");
    let options = answer(service.request(Method::OPTIONS, "/api/v1/agents")).await;
    assert_eq!((options.status.as_u16(), options.header("allow").is_some()), (204, true));
    let head = answer(service.request(Method::HEAD, "/api/v1/agents")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_slash_at_the_end_changes_nothing() {
    let service = service();
    for path in ["/api/v1/executions/", "/api/v1/executions/stats/", "/api/v1/queue/?", "/livez/", "/readyz/", "/docs/"]
    {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    assert_eq!(service.get("/api/v1/executions/?size=5").await.expect(200)["size"], 5);
    service.post("/api/v1/executions/", &json!({})).await.problem(400, "invalid_body");
}

#[tokio::test]
async fn a_body_that_cannot_be_used_is_explained() {
    let service = service();
    let send = |body: &'static str, media_type: &'static str| {
        let request = service.request(Method::POST, "/api/v1/executions");
        answer(request.header("content-type", media_type).body(body))
    };
    let problem = send("{\n  \"input\": {,}\n}", "application/json").await.problem(400, "invalid_json");
    assert_eq!((&problem["errors"][0]["line"], &problem["errors"][0]["column"]), (&json!(2), &json!(13)), "{problem}");
    send("", "application/json").await.problem(400, "invalid_json");
    send("\u{feff}{}", "application/json; charset=utf-8").await.problem(400, "invalid_json");
    let problem = send(r#"{"labels": {"team": 7}}"#, "application/json").await.problem(400, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/labels/team");
    let problem = send(r#"{"workflo": 1}"#, "application/json").await.problem(400, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/workflo", "{problem}");
    let problem = send(r#"{"start_at": "tomorrow"}"#, "application/json").await.problem(400, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/start_at", "{problem}");
    send("[]", "application/json").await.problem(400, "invalid_body");
    send("{}", "text/plain").await.problem(415, "unsupported_media_type");
    send("{}", "application/x-www-form-urlencoded").await.problem(415, "unsupported_media_type");
    let zipped = service.request(Method::POST, "/api/v1/executions").header("content-encoding", "gzip");
    answer(zipped.json(&json!({}))).await.problem(415, "unsupported_media_type");
    let deep = format!("{{\"input\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let request = service.request(Method::POST, "/api/v1/executions").header("content-type", "application/json");
    answer(request.body(deep)).await.problem(400, "body_too_deep");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_and_without_a_length() {
    let service = Service::start_with(crate::service::Database::Sqlite, &[("server.body_limit_bytes", "2048")]);
    let large = json!({"input": "x".repeat(3_000)});
    service.post("/api/v1/executions", &large).await.problem(413, "body_too_large");
    let chunks = futures_util::stream::iter((0..30).map(|_| Ok::<_, std::io::Error>("x".repeat(100))));
    let request = service.request(Method::POST, "/api/v1/executions").header("content-type", "application/json");
    answer(request.body(reqwest::Body::wrap_stream(chunks))).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn bad_query_parameters_are_all_named() {
    let service = service();
    let problem = service.get("/api/v1/executions?size=0&status=odd&nothing=1").await.problem(400, "invalid_query");
    let named: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["parameter"].clone()).collect();
    assert_eq!(named, ["size", "status", "nothing"], "{problem}");
    service.get("/api/v1/executions?page=1&cursor=abc").await.problem(400, "invalid_query");
    service.get("/api/v1/executions?cursor=abc").await.problem(400, "invalid_query");
    service.get("/api/v1/executions?created_after=yesterday").await.problem(400, "invalid_query");
    service.get("/api/v1/executions?agent_id=nobody").await.problem(400, "invalid_query");
    service.get("/api/v1/executions/stream?after=x").await.problem(400, "invalid_query");
    let request = service.request(Method::GET, "/api/v1/executions/stream").header("Last-Event-ID", "x");
    answer(request).await.problem(400, "invalid_header");
    service.get("/api/v1/executions/ws").await.problem(426, "upgrade_required");
}

#[tokio::test]
async fn pages_of_strangers_are_kept_out() {
    let service = service();
    let from = |method: Method, headers: &[(&'static str, &str)]| {
        let mut request = service.request(method, "/api/v1/executions").json(&json!({}));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request)
    };
    from(Method::GET, &[("host", "evil.example")]).await.problem(403, "host_not_allowed");
    from(Method::POST, &[("origin", "http://evil.example")]).await.problem(403, "origin_not_allowed");
    from(Method::GET, &[("origin", "http://evil.example"), ("upgrade", "websocket"), ("connection", "upgrade")])
        .await
        .problem(403, "origin_not_allowed");
    let own = format!("http://{}", service.authority());
    from(Method::POST, &[("origin", &own)]).await.problem(400, "invalid_body");
}

#[tokio::test]
async fn request_ids_are_taken_over_when_they_are_plain_words() {
    let service = service();
    let ask = |id: &'static str| answer(service.request(Method::GET, "/nothing").header("X-Request-Id", id));
    assert_eq!(ask("build-17.3").await.problem(404, "route_not_found")["request_id"], "build-17.3");
    let own = ask("<b>17</b>").await.problem(404, "route_not_found")["request_id"].clone();
    assert!(own.as_str().is_some_and(|id| id.len() == 32), "{own}");
    assert!(service.get("/livez").await.header("x-request-id").is_some());
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let service = Service::start_with(crate::service::Database::Sqlite, &[("server.header_timeout_ms", "200")]);
    let mut socket = TcpStream::connect(service.authority()).await.unwrap();
    socket.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}
