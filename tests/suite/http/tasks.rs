//! What the instances of tasks say of themselves.

use crate::on_both_databases;
use crate::service::{Service, definition};
use serde_json::{Value, json};

on_both_databases!(every_task_shows_what_it_worked_on, a_large_input_is_named_by_its_event);

/// A task whose output holds what it saw as its input, as the service evaluated it.
fn seeing(name: &str) -> Value {
    json!({ name: sight() })
}

fn sight() -> Value {
    json!({"set": {"saw": format!("${{ {WITHOUT_SIGHT} }}"), "count": "${ (.count? // 0) + 1 }"}})
}

const WITHOUT_SIGHT: &str = r#"if type == "object" then del(.saw) else . end"#;

fn without_sight(input: &Value) -> Value {
    let mut input = input.clone();
    if let Some(fields) = input.as_object_mut() {
        fields.remove("saw");
    }
    input
}

async fn every_task_shows_what_it_worked_on(service: Service) {
    let mut skipped = seeing("skipped");
    skipped["skipped"]["if"] = json!("${ false }");
    let mut even = seeing("even");
    even["even"]["if"] = json!("${ $item % 2 == 0 }");
    let mut jumping = seeing("jumping");
    jumping["jumping"]["then"] = json!("last");
    let unreachable = json!({"set": {"never": true}});
    let raise = json!({"error": {"type": "urn:tests:broken", "status": 500, "title": "Broken"}});
    let tasks = json!([
        seeing("first"),
        skipped,
        {"list": {"input": {"from": "${ {from: .count} }"}, "do": [seeing("inner"), seeing("second")]}},
        {"loop": {"for": {"each": "item", "in": "${ [1, 2, 3, 4] }"}, "do": [even, seeing("always")]}},
        {"sparse": {"for": {"each": "item", "in": "${ [2, 1, 3, 4] }"}, "do": [even]}},
        {"both": {"fork": {"branches": [seeing("left"), {"right": {"do": [seeing("deep"), seeing("deeper")]}}]}}},
        seeing("after"),
        {"guarded": {
            "try": [seeing("tried"), {"fails": {"raise": raise}}],
            "catch": {"do": [seeing("handled")]},
        }},
        {"called": {"call": "counted", "with": {"count": 70}}},
        jumping,
        {"unreachable": unreachable},
        seeing("last"),
    ]);
    let mut definition = definition("seeing", "1.0.0", tasks);
    definition["use"] = json!({"functions": {"counted": sight()}});
    let body = json!({"definition": definition, "input": {"count": 40}});
    let started = service.post("/api/v1/executions", &body).await.expect(201);
    let id = started["id"].as_str().unwrap();
    let ended = service.ended(id).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");

    let tasks = service.get(&format!("/api/v1/executions/{id}/tasks")).await.expect(200);
    let tasks = tasks["items"].as_array().unwrap();
    let paths: Vec<_> = tasks.iter().map(|task| task["path"].as_str().unwrap()).collect();
    let mut compared = 0;
    for (task, path) in tasks.iter().zip(&paths) {
        assert!(task.get("input").is_some(), "{task}");
        let is_outer = paths.iter().any(|other| other.starts_with(&format!("{path}/")));
        if let Some(saw) = task["output"].get("saw").filter(|_| !is_outer) {
            assert_eq!(&without_sight(&task["input"]), saw, "{task}");
            compared += 1;
        }
    }
    // Once each, and in the loops `even` twice and twice, `always` four times.
    assert_eq!(compared, 12 + 2 + 2 + 4, "{tasks:?}");
    let one = service.get(&format!("/api/v1/executions/{id}/tasks?path=s0:first")).await.expect(200);
    assert_eq!((&one["total"], &one["items"][0]["input"]), (&json!(1), &json!({"count": 40})));
}

async fn a_large_input_is_named_by_its_event(service: Service) {
    let tasks = json!([{"grow": {"set": {"text": "${ \"x\" * 70000 }"}}}, {"shrink": {"set": {"length": "${ .text | length }"}}}]);
    let id = service.start_definition(tasks, json!({})).await;
    service.ended(&id).await;
    let tasks = service.get(&format!("/api/v1/executions/{id}/tasks")).await.expect(200);
    let (grown, shrunk) = (&tasks["items"][0], &tasks["items"][1]);
    assert_eq!((shrunk.get("input"), &shrunk["input_seq"]), (None, &grown["output_seq"]), "{tasks}");
    let seq = shrunk["input_seq"].as_u64().unwrap();
    let event =
        service.get(&format!("/api/v1/executions/{id}/history?after_seq={}&limit=1", seq - 1)).await.expect(200);
    assert_eq!(event["items"][0]["data"]["output"]["text"].as_str().unwrap().len(), 70_000);
}
