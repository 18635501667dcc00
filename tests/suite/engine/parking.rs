//! Passivation: what is parked has no actor, comes back by itself, and costs next to nothing.

use super::{journal, nothing_is_left, queue_until};
use crate::service::{Database, Service};
use crate::with_both_databases;
use serde_json::json;

with_both_databases!(parked_executions_have_no_actor_and_are_woken_by_their_timers);

async fn parked_executions_have_no_actor_and_are_woken_by_their_timers(database: Database) {
    let service = Service::start_with(database, &[("engine.max_running", "8"), ("engine.passivate_after_ms", "1")]);
    let tasks = json!([{ "nap": { "wait": { "seconds": 3 } } }, { "a": { "set": { "x": 1 } } }]);
    let id = service.register("sleeper", "1.0.0", tasks).await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        let accepted = service.post("/api/v1/executions", &json!({ "workflow_id": id })).await.expect(201);
        ids.push(accepted["id"].as_str().unwrap().to_owned());
    }
    queue_until(&service, |queue| queue["parked"] == 100 && queue["running"] == 0).await;
    for id in &ids {
        assert_eq!(service.ended(id).await["status"], "succeeded");
        journal(&service, id).await;
    }
    nothing_is_left(&service).await;
}
