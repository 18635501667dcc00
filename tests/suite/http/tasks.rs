//! What the instances of tasks say of themselves.

use crate::identity::{person, tenant};
use crate::on_both_databases;
use crate::service::{Service, definition};
use serde_json::{Value, json};

on_both_databases!(
    every_task_shows_what_it_worked_on,
    a_large_input_is_named_by_its_event,
    two_executions_are_compared,
    a_comparison_takes_two_that_one_may_see,
);

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

async fn two_executions_are_compared(service: Service) {
    let tasks = |more: &str| {
        json!([
            {"load": {"set": {"y": 2, "x": 1}}},
            {"grow": {"set": {"text": "${ \"x\" * 70000 }", "n": "${ $workflow.input.n }"}}},
            {more: {"set": {"n": "${ $workflow.input.n }"}}},
            {"ask": {"call": "agent", "with": {"agent": "echo", "prompt": "Hello"}}},
        ])
    };
    let a = service.start_definition(tasks("old"), json!({"n": 1})).await;
    let b = service.start_definition(tasks("new"), json!({"n": 2})).await;
    for id in [&a, &b] {
        assert_eq!(service.ended(id).await["status"], "succeeded");
    }
    let path = format!("/api/v1/executions/{a}/diff/{b}");
    let diff = service.get(&path).await.expect(200);
    assert_eq!(diff["same"], json!({"definition": false, "input": false, "output": true}), "{diff}");
    let sides: Vec<_> = ["a", "b"].map(|side| &diff[side]).into();
    assert_eq!(sides[0]["execution"]["id"], a.as_str());
    assert!(sides[1]["definition"].as_str().unwrap().contains("new"), "{diff}");
    assert_eq!(sides[1]["usage"]["calls"], 1);
    let seen: Vec<_> = diff["tasks"].as_array().unwrap().iter().map(shape).collect();
    let expected = [
        ("s0:load", true, true, true),
        ("s1:grow", true, true, false),
        ("s2:old", true, false, false),
        ("s3:ask", true, true, true),
        ("s2:new", false, true, false),
    ];
    assert_eq!(seen, expected.map(|(path, a, b, same)| (path.to_owned(), a, b, same)), "{diff}");
    assert_eq!((&diff["total"], &diff["different"], &diff["next_offset"]), (&json!(5), &json!(3), &Value::Null));
    assert_eq!(diff["tasks"][3]["a"]["usage"]["calls"], 1, "{diff}");

    let part = service.get(&format!("{path}?only_different=true&offset=1&limit=1")).await.expect(200);
    assert_eq!((&part["tasks"][0]["path"], &part["next_offset"]), (&json!("s2:old"), &json!(2)), "{part}");
    let itself = service.get(&format!("/api/v1/executions/{a}/diff/{a}")).await.expect(200);
    assert_eq!(itself["same"], json!({"definition": true, "input": true, "output": true}));
    assert_eq!((&itself["different"], itself["a"].get("definition")), (&json!(0), Some(&Value::Null)));
}

fn shape(task: &Value) -> (String, bool, bool, bool) {
    let is = |side: &str| !task[side].is_null();
    (task["path"].as_str().unwrap().to_owned(), is("a"), is("b"), task["is_same"] == true)
}

async fn a_comparison_takes_two_that_one_may_see(service: Service) {
    let tasks = || json!([{"a": {"set": {"n": 1}}}]);
    let ada = person(&service, None, "member", "ada").await;
    let elsewhere = tenant(&service, "elsewhere").await;
    let eve = person(&service, Some(&elsewhere), "admin", "eve").await;
    let own = ada.client.start_definition(tasks(), json!({})).await;
    let others = service.start_definition(tasks(), json!({})).await;
    let foreign = eve.client.start_definition(tasks(), json!({})).await;
    let compare = async |a: &str, b: &str| ada.client.get(&format!("/api/v1/executions/{a}/diff/{b}")).await;
    compare(&own, &own).await.expect(200);
    for (a, b) in [(&own, &others), (&others, &own)] {
        compare(a, b).await.problem(403, "forbidden");
    }
    for (a, b) in [(&own, &foreign), (&foreign, &own)] {
        compare(a, b).await.problem(404, "not_found");
    }
    compare(&own, "nothing").await.problem(404, "not_found");
}
