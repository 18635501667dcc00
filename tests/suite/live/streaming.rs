//! Output while it is produced, and log lines.

use super::client::Socket;
use crate::service::{Database, Service};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(
    output_is_streamed_also_to_those_who_come_late,
    who_comes_late_to_a_long_output_is_told_that_its_beginning_is_missing,
    log_lines_are_forwarded_with_their_numbers,
);

async fn output_is_streamed_also_to_those_who_come_late(database: Database) {
    let service = Service::start(database);
    let agent = json!({ "name": "Slow", "adapter": "builtin", "parameters": { "skill": "echo", "delay_ms": 40 } });
    let slug = service.post("/api/v1/agents", &agent).await.expect(201)["slug"].as_str().unwrap().to_owned();
    let prompt: Vec<String> = (0..25).map(|n| format!("word{n}")).collect();
    let ask = json!([{ "ask": { "call": "agent", "with": { "agent": slug, "prompt": prompt.join(" ") } } }]);
    let id = service.start_definition(ask, json!({})).await;
    let feed = format!("/ws/executions/{id}");
    let is_piece = |frame: &Value| frame["type"] == "output_delta";
    let mut early = Socket::connect(&service, &feed).await;
    for _ in 0..5 {
        early.until(is_piece).await;
    }
    let mut late = Socket::connect(&service, &feed).await;
    let first = late.until(is_piece).await;
    let mut n = first["data"]["n"].as_u64().unwrap();
    let mut text = first["data"]["text"].as_str().unwrap().to_owned();
    assert!(n >= 5 && text.starts_with("word0 word1"), "{first}");
    assert_eq!(first["data"]["from"], 1, "it holds everything so far");
    loop {
        let frame = late.frame().await;
        if is_piece(&frame) {
            n += 1;
            assert_eq!(frame["data"]["n"], n);
            assert_eq!(frame["data"]["from"], n);
            text.push_str(frame["data"]["text"].as_str().unwrap());
        }
        if frame["type"] == "execution_event" && frame["data"]["type"] == "execution_completed" {
            break;
        }
    }
    assert_eq!(text.trim(), prompt.join(" "));
}

async fn who_comes_late_to_a_long_output_is_told_that_its_beginning_is_missing(database: Database) {
    let service = Service::start(database);
    let talk = json!({ "run": { "shell": { "command": "echo first; yes line | head -c 400000; echo last; sleep 600" }, "return": "none" } });
    let id = service.start_definition(json!([{ "talk": talk }]), json!({})).await;
    let feed = format!("/ws/executions/{id}");
    let is_end = |frame: &Value| frame["data"]["text"].as_str().is_some_and(|text| text.ends_with("last\n"));
    let mut early = Socket::connect(&service, &feed).await;
    early.until(is_end).await;
    let mut late = Socket::connect(&service, &feed).await;
    let so_far = late.until(|frame| frame["type"] == "output_delta").await;
    assert!(is_end(&so_far) && !so_far["data"]["text"].as_str().unwrap().contains("first"));
    assert_eq!(so_far["data"]["is_cut"], true);
    service.post(&format!("/api/v1/executions/{id}/cancel"), &json!({})).await.expect(202);
    service.ended(&id).await;
}

async fn log_lines_are_forwarded_with_their_numbers(database: Database) {
    let service = Service::start(database);
    let tasks = json!([
        { "nap": { "wait": { "milliseconds": 300 } } },
        { "talk": { "run": { "shell": { "command": "for n in 1 2 3; do echo line $n >&2; done" } } } },
    ]);
    let id = service.start_definition(tasks, json!({})).await;
    let mut socket = Socket::connect(&service, &format!("/ws/executions/{id}")).await;
    let mut lines = Vec::new();
    while lines.len() < 3 {
        let frame = socket.until(|frame| frame["type"] == "log").await;
        lines.push(frame["data"].clone());
    }
    let stored = service.get(&format!("/api/v1/executions/{id}/logs")).await.expect(200);
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["n"], index + 1, "{line}");
        assert_eq!(line["execution_id"], id.as_str());
        assert_eq!(line["message"], stored["items"][index]["message"]);
    }
}
