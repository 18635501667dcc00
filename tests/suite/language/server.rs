//! The server that the `http` cases of the corpus call. What a path answers:
//!
//! `/echo` what it got · `/status/404` that status with a text · `/redirect` to `/json` · `/schema`, `/schema.yaml`, `/moved-schema` JSON schemas · `/json`, `/text`, `/empty`, `/binary` ·
//! `/pets/{id}` that pet · `/basic` for `ada:secret` · `/bearer` for `s3cret` · `/token` an OAuth token (grants it likes), also
//! through `/.well-known/openid-configuration` · `/private` for that token · `/hangup` nothing, `/silence` (virtual) never.

use crate::effects::stand_in::{Received, Reply, StandIn};
use serde_json::{Value, json};
use std::sync::OnceLock;

pub async fn start() -> StandIn {
    let address: &'static OnceLock<String> = Box::leak(Box::new(OnceLock::new()));
    let server = StandIn::start(move |request| answer(request, address.get().unwrap())).await;
    address.set(server.url.clone()).unwrap();
    server
}

fn answer(request: &Received, own: &str) -> Reply {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let authorization = request.header("authorization").unwrap_or_default();
    let guarded = |wanted: &str| {
        if authorization == wanted { Reply::json(&json!({"welcome": true})) } else { Reply::status(401) }
    };
    match path {
        "/echo" => echo(request, query),
        "/json" => Reply::json(&json!({"name": "ada", "age": 36})),
        "/text" => Reply::body("text/plain; charset=utf-8", "grüß dich"),
        "/xml" => Reply::body("application/xml", "<a/>"),
        "/vendor" => Reply::body("application/vnd.pet+json", "{\"a\":1}"),
        "/empty" => Reply::status(204),
        "/binary" => Reply::body("application/octet-stream", vec![0_u8, 255, 1]),
        "/schema" => Reply::body("text/plain", "{\"type\": \"object\", \"required\": [\"a\"]}"),
        "/schema.yaml" => Reply::body("application/yaml", "type: integer\nminimum: 1\nexclusiveMinimum: true\n"),
        "/moved-schema" => Reply::redirect(302, format!("{own}/schema")),
        "/redirect" => Reply::redirect(302, format!("{own}/json")),
        "/circle" => Reply::redirect(302, format!("{own}/circle")),
        "/hangup" => Reply::HangUp,
        "/basic" => guarded("Basic YWRhOnNlY3JldA=="),
        "/bearer" => guarded("Bearer s3cret"),
        "/private" => guarded("Bearer granted"),
        "/token" | "/oauth2/token" => token(request),
        "/.well-known/openid-configuration" => {
            Reply::json(&json!({"issuer": own, "token_endpoint": format!("{own}/token")}))
        }
        _ => match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "status", status] => {
                Reply::body("text/plain", format!("this is {status}")).with_status(status.parse().unwrap())
            }
            ["", "pets", id] => Reply::json(&json!({"id": id})),
            _ => Reply::status(404),
        },
    }
}

fn echo(request: &Received, query: &str) -> Reply {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let body: Value = serde_json::from_str(&request.body).unwrap_or_else(|_| json!(request.body));
    Reply::json(&json!({
        "method": request.method,
        "query": pairs,
        "type": request.header("content-type"),
        "header": request.header("x-test"),
        "authorization": request.header("authorization"),
        "body": body,
    }))
}

fn token(request: &Received) -> Reply {
    let form = request.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let by_header = request.header("authorization") == Some("Basic YXBwOmhpZGRlbg==");
    let by_form = field("client_id") == Some("app") && field("client_secret") == Some("hidden");
    let by_json = request.body.contains("\"client_secret\":\"hidden\"");
    if by_header || by_form || by_json {
        Reply::json(&json!({"access_token": "granted", "token_type": "Bearer", "expires_in": 3600}))
    } else {
        Reply::json(&json!({"error": "invalid_client"})).with_status(401)
    }
}
