//! Fairness: what one tenant has waiting does not hold up another, and limits of a tenant hold.

use super::gate::Gates;
use super::{command, nothing_is_left, path, queue_until};
use crate::service::{Database, Service, definition};
use crate::with_both_databases;
use callboard::actors::{Runnable, Submission};
use callboard::domain::{TenantId, definition as language};
use callboard::store::{Filter, PageRequest, Sort};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

with_both_databases!(
    ten_thousand_of_one_tenant_delay_the_only_one_of_another_by_one_slot,
    a_tenant_runs_no_more_than_it_may_and_leaves_the_other_slots_alone,
    a_tenant_whose_queue_is_full_is_refused_with_a_code_of_its_own,
);

const OTHER: TenantId = TenantId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002));

fn submission(tenant: TenantId, tasks: Value) -> Submission {
    let text = definition("inline", "1.0.0", tasks).to_string();
    let definition = Arc::new(language::parse(&text).expect("a definition"));
    Submission::new(tenant, Runnable::Inline(definition), json!({}))
}

fn short() -> Value {
    json!([{ "a": { "set": { "x": 1 } } }])
}

/// The default tenant speaks HTTP; nobody speaks for another one yet but the engine itself.
async fn ten_thousand_of_one_tenant_delay_the_only_one_of_another_by_one_slot(database: Database) {
    const CROWD: usize = 10_000;
    let gates = Gates::new();
    let service = Service::start_with(database, &[("engine.max_running", "1")]);
    let engine = service.engine().clone();
    engine.submit(submission(OTHER, json!([gates.task("alpha")]))).await.expect("it is accepted");
    let crowd = submission(OTHER, short());
    let submitted = stream::iter(0..CROWD).map(|_| engine.submit(Submission { priority: 9, ..crowd.clone() }));
    let submitted = submitted.buffer_unordered(256).filter(|answer| std::future::ready(answer.is_ok())).count().await;
    assert_eq!(submitted, CROWD);
    let body = json!({ "definition": definition("inline", "1.0.0", short()), "priority": 0 });
    let single = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned();

    let queue = service.get("/api/v1/queue").await.expect(200);
    assert_eq!(
        (&queue["pending"], &queue["running"], &queue["head"]["execution_id"]),
        (&json!(1), &json!(0), &json!(single))
    );
    assert_eq!(queue["head"]["reason"], "all 1 slots of the service are taken");
    assert_eq!((&queue["head"]["holdup"], &queue["head"]["limit"]), (&json!("no_slot"), &json!(1)), "{queue}");
    let other = queue["service"]["tenants"].as_array().unwrap().iter().find(|one| one["tenant_id"] == json!(OTHER));
    assert_eq!((&other.unwrap()["pending"], &other.unwrap()["running"]), (&json!(CROWD), &json!(1)), "{queue}");

    gates.open("alpha").await;
    let ended = service.ended(&single).await;
    let started_at = ended["started_at"].as_str().unwrap().to_owned();
    let first = PageRequest::Cursor { cursor: None, limit: 100 };
    let oldest = Filter { sort: Sort::OldestFirst, ..Filter::default() };
    let others = engine.store().executions(OTHER, oldest, first).await.expect("a page");
    let earlier =
        others.items.iter().filter(|one| one.started_at.is_some_and(|at| at.to_string() < started_at)).count();
    assert!(earlier <= 2, "besides the one that ran, {} were started before it", earlier - 1);
}

async fn a_tenant_runs_no_more_than_it_may_and_leaves_the_other_slots_alone(database: Database) {
    let gates = Gates::new();
    let limits = [("engine.max_running", "4"), ("limits.max_running_executions", "1")];
    let service = Service::start_with(database, &limits);
    let first = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let second = service.start_definition(json!([gates.task("beta")]), json!({})).await;
    let queue = queue_until(&service, |queue| queue["running"] == 1 && queue["pending"] == 1).await;
    assert_eq!((&queue["max_running"], &queue["head"]["execution_id"]), (&json!(1), &json!(second)), "{queue}");
    assert_eq!(queue["head"]["reason"], "the tenant runs as many executions as it may: 1");
    assert_eq!((&queue["head"]["holdup"], &queue["head"]["limit"]), (&json!("tenant_limit"), &json!(1)), "{queue}");
    let other =
        service.engine().submit(submission(OTHER, json!([gates.task("gamma")]))).await.expect("there is a slot");
    gates.open("gamma").await;
    assert_eq!(gates.runs("beta"), 0);
    gates.open("alpha").await;
    gates.open("beta").await;
    for id in [&first, &second] {
        assert_eq!(service.ended(id).await["status"], "succeeded");
    }
    let slots = |queue: &Value| queue["service"]["running"] == 0;
    queue_until(&service, slots).await;
    assert_eq!(other.tenant_id, OTHER);
}

async fn a_tenant_whose_queue_is_full_is_refused_with_a_code_of_its_own(database: Database) {
    let gates = Gates::new();
    let limits = [("engine.max_running", "1"), ("limits.max_queued_executions", "2")];
    let service = Service::start_with(database, &limits);
    let holder = service.start_definition(json!([gates.task("alpha")]), json!({})).await;
    let pending = service.start_definition(short(), json!({})).await;
    let body = |more: Value| {
        let mut body = json!({ "definition": definition("inline", "1.0.0", short()) });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let later = body(json!({ "start_at": "2999-01-01T00:00:00Z" }));
    let delayed = service.post("/api/v1/executions", &later).await.expect(201)["id"].as_str().unwrap().to_owned();
    let refused = service.post("/api/v1/executions", &body(json!({}))).await;
    assert!(refused.header("retry-after").is_some_and(|after| after.parse::<u64>().is_ok_and(|after| after > 0)));
    refused.problem(429, "tenant_queue_full");
    // Another tenant has a queue of its own.
    let other = service.engine().submit(submission(OTHER, short())).await.expect("it is accepted");
    let queue = service.get("/api/v1/queue").await.expect(200);
    assert_eq!((&queue["delayed"], &queue["max_queued"]), (&json!(1), &json!(2)), "{queue}");
    command(&service, &delayed, "cancel", 202).await;
    let id = service.post("/api/v1/executions", &body(json!({}))).await.expect(201)["id"].as_str().unwrap().to_owned();
    gates.open("alpha").await;
    for id in [&holder, &pending, &id] {
        assert_eq!(service.ended(id).await["status"], "succeeded");
    }
    nothing_is_left(&service).await;
    assert_eq!(service.get(&path(&other.id.to_string())).await.status.as_u16(), 404);
}
