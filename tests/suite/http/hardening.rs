//! What a hostile or broken client sends, byte by byte: none of it holds the service up, and none of it is taken for
//! something else than it is.

use crate::service::{Database, Service};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Far more than any of the limits below.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends bytes and reads until the service closes the connection.
async fn exchange(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.authority()).await.unwrap();
    // The service may have closed already, having seen enough.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A connection that is closed while bytes are on their way is reset, which is an end as well.
    let _ = read.expect("the service closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

#[tokio::test]
async fn a_request_cannot_be_smuggled_behind_another() {
    let service = Service::start(Database::Sqlite);
    let hidden = "GET /api/v1/agents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let ambiguous = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 0\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 0\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity, chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length : 5\r\n",
        "Content-Length: 5\r\n folded: 1\r\n",
    ];
    for headers in ambiguous {
        let head = format!("POST /api/v1/workflows/validate HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        let answer = exchange(&service, format!("{head}0\r\n\r\n{hidden}").as_bytes()).await;
        assert!(answers(&answer) <= 1, "{headers:?} let a second request through:\n{answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{headers:?}:\n{answer}");
    }
    service.get("/livez").await.expect(200);
}

#[tokio::test]
async fn a_slow_head_is_not_waited_for() {
    let service = Service::start_with(Database::Sqlite, &[("server.header_timeout_ms", "300")]);
    let answer = exchange(&service, b"GET /api/v1/agents HTTP/1.1\r\nHost: loc").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_slow_body_is_not_waited_for() {
    let service = Service::start_with(Database::Sqlite, &[("server.body_timeout_ms", "300")]);
    let half = format!(
        "POST /api/v1/workflows/validate HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {}\r\n\
        Content-Type: application/yaml\r\nContent-Length: 1000\r\n\r\ndocument:",
        service.key
    );
    let answer = exchange(&service, half.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"request_timeout\""), "{answer}");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let service = Service::start(Database::Sqlite);
    for head in [
        format!("GET /api/v1/agents HTTP/1.1\r\nHost: localhost\r\nX-Long: {}", "a".repeat(1 << 20)),
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(1 << 20)),
        format!("GET /api/v1/agents HTTP/1.1\r\n{}\r\n", "X-Many: a\r\n".repeat(5_000)),
    ] {
        let answer = exchange(&service, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    service.get("/livez").await.expect(200);
}

#[tokio::test]
async fn what_is_no_request_gets_400_and_the_end_of_the_connection() {
    let service = Service::start(Database::Sqlite);
    for bytes in [
        "nonsense\r\n\r\n",
        "GET /livez HTTP/7.0\r\nHost: localhost\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX\u{1}: a\r\n\r\n",
    ] {
        let answer = exchange(&service, bytes.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answers(&answer) == 1, "{bytes:?}: {answer}");
    }
    service.get("/livez").await.expect(200);
}

#[tokio::test]
async fn answers_are_safe_to_open_in_a_browser() {
    let service = Service::start(Database::Sqlite);
    for path in ["/api/v1/agents", "/api/v1/nothing", "/livez", "/metrics", "/"] {
        let answer = service.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(
            answer.header("content-security-policy").is_some_and(|policy| policy.contains("default-src")),
            "{path}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
    assert_eq!(service.get("/api/v1/agents").await.header("cache-control"), Some("no-store"));
    let preflight = service
        .request(reqwest::Method::OPTIONS, "/api/v1/executions")
        .header("Origin", "https://elsewhere.example")
        .header("Access-Control-Request-Method", "POST");
    let answer = crate::service::answer(preflight).await;
    assert_eq!(answer.header("access-control-allow-origin"), None, "{answer:?}");
    let foreign = service
        .request(reqwest::Method::POST, "/api/v1/executions")
        .header("Origin", "https://elsewhere.example")
        .json(&json!({}));
    crate::service::answer(foreign).await.problem(403, "origin_not_allowed");
}
