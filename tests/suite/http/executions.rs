//! Starting, reading and steering executions.

use crate::on_both_databases;
use crate::service::{Database, Service, answer, definition};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(
    an_execution_is_started_in_every_way,
    an_execution_shows_what_it_did,
    a_waiting_execution_can_be_steered,
    a_failed_execution_is_retried_and_rerun,
    a_retry_goes_on_with_the_children_that_it_starts_anew,
    figures_and_the_queue_are_shown,
    children_are_listed,
    the_trace_of_a_request_goes_on_in_its_effects,
);

fn greeting() -> Value {
    json!([{"greet": {"set": {"text": "${ \"Hello, \" + .name }"}}}])
}

fn long_wait() -> Value {
    json!([{"nap": {"wait": {"hours": 1}}}])
}

async fn an_execution_is_started_in_every_way(service: Service) {
    let workflow_id = service.register("greeting", "1.0.0", greeting()).await;
    let input = json!({"name": "Ada"});
    let yaml = "document: {dsl: 1.0.3, namespace: tests, name: yaml, version: 1.0.0}\n\
                do:\n  - greet:\n      set:\n        text: ${ \"Hello, \" + .name }\n";
    let bodies = [
        json!({"workflow_id": workflow_id, "input": input}),
        json!({"workflow": {"namespace": "tests", "name": "greeting"}, "input_data": input}),
        json!({"workflow": {"namespace": "tests", "name": "greeting", "version": "1.0.0"}, "input": input}),
        json!({"definition": definition("object", "1.0.0", greeting()), "input": input}),
        json!({"definition": yaml, "input": input}),
    ];
    for body in bodies {
        let accepted = service.post("/api/v1/executions", &body).await;
        let location = accepted.header("location").unwrap().to_owned();
        let accepted = accepted.expect(201);
        assert_eq!(location, format!("/api/v1/executions/{}", accepted["id"].as_str().unwrap()));
        assert_eq!((&accepted["status"], &accepted["last_seq"]), (&json!("pending"), &json!(1)), "{body}");
        let ended = service.ended(accepted["id"].as_str().unwrap()).await;
        assert_eq!((&ended["status"], &ended["output"]["text"]), (&json!("succeeded"), &json!("Hello, Ada")), "{body}");
        assert_eq!(ended["input"], input);
    }
    let body = json!({"definition": "do: 1"});
    let problem = service.post("/api/v1/executions", &body).await.problem(422, "invalid_definition");
    assert!(problem["errors"].as_array().unwrap().iter().all(|error| error["line"] == 1), "{problem}");
    let body = json!({"definition": definition("bad", "1.0.0", json!([{"a": {"set": {"x": "${ .a + }"}}}]))});
    service.post("/api/v1/executions", &body).await.problem(422, "invalid_definition");
    let run = format!("/api/v1/workflows/{workflow_id}/execute");
    let accepted = service.post(&run, &json!({"input": input})).await.expect(202);
    assert_eq!(accepted["status"], "pending");
    let id = accepted["execution_id"].as_str().unwrap();
    assert_eq!(service.ended(id).await["workflow_id"], workflow_id.as_str());
    let status = service.get(&format!("/api/v1/workflows/executions/{id}/status")).await.expect(200);
    assert_eq!((&status["status"], &status["progress"]["fraction"]), (&json!("succeeded"), &json!(1.0)));
}

async fn an_execution_shows_what_it_did(service: Service) {
    let tasks = json!([
        {"first": {"set": {"n": 1}}},
        {"ask": {"call": "agent", "with": {"agent": "echo", "prompt": "say this"}}},
        {"never": {"if": "${ false }", "set": {"n": 3}}},
    ]);
    let id = service.start_definition(tasks, json!({})).await;
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!("say this")), "{ended}");
    assert_eq!((&ended["current_tasks"], &ended["restarts"]), (&json!([]), &json!(0)));

    let history = service.get(&format!("/api/v1/executions/{id}/history")).await.expect(200);
    let events = history["items"].as_array().unwrap();
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=ended["last_seq"].as_u64().unwrap()).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event["execution_id"] == id.as_str() && event["position"].is_u64()));
    assert_eq!((&events[0]["type"], &history["next_after_seq"]), (&json!("execution_created"), &Value::Null));
    let mut walked = Vec::new();
    let mut after = 0;
    loop {
        let page = service.get(&format!("/api/v1/executions/{id}/history?limit=2&after_seq={after}")).await.expect(200);
        walked.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_after_seq"].as_u64() else { break };
        after = next;
    }
    assert_eq!(&walked, events);
    let path = format!("/api/v1/executions/{id}/history?type=task_completed,task_skipped&type=execution_completed");
    let some = service.get(&path).await.expect(200);
    let types: Vec<&str> =
        some["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["task_completed", "task_completed", "task_skipped", "execution_completed"]);

    let tasks = service.get(&format!("/api/v1/executions/{id}/tasks")).await.expect(200);
    let seen: Vec<(&str, &str)> = tasks["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (task["name"].as_str().unwrap(), task["status"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [("first", "succeeded"), ("ask", "succeeded"), ("never", "skipped")]);
    assert_eq!(tasks["items"][1]["effect"]["kind"], "agent");
    assert_eq!((&tasks["items"][1]["output"], &tasks["items"][1]["task"]), (&json!("say this"), &json!("/do/1/ask")));
    let skipped = service.get(&format!("/api/v1/executions/{id}/tasks?status=skipped")).await.expect(200);
    assert_eq!((&skipped["total"], &skipped["items"][0]["name"]), (&json!(1), &json!("never")));

    let usage = service.get(&format!("/api/v1/executions/{id}/usage")).await.expect(200);
    assert_eq!(
        usage["totals"]["calls"].as_u64(),
        Some(u64::try_from(usage["items"].as_array().unwrap().len()).unwrap())
    );
    let logs = service.get(&format!("/api/v1/executions/{id}/logs?level=warn&q=x&task=/do/0/first&limit=5")).await;
    assert_eq!(logs.expect(200)["next_after"], Value::Null);
}

async fn a_waiting_execution_can_be_steered(service: Service) {
    let id = service.start_definition(long_wait(), json!({})).await;
    service.event(&id, |event| event["type"] == "execution_waiting").await;
    let path = format!("/api/v1/executions/{id}");
    let detail = service.get(&path).await.expect(200);
    assert_eq!(
        (&detail["status"], &detail["current_tasks"][0]["name"]),
        (&json!("waiting"), &json!("nap")),
        "{detail}"
    );
    assert_eq!(detail["current_tasks"][0]["status"], "waiting");
    assert!(detail["wake_at"].is_string(), "{detail}");
    let active = service.get("/api/v1/executions/active").await.expect(200);
    assert_eq!(active["items"][0]["id"], id.as_str());

    service.put(&path, &json!({"status": "succeeded"})).await.problem(400, "invalid_body");
    service.put(&path, &json!({"priority": 10})).await.problem(400, "invalid_body");
    let changed = service.put(&path, &json!({"priority": 9, "labels": {"team": "red"}})).await.expect(200);
    assert_eq!((&changed["priority"], &changed["labels"]), (&json!(9), &json!({"team": "red"})));
    let found = service.get("/api/v1/executions?label.team=red").await.expect(200);
    assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &json!(id)));

    let post = |action: &'static str| answer(service.request(Method::POST, &format!("{path}/{action}")));
    post("resume").await.problem(409, "wrong_state");
    assert_eq!(post("pause").await.expect(202)["status"], "paused");
    post("pause").await.problem(409, "wrong_state");
    assert_eq!(post("resume").await.expect(202)["status"], "waiting");
    assert_eq!(service.put(&path, &json!({"status": "paused"})).await.expect(200)["status"], "paused");
    post("retry").await.problem(409, "wrong_state");
    let cancelled = service.post(&format!("{path}/cancel"), &json!({"reason": "enough"})).await.expect(202);
    assert_eq!(cancelled["status"], "cancelled");
    let event = service.event(&id, |event| event["type"] == "execution_cancelled").await;
    assert_eq!(event["data"]["reason"], "enough");
    let problem = post("cancel").await.problem(409, "wrong_state");
    assert!(problem["detail"].as_str().unwrap().contains("cancelled"), "{problem}");
    let stop = format!("/api/v1/workflows/executions/{id}/stop");
    answer(service.request(Method::POST, &stop)).await.problem(409, "wrong_state");
}

async fn a_failed_execution_is_retried_and_rerun(service: Service) {
    let tasks = json!([
        {"first": {"set": {"n": 1}}},
        {"fail": {"raise": {"error": {"type": "https://example.org/broken", "status": 418, "title": "Broken"}}}},
    ]);
    let id = service.start_definition(tasks, json!({"k": "v"})).await;
    let failed = service.ended(&id).await;
    assert_eq!((&failed["status"], &failed["error"]["status"]), (&json!("failed"), &json!(418)), "{failed}");
    let retried = answer(service.request(Method::POST, &format!("/api/v1/executions/{id}/retry"))).await.expect(202);
    assert_eq!((&retried["trigger"], &retried["forked_from"]["execution_id"]), (&json!("retry"), &json!(id)));
    let ended = service.ended(retried["id"].as_str().unwrap()).await;
    assert_eq!(ended["status"], "failed");
    let rerun = answer(service.request(Method::POST, &format!("/api/v1/executions/{id}/rerun"))).await.expect(202);
    assert_ne!(rerun["id"], id.as_str());
    let ended = service.ended(rerun["id"].as_str().unwrap()).await;
    assert_eq!((&ended["status"], &ended["input"]), (&json!("failed"), &json!({"k": "v"})));
    let found = service.get("/api/v1/executions?status=faulted").await.expect(200);
    assert_eq!(found["total"], 3);
    // Only the retry goes on with the failure. The answer to a request that is repeated stays what it was.
    let again = service.get(&format!("/api/v1/executions/{id}")).await.expect(200);
    assert_eq!((&again["continued_by"], &ended["continued_by"]), (&retried["id"], &Value::Null));
    let open = service.get("/api/v1/executions?status=failed&continued=false").await.expect(200);
    let left: Vec<&Value> = open["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(left, [&rerun["id"], &retried["id"]]);
    service.get("/api/v1/executions?continued=maybe").await.problem(400, "invalid_query");
}

async fn a_retry_goes_on_with_the_children_that_it_starts_anew(service: Service) {
    let broken = json!({"type": "https://example.org/broken", "status": 418, "title": "Broken"});
    service.register("broken", "1.0.0", json!([{"fail": {"raise": {"error": broken}}}])).await;
    let run = json!({"run": {"workflow": {"namespace": "tests", "name": "broken", "version": "1.0.0"}}});
    let caught = json!({"try": [{"first": run}], "catch": {"do": [{"calm": {"set": {"calm": true}}}]}});
    let id = service.start_definition(json!([{"careful": caught}, {"second": run}]), json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "failed");
    let children =
        service.get(&format!("/api/v1/executions?parent_execution_id={id}&sort=created_at")).await.expect(200);
    let [first, second] = children["items"].as_array().unwrap().as_slice() else { panic!("{children}") };
    let retried = service.post(&format!("/api/v1/executions/{id}/retry"), &json!({})).await.expect(202);
    let of = async |id: &Value| {
        let path = format!("/api/v1/executions/{}", id.as_str().unwrap());
        service.get(&path).await.expect(200)["continued_by"].clone()
    };
    assert_eq!((of(&json!(id)).await, of(&second["id"]).await), (retried["id"].clone(), retried["id"].clone()));
    assert_eq!(of(&first["id"]).await, Value::Null, "its failure was caught, and is not made up for");
}

async fn figures_and_the_queue_are_shown(service: Service) {
    let id = service.start_definition(greeting(), json!({"name": "Ada"})).await;
    service.ended(&id).await;
    let stats = service.get("/api/v1/executions/stats").await.expect(200);
    assert_eq!((&stats["total"], &stats["by_status"]["succeeded"]), (&json!(1), &json!(1)), "{stats}");
    assert_eq!((&stats["by_status"]["failed"], &stats["success_rate"]), (&json!(0), &json!(1.0)));
    assert!(stats["run_ms"]["p99"].is_u64() && stats["per_hour"][0]["created"] == 1, "{stats}");
    let later = service.get("/api/v1/executions/stats?since=2999-01-01T00:00:00Z").await.expect(200);
    assert_eq!(later["total"], 0);
    let queue = service.get("/api/v1/queue").await.expect(200);
    assert_eq!((&queue["pending"], &queue["head"], &queue["by_priority"]), (&json!(0), &Value::Null, &json!([])));
    assert!(queue["max_running"].as_u64().unwrap() > 0);
}

async fn children_are_listed(service: Service) {
    service.register("greeting", "1.0.0", greeting()).await;
    let child = json!({"namespace": "tests", "name": "greeting", "version": "1.0.0", "input": {"name": "Ada"}});
    let id = service.start_definition(json!([{"delegate": {"run": {"workflow": child}}}]), json!({})).await;
    let ended = service.ended(&id).await;
    assert_eq!(ended["output"], json!({"text": "Hello, Ada"}), "{ended}");
    let children = service.get(&format!("/api/v1/executions/{id}/children")).await.expect(200);
    assert_eq!((&children["total"], &children["items"][0]["parent_execution_id"]), (&json!(1), &json!(id)));
    let tasks = service.get(&format!("/api/v1/executions/{id}/tasks")).await.expect(200);
    assert_eq!(tasks["items"][0]["child_execution_id"], children["items"][0]["id"]);
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let service = Service::start_with(Database::Sqlite, &[("engine.max_running", "1"), ("engine.max_queued", "1")]);
    let tasks = json!([{"hold": {"run": {"shell": {"command": "sleep 600"}}}}]);
    let first = service.start_definition(tasks.clone(), json!({})).await;
    service.event(&first, |event| event["type"] == "effect_scheduled").await;
    let second = service.start_definition(tasks.clone(), json!({})).await;
    let body = json!({"definition": definition("inline", "1.0.0", tasks)});
    let refused = service.post("/api/v1/executions", &body).await;
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    refused.problem(429, "queue_full");
    let queue = service.get("/api/v1/queue").await.expect(200);
    assert_eq!((&queue["pending"], &queue["running"]), (&json!(1), &json!(1)));
    assert_eq!(queue["head"]["execution_id"], second.as_str());
    for id in [second, first] {
        answer(service.request(Method::POST, &format!("/api/v1/executions/{id}/cancel"))).await.expect(202);
    }
}

async fn the_trace_of_a_request_goes_on_in_its_effects(service: Service) {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let tasks = json!([{"show": {"run": {"shell": {"command": "echo \"$TRACEPARENT\""}}}}]);
    let body = json!({"definition": definition("traced", "1.0.0", tasks)});
    for (given, seen) in [(trace, trace), ("not a trace", "")] {
        let request = service.request(Method::POST, "/api/v1/executions").header("traceparent", given).json(&body);
        let accepted = answer(request).await.expect(201);
        assert_eq!(service.ended(accepted["id"].as_str().unwrap()).await["output"], seen);
    }
}
