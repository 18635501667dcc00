//! Budgets: what may be spent holds for a whole tree, across forks, retries, kills and months, and a person may approve more.

use super::gate::{Gates, first_line};
use super::process::Process;
use super::{command, count, journal, long_wait, path, queue_until};
use crate::service::{Client, Database, Service, definition};
use crate::with_both_databases;
use serde_json::{Value, json};

with_both_databases!(
    a_budget_that_is_hit_in_the_middle_of_a_fork_pauses_it_until_more_is_approved,
    a_paused_budget_survives_kills_and_no_call_is_made_behind_it,
    children_spend_the_budget_of_their_parent,
    the_month_of_a_tenant_is_a_budget_too,
    what_failed_was_retried_or_cancelled_is_recorded_as_wasted,
    wall_time_is_a_budget,
    time_that_is_over_is_over_for_children_after_a_kill,
    a_budget_is_checked_and_shown,
);

/// An agent that is a program, as every other to the ledger: it does what the prompt says, and reports 100 tokens read and 20
/// written.
async fn create_agent(client: &Client) {
    let answer = r#"echo '{"result": "ok", "usage": {"input_tokens": 100, "output_tokens": 20}}'"#;
    let agent = json!({
        "name": "Teller", "slug": "teller", "adapter": "command",
        "parameters": {
            "program": "sh", "arguments": ["-c", format!("work=$(cat); eval \"$work\"; {answer}")], "output": "json",
            "prices": { "input": 5_000.0, "output": 12_500.0 },
        },
    });
    client.post("/api/v1/agents", &agent).await.expect(201);
}

/// A call of the agent that does something first; `more` are further parameters.
fn call(work: &str, more: Value) -> Value {
    json!({ "call": "agent", "with": { "agent": "teller", "prompt": work, "parameters": more } })
}

/// A call that runs until its gate is opened.
fn gated(gates: &Gates, name: &str, more: Value) -> Value {
    let task = gates.task(name);
    let work = task[name]["run"]["shell"]["command"].as_str().expect("a command");
    call(&format!("({work}) 1>&2"), more)
}

/// The same, which writes a line into a pipe when it runs.
fn announced(gates: &Gates, name: &str) -> Value {
    let task = gates.task(name);
    let work = task[name]["run"]["shell"]["command"].as_str().expect("a command");
    call(&format!("(echo up > {}; {work}) 1>&2", gates.pipe("up").display()), json!({}))
}

async fn start(client: &Client, tasks: Value, budget: Value) -> String {
    let body = json!({ "definition": definition("inline", "1.0.0", tasks), "budget": budget });
    client.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

fn fork(branches: Value) -> Value {
    json!([{ "all": { "fork": { "branches": branches } } }])
}

/// Waits until a limit has paused the execution for the n-th time, and returns it.
async fn paused(client: &Client, id: &str, times: usize) -> Value {
    let mut seen = 0;
    let mut events = client.events(&format!("{}/stream", path(id)), Some(0)).await;
    while seen < times {
        let event = events.next().await.expect("the feed goes on");
        seen += usize::from(event.data["data"]["type"] == "execution_paused");
    }
    client.get(&path(id)).await.expect(200)
}

async fn approve(client: &Client, id: &str, limits: Value) -> Value {
    client.post(&format!("{}/budget", path(id)), &limits).await.expect(202)
}

async fn a_budget_that_is_hit_in_the_middle_of_a_fork_pauses_it_until_more_is_approved(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.passivate_after_ms", "1")]);
    create_agent(&service).await;
    let branches = json!([
        { "a": gated(&gates, "alpha", json!({ "max_tokens": 500 })) },
        { "b": gated(&gates, "beta", json!({ "max_tokens": 500 })) },
        { "c": gated(&gates, "gamma", json!({ "max_tokens": 9_000 })) },
    ]);
    let id = start(&service, fork(branches), json!({ "max_tokens": 5_000 })).await;
    // Two calls run, the third does not fit: the execution is paused while they go on.
    let stopped = paused(&service, &id, 1).await;
    assert_eq!((&stopped["status"], &stopped["budget"]["limits"]), (&json!("paused"), &json!({ "max_tokens": 5_000 })));
    let reason = stopped["pause_reason"].as_str().expect("a reason");
    assert!(reason.contains("0 of 5000 tokens") && reason.contains("may need 90"), "{reason}");
    assert_eq!(stopped["budget"]["reserved"]["calls"], 2, "{stopped}");
    gates.open("alpha").await;
    gates.open("beta").await;
    queue_until(&service, |queue| queue["parked"] == 1 && queue["running"] == 0).await;
    let waiting = service.get(&path(&id)).await.expect(200);
    assert_eq!(
        (&waiting["status"], &waiting["budget"]["spent"]["tokens"]),
        (&json!("paused"), &json!(240)),
        "{waiting}"
    );

    // To go on with the same budget asks again, and begins nothing.
    command(&service, &id, "resume", 202).await;
    let again = paused(&service, &id, 2).await;
    assert!(again["pause_reason"].as_str().expect("a reason").contains("240 of 5000 tokens"), "{again}");
    assert_eq!(gates.runs("gamma"), 0);

    let approved = approve(&service, &id, json!({ "max_tokens": 10_000 })).await;
    assert_eq!((&approved["status"], &approved["pause_reason"]), (&json!("running"), &Value::Null));
    assert_eq!((&again["pause_limit"], &approved["pause_limit"]), (&json!("max_tokens"), &Value::Null));
    gates.open("gamma").await;
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!(["ok", "ok", "ok"])), "{ended}");
    assert_eq!(ended["budget"]["spent"], json!({ "calls": 3, "tokens": 360, "cost_usd": 2.25 }));
    assert_eq!(ended["budget"]["reserved"], json!({ "calls": 0, "tokens": 0, "cost_usd": 0.0 }));
    let events = journal(&service, &id).await;
    for (kind, times) in
        [("effect_withheld", 2), ("approval_requested", 2), ("approval_given", 1), ("usage_recorded", 3)]
    {
        assert_eq!(count(&events, kind), times, "{kind}");
    }
    assert_eq!([gates.runs("alpha"), gates.runs("beta"), gates.runs("gamma")], [1, 1, 1]);
    service.post(&format!("{}/budget", path(&id)), &json!({ "max_tokens": 1 })).await.problem(409, "wrong_state");
}

async fn a_paused_budget_survives_kills_and_no_call_is_made_behind_it(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &["engine.passivate_after_ms=10"]);
    create_agent(&service).await;
    let branches = json!([{ "a": announced(&gates, "alpha") }, { "b": announced(&gates, "alpha") }]);
    let id = start(&service, fork(branches), json!({ "max_model_calls": 1 })).await;
    let up = first_line(gates.pipe("up")).await;
    // One of them runs. The other waits for its end: until then it might turn out to be no call at all.
    service.kill();
    service.resume(&[]);
    assert_eq!(gates.runs("alpha"), 1);
    gates.open("alpha").await;
    let stopped = paused(&service, &id, 1).await;
    let reason = json!("1 of 1 calls of the execution's budget are used, and the next call may need 1");
    assert_eq!((&stopped["status"], &stopped["pause_reason"]), (&json!("paused"), &reason), "{stopped}");

    service.kill();
    service.resume(&[]);
    let still = service.get(&path(&id)).await.expect(200);
    assert_eq!((&still["status"], &still["pause_reason"]), (&json!("paused"), &reason));
    assert_eq!(still["pause_limit"], "max_model_calls", "{still}");
    assert_eq!(still["budget"]["spent"]["calls"], 1);
    approve(&service, &id, json!({ "max_model_calls": 2 })).await;
    gates.open("alpha").await;
    drop(up);
    let ended = service.ended(&id).await;
    assert_eq!(ended["output"], json!(["ok", "ok"]), "{ended}");
    assert_eq!(gates.runs("alpha"), 3, "one was killed, one was begun before and one after it was approved");
    let events = journal(&service, &id).await;
    assert_eq!((count(&events, "effect_withheld"), count(&events, "approval_requested")), (1, 1));
}

async fn children_spend_the_budget_of_their_parent(database: Database) {
    let service = Service::start_with(database, &[("engine.passivate_after_ms", "1")]);
    create_agent(&service).await;
    let two = json!([{ "first": call("true", json!({})) }, { "second": call("true", json!({})) }]);
    service.register("two", "1.0.0", two).await;
    let run = json!({ "run": { "workflow": { "namespace": "tests", "name": "two", "version": "1.0.0" } } });
    let id =
        start(&service, json!([{ "own": call("true", json!({})) }, { "below": run }]), json!({ "max_model_calls": 2 }))
            .await;
    let started = service.event(&id, |event| event["type"] == "child_started").await;
    let child = started["data"]["child_id"].as_str().expect("an id").to_owned();
    let stopped = paused(&service, &child, 1).await;
    assert_eq!(stopped["budget"]["root_execution_id"], json!(id), "{stopped}");
    assert_eq!(stopped["budget"]["spent"]["calls"], 2);
    queue_until(&service, |queue| queue["parked"] == 2).await;
    // Whichever of the two is named.
    let approved = approve(&service, &child, json!({ "max_model_calls": 3 })).await;
    assert_eq!(approved["id"], json!(child));
    let ended = service.ended(&id).await;
    assert_eq!((&ended["status"], &ended["budget"]["spent"]["calls"]), (&json!("succeeded"), &json!(3)), "{ended}");
    assert_eq!(count(&journal(&service, &id).await, "approval_given"), 1);
}

async fn the_month_of_a_tenant_is_a_budget_too(database: Database) {
    let service = Service::start_with(database, &[("limits.max_tokens_per_month", "1100")]);
    create_agent(&service).await;
    let small = || json!([{ "ask": call("true", json!({ "max_tokens": 900 })) }]);
    let first = service.start_definition(small(), json!({})).await;
    assert_eq!(service.ended(&first).await["status"], "succeeded");
    let second = service.start_definition(small(), json!({})).await;
    assert_eq!(service.ended(&second).await["status"], "succeeded");
    let third = service.start_definition(small(), json!({})).await;
    let stopped = paused(&service, &third, 1).await;
    let reason = stopped["pause_reason"].as_str().expect("a reason");
    assert!(reason.starts_with("240 of 1100 tokens of the tenant's month"), "{reason}");
    let events = journal(&service, &third).await;
    let asked = events.iter().find(|event| event["type"] == "approval_requested").expect("a person is asked");
    assert_eq!(asked["data"]["limit"], "max_tokens_per_month", "{asked}");
    assert_eq!(stopped["pause_limit"], "max_tokens_per_month", "{stopped}");
    // What costs nothing goes on.
    let free = json!([{ "ask": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } }]);
    let free = service.start_definition(free, json!({})).await;
    assert_eq!(service.ended(&free).await["output"], "hi");
    command(&service, &third, "cancel", 202).await;
    assert_eq!(service.ended(&third).await["status"], "cancelled");
}

async fn what_failed_was_retried_or_cancelled_is_recorded_as_wasted(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[]);
    create_agent(&service).await;
    let once = gates.pipe("once").with_extension("mark").display().to_string();
    let attempt = json!([
        { "ask": call("true", json!({})) },
        { "check": { "run": { "shell": { "command": format!("test -e {once} || {{ touch {once}; exit 3; }}") } } } },
    ]);
    let retried = json!([{ "safe": {
        "try": attempt,
        "catch": { "retry": { "limit": { "attempt": { "count": 3 } }, "delay": { "milliseconds": 1 } } },
    } }]);
    let id = service.start_definition(retried, json!({})).await;
    assert_eq!(service.ended(&id).await["status"], "succeeded");
    let usage = service.get(&format!("{}/usage", path(&id))).await.expect(200);
    let outcomes: Vec<&Value> = usage["items"].as_array().unwrap().iter().map(|item| &item["outcome"]).collect();
    assert_eq!(outcomes, [&json!("wasted"), &json!("used")], "{usage}");
    assert_eq!(usage["totals"]["wasted"], json!({ "calls": 1, "tokens": 120, "cost_usd": 0.75 }));
    let summary = service.get("/api/v1/observability/usage/summary").await.expect(200);
    assert_eq!(summary["spent"], json!({ "calls": 2, "tokens": 240, "cost_usd": 1.5 }), "{summary}");
    assert_eq!((&summary["wasted"], &summary["per_hour"][0]["tokens"]), (&usage["totals"]["wasted"], &json!(240)));
    let later = service.get("/api/v1/observability/usage/summary?since=2999-01-01T00:00:00Z").await.expect(200);
    assert_eq!((&later["spent"]["calls"], &later["per_hour"]), (&json!(0), &json!([])), "{later}");
    assert_eq!(usage["items"][0]["prices"]["output"], 12_500.0);

    let id = service.start_definition(json!([{ "ask": announced(&gates, "alpha") }]), json!({})).await;
    let _up = first_line(gates.pipe("up")).await;
    command(&service, &id, "cancel", 202).await;
    assert_eq!(service.ended(&id).await["status"], "cancelled");
    let usage = service.get(&format!("{}/usage", path(&id))).await.expect(200);
    let broken_off = &usage["items"][0];
    assert_eq!((&broken_off["outcome"], &broken_off["is_estimated"]), (&json!("wasted"), &json!(true)), "{usage}");
    assert!(broken_off["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
}

async fn time_that_is_over_is_over_for_children_after_a_kill(database: Database) {
    let mut service = Process::start(database, &[]);
    create_agent(&service).await;
    let nap = json!({ "nap": { "wait": { "seconds": 4 } } });
    service.register("sleeper", "1.0.0", json!([nap, { "ask": call("true", json!({})) }])).await;
    let run = json!({ "workflow": { "namespace": "tests", "name": "sleeper", "version": "1.0.0" } });
    let root = start(&service, json!([{ "below": { "run": run } }]), json!({ "max_wall_seconds": 1 })).await;
    paused(&service, &root, 1).await;
    service.kill();
    service.resume(&[]);
    let children = service.get(&format!("{}/children", path(&root))).await.expect(200);
    let child = children["items"][0]["id"].as_str().expect("a child").to_owned();
    let stopped = paused(&service, &child, 1).await;
    assert_eq!(stopped["pause_reason"], "the execution has taken the 1 seconds of its budget", "{stopped}");
    let usage = service.get(&format!("{}/usage", path(&child))).await.expect(200);
    assert_eq!(usage["items"].as_array().map(Vec::len), Some(0), "{usage}");
    approve(&service, &root, json!({ "max_wall_seconds": 3_600 })).await;
    assert_eq!(service.ended(&root).await["status"], "succeeded");
}

async fn wall_time_is_a_budget(database: Database) {
    let service = Service::start_with(database, &[("engine.passivate_after_ms", "1")]);
    let id = start(&service, json!([long_wait()]), json!({ "max_wall_seconds": 1 })).await;
    let stopped = paused(&service, &id, 1).await;
    assert_eq!(stopped["pause_reason"], "the execution has taken the 1 seconds of its budget");
    queue_until(&service, |queue| queue["parked"] == 1).await;
    let approved = approve(&service, &id, json!({ "max_wall_seconds": 3_600 })).await;
    assert_eq!(approved["pause_reason"], Value::Null);
    let wakes =
        service.event(&id, |event| event["type"] == "execution_waiting" && event["seq"].as_u64() > Some(6)).await;
    assert_eq!(wakes["type"], "execution_waiting");
    command(&service, &id, "cancel", 202).await;
    assert_eq!(service.ended(&id).await["status"], "cancelled");
}

async fn a_budget_is_checked_and_shown(database: Database) {
    let service = Service::start_with(database, &[]);
    let tasks = || definition("inline", "1.0.0", json!([long_wait()]));
    for (budget, pointer) in [
        (json!({ "max_cost_usd": -1 }), "/budget/max_cost_usd"),
        (json!({ "max_tokens": 9_000_000_000_000_000_u64 }), "/budget/max_tokens"),
    ] {
        let refused = service.post("/api/v1/executions", &json!({ "definition": tasks(), "budget": budget })).await;
        assert_eq!(refused.problem(400, "invalid_body")["errors"][0]["pointer"], pointer);
    }
    let body = json!({ "definition": tasks(), "budget": { "max_turns": 1 } });
    service.post("/api/v1/executions", &body).await.problem(400, "invalid_body");
    let id = start(&service, json!([long_wait()]), json!({ "max_cost_usd": 2.5 })).await;
    service.event(&id, |event| event["type"] == "execution_waiting").await;
    let address = format!("{}/budget", path(&id));
    service.post(&address, &json!({})).await.problem(400, "invalid_body");
    approve(&service, &id, json!({ "max_tokens": 7 })).await;
    let shown = service.get(&path(&id)).await.expect(200);
    assert_eq!(shown["budget"]["limits"], json!({ "max_tokens": 7, "max_cost_usd": 2.5 }));
    let free = service.start_definition(json!([long_wait()]), json!({})).await;
    assert_eq!(service.get(&path(&free)).await.expect(200)["budget"], Value::Null);
    for id in [&id, &free] {
        command(&service, id, "cancel", 202).await;
    }
}
