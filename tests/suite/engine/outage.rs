//! The database goes away for a while: submissions are refused, nothing is lost, and all goes on by itself.

use super::gate::Gates;
use super::{journal, nothing_is_left, path};
use crate::service::{Database, Service, definition};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_database_loses_nothing() {
    super::limited(async {
        let gates = Gates::new();
        let url = crate::postgres::database();
        let service = Service::start_with(Database::Sqlite, &[("store.url", &url), ("engine.max_running", "2")]);
        let tasks = json!([gates.task("alpha"), gates.mark("beta")]);
        let running = service.start_definition(tasks, json!({})).await;
        let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });

        crate::postgres::cut_off(&url);
        service.post("/api/v1/executions", &body).await.problem(503, "store_unavailable");
        // It ends, and what it has done cannot be written down yet.
        gates.open("alpha").await;
        service.get(&path(&running)).await.problem(503, "store_unavailable");
        service.post("/api/v1/executions", &body).await.problem(503, "store_unavailable");
        crate::postgres::let_in(&url);

        let ended = service.ended(&running).await;
        assert_eq!((&ended["status"], &ended["restarts"]), (&json!("succeeded"), &json!(0)), "{ended}");
        assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 1));
        journal(&service, &running).await;
        let id = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().unwrap().to_owned();
        assert_eq!(service.ended(&id).await["status"], "succeeded");
        nothing_is_left(&service).await;
    })
    .await;
}
