//! `call: http`: bodies, output forms, errors, redirects, limits and deadlines (Serverless Workflow DSL 1.0.3, "HTTP Call").

use super::stand_in::{Reply, StandIn};
use super::{Call, fetch, get, kind, open_effects, open_options, post};
use callboard::domain::{EffectCall, HttpOutput, HttpRequest};
use callboard::effects::Effects;
use serde_json::{Value, json};
use std::time::Duration;

fn with_headers(request: HttpRequest, headers: &[(&str, &str)]) -> HttpRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpRequest { headers, ..request }
}

#[tokio::test]
async fn bodies_are_encoded_by_their_type() {
    let server = StandIn::start(|_| Reply::status(200)).await;
    let effects = open_effects();
    let form = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    let own = [("content-type", "application/merge-patch+json")];
    let cases = [
        (post(&server.url, json!({"b": 1, "a": [true]})), "application/json", r#"{"b":1,"a":[true]}"#),
        (post(&server.url, json!([1, null])), "application/json", "[1,null]"),
        (post(&server.url, json!(7)), "application/json", "7"),
        (post(&server.url, json!(false)), "application/json", "false"),
        (post(&server.url, json!("plain é")), "text/plain; charset=utf-8", "plain é"),
        (
            with_headers(post(&server.url, json!({"k": "a b&c", "n": 1, "r": ["x", 2], "gone": null})), &form),
            form[0].1,
            "k=a+b%26c&n=1&r=x&r=2",
        ),
        (with_headers(post(&server.url, json!("a=b")), &form), form[0].1, "a=b"),
        (with_headers(post(&server.url, json!({"a": 1})), &own), own[0].1, r#"{"a":1}"#),
    ];
    for (request, content_type, body) in cases {
        fetch(&effects, request).await.unwrap();
        let last = server.last();
        assert_eq!(last.header("content-type"), Some(content_type), "{body}");
        assert_eq!(last.body, body);
    }
    fetch(&effects, post(&server.url, Value::Null)).await.unwrap();
    assert_eq!((server.last().body.as_str(), server.last().header("content-type")), ("", None));
}

#[tokio::test]
async fn the_query_is_appended_to_that_of_the_uri() {
    let server = StandIn::start(|_| Reply::status(204)).await;
    let effects = open_effects();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let query = vec![pair("tag", "a"), pair("tag", "b c"), pair("q", "ä&=")];
    let request = HttpRequest { query, ..get(&format!("{}/p?x=1", server.url)) };
    assert_eq!(fetch(&effects, request).await, Ok(Value::Null));
    assert_eq!(server.last().target, "/p?x=1&tag=a&tag=b+c&q=%C3%A4%26%3D");
    fetch(&effects, get(&format!("{}/p", server.url))).await.unwrap();
    assert_eq!(server.last().target, "/p");
}

#[tokio::test]
async fn the_idempotency_key_goes_with_what_may_change_something() {
    let server = StandIn::start(|_| Reply::status(200)).await;
    let effects = open_effects();
    let mut call = Call::new();
    call.context.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    let key = call.context.key.to_string();
    for (method, expected) in
        [("POST", true), ("PUT", true), ("DELETE", true), ("PATCH", true), ("GET", false), ("HEAD", false)]
    {
        let request = HttpRequest { method: method.into(), ..get(&server.url) };
        call.perform(&effects, EffectCall::Http(Box::new(request))).await.result.unwrap();
        let last = server.last();
        assert_eq!(last.header("idempotency-key"), expected.then_some(key.as_str()), "{method}");
        assert_eq!(last.header("traceparent"), call.context.traceparent.as_deref());
    }
    let own = with_headers(post(&server.url, json!(1)), &[("Idempotency-Key", "mine")]);
    call.perform(&effects, EffectCall::Http(Box::new(own))).await.result.unwrap();
    assert_eq!(server.last().header("idempotency-key"), Some("mine"));

    let mut options = open_options();
    options.http.send_idempotency_key = false;
    fetch(&Effects::new(options).unwrap(), post(&server.url, json!(1))).await.unwrap();
    assert_eq!(server.last().header("idempotency-key"), None);
}

#[tokio::test]
async fn content_is_decoded_by_its_media_type() {
    let server = StandIn::start(|request| match request.target.as_str() {
        "/json" => Reply::body("application/json; charset=utf-8", r#"{"b":1,"a":"é"}"#),
        "/problem" => Reply::body("application/problem+json", "[1]"),
        "/text" => Reply::body("text/plain; charset=iso-8859-1", b"caf\xe9".to_vec()),
        "/xml" => Reply::body("application/atom+xml", "<a/>"),
        "/binary" => Reply::body("image/png", vec![0, 159, 146]),
        "/untyped" => Reply::Answer { status: 200, headers: Vec::new(), body: b"hi".to_vec() },
        "/broken" => Reply::body("application/json", "{"),
        _ => Reply::body("application/json", ""),
    })
    .await;
    let effects = open_effects();
    let cases = [
        ("/json", json!({"b": 1, "a": "é"})),
        ("/problem", json!([1])),
        ("/text", json!("café")),
        ("/xml", json!("<a/>")),
        ("/binary", json!("AJ+S")),
        ("/untyped", json!("aGk=")),
        ("/empty", Value::Null),
    ];
    for (path, expected) in cases {
        assert_eq!(fetch(&effects, get(&format!("{}{path}", server.url))).await, Ok(expected), "{path}");
    }
    let failure = fetch(&effects, get(&format!("{}/broken", server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("communication", 502));
}

#[tokio::test]
async fn raw_and_response_have_their_forms() {
    let server = StandIn::start(|_| {
        Reply::json(&json!({"ok": true})).with_header("x-a", "1").with_header("x-a", "2").with_status(201)
    })
    .await;
    let effects = open_effects();
    let raw = HttpRequest { output: HttpOutput::Raw, ..get(&server.url) };
    assert_eq!(fetch(&effects, raw).await, Ok(json!("eyJvayI6dHJ1ZX0=")));

    let uri = format!("{}/x?y=1", server.url);
    let request = HttpRequest { output: HttpOutput::Response, ..post(&uri, json!({"a": 1})) };
    let request = with_headers(request, &[("X-Mine", "yes"), ("Authorization", "Bearer hidden")]);
    let response = fetch(&effects, request).await.unwrap();
    assert_eq!(response["statusCode"], 201);
    assert_eq!(response["content"], json!({"ok": true}));
    assert_eq!(response["headers"]["x-a"], "1, 2");
    assert_eq!(response["request"]["method"], "POST");
    assert_eq!(response["request"]["uri"], uri);
    assert_eq!(response["request"]["headers"]["x-mine"], "yes");
    assert_eq!(server.last().header("authorization"), Some("Bearer hidden"));
    assert!(!response.to_string().contains("hidden"), "{response}");
}

#[tokio::test]
async fn an_error_status_is_a_communication_failure_with_the_body_as_detail() {
    let server = StandIn::start(|request| match request.target.as_str() {
        "/long" => Reply::body("text/plain", "x".repeat(100_000)).with_status(500),
        "/empty?secret=1" => Reply::status(503),
        _ => Reply::body("text/plain", "no such order").with_status(404),
    })
    .await;
    let effects = open_effects();
    let failure = fetch(&effects, get(&format!("{}/orders?secret=1", server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("communication", 404));
    assert_eq!(failure.title.as_deref(), Some("Not Found"));
    assert_eq!(failure.detail.as_deref(), Some("no such order"));
    assert_eq!(failure.request, Some(format!("GET {}/orders", server.url)));
    assert_eq!((failure.retryable, failure.instance), (Some(false), None));

    let failure = fetch(&effects, get(&format!("{}/long", server.url))).await.unwrap_err();
    assert_eq!(failure.detail.map(|detail| detail.len()), Some(2_000));
    let failure = fetch(&effects, get(&format!("{}/empty?secret=1", server.url))).await.unwrap_err();
    assert_eq!((kind(&failure), failure.retryable), (("communication", 503), Some(true)));
    assert!(!failure.detail.unwrap().contains("secret"));
}

#[tokio::test]
async fn redirects_are_an_error_unless_they_are_wanted() {
    let server = StandIn::start(|request| match request.target.as_str() {
        "/from" => Reply::redirect(302, "/to"),
        "/to" => Reply::body("text/plain", "there"),
        "/not-modified" => Reply::status(304),
        _ => Reply::redirect(308, "/loop"),
    })
    .await;
    let effects = open_effects();
    let failure = fetch(&effects, get(&format!("{}/from", server.url))).await.unwrap_err();
    assert_eq!((kind(&failure), failure.title.as_deref()), (("communication", 302), Some("Found")));

    let follow = |path: &str| HttpRequest { redirect: true, ..get(&format!("{}{path}", server.url)) };
    assert_eq!(fetch(&effects, follow("/from")).await, Ok(json!("there")));
    assert_eq!(fetch(&effects, follow("/not-modified")).await, Ok(Value::Null));
    let before = server.received().len();
    let failure = fetch(&effects, follow("/loop")).await.unwrap_err();
    assert_eq!(failure.title.as_deref(), Some("Too many redirects"));
    assert_eq!(server.received().len() - before, 11, "the request and ten hops");
}

#[tokio::test]
async fn a_redirect_rewrites_the_method_as_browsers_do() {
    let server = StandIn::start(|request| match request.target.strip_prefix("/") {
        Some("end") => Reply::status(200),
        Some(status) => Reply::redirect(status.parse().unwrap(), "end"),
        None => Reply::status(400),
    })
    .await;
    let effects = open_effects();
    for (status, method, expected, keeps_body) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (307, "POST", "POST", true),
        (308, "PUT", "PUT", true),
        (302, "PUT", "PUT", true),
    ] {
        let request = post(&format!("{}/{status}", server.url), json!({"a": 1}));
        let request = HttpRequest { method: method.into(), redirect: true, ..request };
        fetch(&effects, request).await.unwrap();
        let last = server.last();
        assert_eq!((last.method.as_str(), !last.body.is_empty()), (expected, keeps_body), "{status} {method}");
        assert_eq!(last.header("content-type").is_some(), keeps_body);
    }
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let other = StandIn::start(|_| Reply::status(200)).await;
    let target = other.url.clone();
    let server = StandIn::start(move |_| Reply::redirect(307, target.clone())).await;
    let request = HttpRequest { redirect: true, ..get(&server.url.replace("http://", "http://joe:pass%2B@")) };
    let request = with_headers(request, &[("Cookie", "a=b"), ("X-Other", "kept")]);
    fetch(&open_effects(), request).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Basic am9lOnBhc3Mr"));
    let last = other.last();
    assert_eq!((last.header("authorization"), last.header("cookie")), (None, None));
    assert_eq!(last.header("x-other"), Some("kept"));
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_or_read_is_told_apart() {
    let server = StandIn::start(|request| match request.target.as_str() {
        "/cut" => Reply::Chunks { content_type: "text/plain", pieces: vec!["half".into()], complete: false },
        _ => Reply::HangUp,
    })
    .await;
    let effects = open_effects();
    for path in ["/cut", "/hang-up?token=secret"] {
        let failure = fetch(&effects, get(&format!("{}{path}", server.url))).await.unwrap_err();
        assert_eq!((kind(&failure), failure.retryable), (("communication", 502), Some(true)), "{path}");
        assert!(!failure.detail.unwrap().contains("secret"));
    }
    // A port that is taken, so that nobody else gets it, but that nobody listens on.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let failure = fetch(&effects, get(&format!("http://{}/", deaf.local_addr().unwrap()))).await.unwrap_err();
    assert_eq!((kind(&failure), failure.retryable), (("communication", 503), Some(true)));
    let failure = fetch(&effects, get("http://no-such-host.invalid/")).await.unwrap_err();
    assert_eq!(kind(&failure), ("communication", 503));
}

#[tokio::test]
async fn large_responses_are_refused_announced_or_not() {
    let server = StandIn::start(|request| match request.target.as_str() {
        "/announced" => Reply::body("text/plain", "x".repeat(2_000)),
        "/streamed" => Reply::Chunks { content_type: "text/plain", pieces: vec!["x".repeat(600); 3], complete: true },
        _ => Reply::body("text/plain", "x".repeat(1_000)),
    })
    .await;
    let mut options = open_options();
    options.http.response_limit_bytes = 1_000;
    let effects = Effects::new(options).unwrap();
    for path in ["/announced", "/streamed"] {
        let failure = fetch(&effects, get(&format!("{}{path}", server.url))).await.unwrap_err();
        assert_eq!((kind(&failure), failure.title.as_deref()), (("communication", 502), Some("Response too large")));
        assert!(failure.suggestion.unwrap().contains("effects.http.response_limit_bytes"));
    }
    assert!(fetch(&effects, get(&format!("{}/fits", server.url))).await.is_ok());
}

#[tokio::test]
async fn a_silent_server_ends_at_the_deadline_the_timeout_or_the_cancellation() {
    let server = StandIn::start(|_| Reply::Silence).await;
    let request = || EffectCall::Http(Box::new(get(&server.url)));
    let effects = open_effects();
    let outcome = Call::new().with_deadline(Duration::from_millis(50)).perform(&effects, request()).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("timeout", 408));

    let call = Call::new();
    let (outcome, ()) = tokio::join!(call.perform(&effects, request()), async { call.context.cancellation.cancel() });
    assert_eq!(outcome.result.unwrap_err().title.as_deref(), Some("Cancelled"));

    let mut options = open_options();
    options.http.timeout = Duration::from_millis(50);
    let failure = fetch(&Effects::new(options).unwrap(), get(&server.url)).await.unwrap_err();
    assert_eq!((kind(&failure), failure.retryable), (("communication", 504), Some(true)));
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_before_anything_is_sent() {
    let effects = open_effects();
    for (request, expected) in [
        (get("ftp://example.com/"), ("configuration", 400)),
        (get("/relative"), ("configuration", 400)),
        (HttpRequest { method: "GE T".into(), ..get("http://example.com") }, ("validation", 400)),
        (with_headers(get("http://example.com"), &[("bad header", "x")]), ("validation", 400)),
        (with_headers(get("http://example.com"), &[("x", "a\r\nb: c")]), ("validation", 400)),
    ] {
        assert_eq!(kind(&fetch(&effects, request).await.unwrap_err()), expected);
    }
}

#[tokio::test]
async fn without_certificate_authorities_plain_http_still_works() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "effects::http::bodies_are_encoded_by_their_type"])
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", "/no/such/directory")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
