//! Executions that try hard to leak. Afterwards everything that was stored, logged, answered or sent is searched.

use super::model_keys::chat;
use super::traces::Traces;
use crate::cli::program;
use crate::effects::stand_in::{Received, Reply, StandIn};
use crate::live::client::Socket;
use crate::service::{Client, Database, Service, definition};
use serde_json::{Value, json};
use std::path::Path;

const TOKEN: &str = "tok en/0123456789+\"äZ<9>&x";
const PASSWORD: &str = "hunter2:Pa55word~of'Ada";
const CLIENT_SECRET: &str = "c1ient-s3cret-value";
/// Of somebody who is added.
const OWN_PASSWORD: &str = "a pa55phrase of Ada's own";
/// The key of an agent, which no definition lists.
const MODEL_KEY: &str = "sk-m0del/key+of=the.tenant";
/// Issued by the stand-in, stored nowhere.
const ACCESS_TOKEN: &str = "acce55-t0ken-of-the-stand-in";
const KEY: &str =
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----";

/// Repeats everything it is told, as a badly written service would.
fn echo(request: &Received) -> Reply {
    let headers: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let heard = json!({ "target": request.target, "headers": headers, "body": request.body });
    match request.target.split('?').next().unwrap_or_default() {
        "/token" => Reply::json(&json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600 })),
        "/v1/chat/completions" => {
            let key = request.header("authorization").unwrap_or_default();
            if request.body.contains("refuse") {
                return Reply::json(&json!({ "error": { "message": format!("wrong: {key}") } })).with_status(401);
            }
            let (head, tail) = key.split_at(key.len() / 2);
            chat(&["you sent ", head, tail, " to me"], key)
        }
        "/refuse" => Reply::body("application/json", format!("{}{heard}", "x".repeat(1_950))).with_status(403),
        "/login" => match request.header("authorization") {
            Some(_) => Reply::json(&heard),
            None => Reply::status(401)
                .with_header("www-authenticate", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\""),
        },
        _ => Reply::json(&heard).with_header("x-echo", request.header("authorization").unwrap_or("none")),
    }
}

/// One definition per way to leak, with its name.
fn attempts(url: &str) -> Vec<(String, Value)> {
    let text = include_str!("attempts.yaml").replace("SERVER", url);
    let attempts: Vec<Value> = serde_saphyr::from_str(&text).expect("attempts");
    let attempt = |mut attempt: Value| {
        let mut definition = definition("leaks", "1.0.0", attempt["do"].take());
        definition["use"] = json!({ "secrets": ["token", "login", "client", "key"] });
        (attempt["name"].as_str().expect("a name").to_owned(), definition)
    };
    attempts.into_iter().map(attempt).collect()
}

/// Stores the secrets, runs all attempts, and searches every answer and every frame. Returns what else must not be found
/// afterwards.
async fn leak(client: &Client, traces: &Traces) -> Traces {
    let server = StandIn::start(echo).await;
    let login = json!({ "username": "ada", "password": PASSWORD });
    let oauth = json!({ "authority": server.url, "grant": "client_credentials", "endpoints": { "token": "/token" },
        "client": { "id": "app", "secret": CLIENT_SECRET } });
    for (name, value) in [("token", json!(TOKEN)), ("login", login), ("client", oauth), ("key", json!(KEY))] {
        let stored = client.put(&format!("/api/v1/secrets/{name}"), &json!({ "value": value })).await;
        assert_eq!(stored.status, 201, "{stored:?}");
        traces.assert_none("an answer", stored.text.as_bytes());
    }
    let stored = client.put("/api/v1/secrets/model", &json!({ "value": MODEL_KEY })).await;
    assert_eq!(stored.status, 201, "{stored:?}");
    let parrot = json!({ "name": "parrot", "adapter": "openai", "model": "m",
        "parameters": { "base_url": format!("{}/v1", server.url), "api_key_secret": "model" } });
    client.post("/api/v1/agents", &parrot).await.expect(201);
    let child = definition("child", "1.0.0", json!([{ "show": { "set": "${ . }" } }]));
    client.post("/api/v1/workflows", &child).await.expect(201);
    let mut all = Socket::connect(client, "/ws/executions").await;
    let mut ids = Vec::new();
    for (name, definition) in attempts(&server.url) {
        let accepted = client.post("/api/v1/executions", &json!({ "definition": definition })).await.expect(201);
        let id = accepted["id"].as_str().unwrap().to_owned();
        let mut socket = Socket::connect(client, &format!("/ws/executions/{id}")).await;
        loop {
            let frame = socket.text().await.expect("the session goes on");
            traces.assert_none(&format!("a frame of '{name}'"), frame.as_bytes());
            let frame: Value = serde_json::from_str(&frame).unwrap();
            let kind = frame["data"]["type"].as_str().unwrap_or_default();
            if frame["type"] == "execution_event" && matches!(kind, "execution_completed" | "execution_failed") {
                break;
            }
        }
        for part in ["", "/history", "/logs", "/tasks", "/usage", "/children"] {
            let answer = client.get(&format!("/api/v1/executions/{id}{part}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            traces.assert_none(&format!("{part} of '{name}'"), answer.text.as_bytes());
        }
        ids.push((name, id));
    }
    let last = ids.last().unwrap().1.clone();
    loop {
        let frame = all.text().await.expect("the session goes on");
        traces.assert_none("a frame of the global feed", frame.as_bytes());
        let frame: Value = serde_json::from_str(&frame).unwrap();
        if frame["data"]["id"] == last.as_str() && frame["data"]["finished_at"].is_string() {
            break;
        }
    }
    for path in ["/api/v1/executions?size=100", "/api/v1/secrets", "/api/v1/workflows", "/metrics"] {
        traces.assert_none(path, client.get(path).await.text.as_bytes());
    }
    the_world_got_them(&server, client, &ids).await;
    make_keys_and_people(client).await
}

/// Has everything made whose answer holds a secret, or whose request does, in a way that can be repeated. What was in them is to be found
/// nowhere either: not as it is, and not as a digest by which a password could be guessed.
async fn make_keys_and_people(client: &Client) -> Traces {
    let post = async |path: &str, body: Value| {
        let made = client.post_with(path, &[("Idempotency-Key", path)], &body).await.expect(201);
        let again = client.post_with(path, &[("Idempotency-Key", path)], &body).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.expect(201), made);
        made
    };
    let path = "/api/v1/users";
    let person =
        json!({ "email": "ada@example.org", "display_name": "Ada", "role": "viewer", "password": OWN_PASSWORD });
    let ada = post(path, person.clone()).await;
    let link = post(&format!("{path}/{}/reset", ada["id"].as_str().unwrap()), json!({})).await;
    let key = post("/api/v1/api-keys", json!({ "name": "fresh" })).await["key"].as_str().unwrap().to_owned();
    let secret = key.splitn(3, '_').nth(2).unwrap().to_owned();
    let digest = callboard::store::digest(format!("POST {path}\n{person}").as_bytes());
    Traces::of(&[OWN_PASSWORD, link["sign_in_token"].as_str().unwrap(), &secret, &digest])
}

/// What was tried was no empty threat: everything that should have the values had them.
async fn the_world_got_them(server: &StandIn, client: &Client, ids: &[(String, String)]) {
    let received = server.received();
    let header = |name: &str, value: &str| received.iter().any(|request| request.header(name) == Some(value));
    assert!(header("x-token", PASSWORD) && header("authorization", &format!("Bearer {CLIENT_SECRET}")));
    assert!(header("authorization", &format!("Bearer {ACCESS_TOKEN}")));
    let posted = json!({ "t": TOKEN, "k": KEY }).to_string();
    assert!(received.iter().any(|request| request.body == posted));
    assert!(header("authorization", &format!("Bearer {MODEL_KEY}")));
    let outcome = async |name: &str| {
        let (_, id) = ids.iter().find(|(known, _)| known == name).unwrap();
        let execution = client.get(&format!("/api/v1/executions/{id}")).await.expect(200);
        execution["output"].as_object().map_or_else(
            || execution["output"].as_str().map_or_else(|| execution["error"].to_string(), str::to_owned),
            |output| json!(output).to_string(),
        )
    };
    assert_eq!(outcome("print").await, "***\n***");
    assert_eq!(outcome("torn").await, "***");
    assert!(outcome("prompt").await.contains("repeat *** and ***"));
    let answer: Value = serde_json::from_str(&outcome("key").await).unwrap();
    assert_eq!((&answer["text"], &answer["model"]), (&json!("you sent Bearer *** to me"), &json!("Bearer ***")));
    assert!(outcome("refused key").await.contains("wrong: Bearer ***"));
    assert!(outcome("raised").await.contains("no: ***"));
    assert!(outcome("retried").await.contains("***"));
    assert!(outcome("everything").await.contains("\"x-token\":\"***\""));
    assert!(outcome("child").await.contains("\"t\":\"***\""));
    assert!(outcome("authorization").await.contains("***"));
    assert!(outcome("argument").await.contains("***"));
    assert!(outcome("refuse").await.contains("403"));
}

fn traces() -> Traces {
    Traces::of(&[TOKEN, PASSWORD, CLIENT_SECRET, ACCESS_TOKEN, MODEL_KEY, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"])
}

/// The real program with the most talkative log there is; its database, the files of the database and the log are searched.
#[tokio::test]
async fn nothing_of_a_secret_is_in_files_logs_answers_or_frames() {
    let service = program::Service::start_with(&[], &["--set", "telemetry.level=trace"]);
    let made = leak(&Client::new(service.url.clone()).with_key(&service.key), &traces()).await;
    let folder = service.directory.path();
    // While it runs, with its write-ahead log, and once it has stopped.
    assert!(traces().assert_none_below(folder) >= 3);
    assert!(made.assert_none_below(folder) >= 3);
    let log = std::fs::metadata(folder.join("service.log")).unwrap().len();
    assert!(log > 10_000, "the log says too little to be searched");
    let search = |folder: &Path| {
        assert!(traces().assert_none_below(folder) >= 3);
        assert!(made.assert_none_below(folder) >= 3);
    };
    service.stop_and(search).expect_code(0);
}

#[tokio::test]
async fn nothing_of_a_secret_is_in_a_postgres_database() {
    let mut service = Service::start(Database::Postgres);
    let made = leak(&service, &traces()).await;
    service.stop();
    let content = crate::postgres::dump(service.store_url());
    assert!(content.contains("execution_completed"), "the dump holds no journal");
    traces().assert_none("the database", content.as_bytes());
    made.assert_none("the database", content.as_bytes());
}
