//! Pre-flight: what a workflow may touch is told before anything runs.

use crate::service::{Database, Service, definition};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(what_a_workflow_may_touch_is_known_before_it_runs);

/// The lines of the answer as `kind subject times verdict`.
fn lines(answer: &Value) -> Vec<String> {
    let line = |touch: &Value| {
        let times = touch["at_most"].as_u64().map_or_else(|| "any".to_owned(), |times| times.to_string());
        let text = |key: &str| touch[key].as_str().expect("a text").to_owned();
        format!("{} {} {times} {}", text("kind"), text("subject"), text("verdict"))
    };
    answer["touches"].as_array().expect("touches").iter().map(line).collect()
}

async fn what_a_workflow_may_touch_is_known_before_it_runs(database: Database) {
    let service = Service::start_with(database, &[("effects.http.allow_private", "false")]);
    let http = |endpoint: &str| json!({ "call": "http", "with": { "method": "get", "endpoint": endpoint } });
    let ask = |agent: &str| json!({ "call": "agent", "with": { "agent": agent, "prompt": "hi" } });
    let run = |name: &str| json!({ "run": { "workflow": { "namespace": "tests", "name": name, "version": "1.0.0" } } });
    service.register("child", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])).await;
    service.put("/api/v1/secrets/KNOWN", &json!({ "value": "correct horse battery" })).await.expect(201);
    let mut body = definition(
        "touchy",
        "1.0.0",
        json!([
            { "inside": http("http://127.0.0.1:9/metadata") },
            { "nowhere": http("https://callboard.invalid/") },
            { "computed": http("${ .address }") },
            { "three": { "for": { "in": "[1, 2, 3]" }, "do": [{ "known": ask("echo") }] } },
            { "lost": ask("nobody") },
            { "here": run("child") },
            { "gone": run("missing") },
            { "shell": { "run": { "shell": { "command": "ls" } } } },
        ]),
    );
    body["use"] = json!({ "secrets": ["KNOWN", "LOST"] });
    let id = service.post("/api/v1/workflows", &body).await.expect(201)["id"].as_str().expect("an id").to_owned();
    let address = format!("/api/v1/workflows/{id}/preflight");
    let found = service.post(&address, &Value::Null).await.expect(200);
    let expected = [
        "request http://127.0.0.1:9/metadata 1 refused",
        "request https://callboard.invalid/ 1 unresolved",
        "request .address 1 unknown",
        "agent echo 3 ready",
        "agent nobody 1 missing",
        "workflow tests/child:1.0.0 1 ready",
        "workflow tests/missing:1.0.0 1 missing",
        "program ls 1 unknown",
    ];
    assert_eq!(lines(&found), expected, "{found}");
    assert_eq!(
        (&found["is_ready"], &found["model_calls_at_most"], &found["requests_at_most"]),
        (&json!(false), &json!(4), &json!(3))
    );
    let secrets = json!([{ "name": "KNOWN", "verdict": "ready" }, { "name": "LOST", "verdict": "missing" }]);
    assert_eq!(found["secrets"], secrets);
    // Nothing has run.
    assert_eq!(service.get("/api/v1/executions").await.expect(200)["total"], 0);

    let plain = service.register("plain", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])).await;
    let found = service.post(&format!("/api/v1/workflows/{plain}/preflight"), &Value::Null).await.expect(200);
    assert_eq!(
        (&found["is_ready"], &found["touches"], &found["model_calls_at_most"]),
        (&json!(true), &json!([]), &json!(0))
    );
    let nobody = "/api/v1/workflows/0198c5a0-7c1e-7000-8000-000000000002/preflight";
    service.post(nobody, &Value::Null).await.problem(404, "not_found");
}
