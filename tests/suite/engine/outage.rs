//! The database goes away for a while: submissions are refused, nothing is lost, and all goes on by itself.

use super::gate::Gates;
use super::process::Process;
use super::{journal, nothing_is_left, path};
use crate::service::{Client, Database, Service, definition};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::cell::Cell;
use std::process::Command;

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

/// Three effects, each on the result of the last.
fn effects() -> Value {
    let ask = |prompt: &str| json!({ "call": "agent", "with": { "agent": "echo", "prompt": prompt } });
    let tasks = json!([{ "first": ask("hello") }, { "second": ask("${ . }") }, { "third": ask("${ . }") }]);
    json!({ "definition": definition("inline", "1.0.0", tasks) })
}

/// Submits until told to stop. What was acknowledged, and how often it was told that the store is away.
async fn load(client: &Client, is_over: &Cell<bool>) -> (Vec<String>, usize) {
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    while !is_over.get() && acknowledged.len() < 500 {
        let answer = client.post("/api/v1/executions", &effects()).await;
        if answer.status.as_u16() == 201 {
            acknowledged.push(answer.json()["id"].as_str().unwrap().to_owned());
        } else {
            answer.problem(503, "store_unavailable");
            refused += 1;
        }
    }
    (acknowledged, refused)
}

/// Everything that was acknowledged comes to its end, once.
async fn all_end(client: &Client, acknowledged: Vec<String>) {
    nothing_is_left(client).await;
    for id in &acknowledged {
        let ended = client.get(&path(id)).await.expect(200);
        assert_eq!((&ended["status"], &ended["output"]), (&json!("succeeded"), &json!("hello")), "{ended}");
    }
    for id in acknowledged.iter().step_by(acknowledged.len().div_ceil(50)) {
        journal(client, id).await;
    }
}

/// Resolves when a submission is acknowledged (201) or refused (503).
async fn until_submission(client: &Client, status: u16) {
    while client.post("/api/v1/executions", &effects()).await.status.as_u16() != status {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_server_that_crashes_under_load_loses_nothing() {
    super::limited(async {
        let mut server = crate::postgres::Server::new();
        let url = server.url();
        let service = Service::start_with(Database::Sqlite, &[("store.url", &url), ("engine.max_running", "16")]);
        let client: &Client = &service;
        let is_over = Cell::new(false);
        let outages = async {
            for _ in 0..2 {
                until_submission(client, 201).await;
                server.stop();
                until_submission(client, 503).await;
                client.get("/readyz").await.expect(503);
                client.get("/livez").await.expect(200);
                server.start();
                until_submission(client, 201).await;
            }
            client.get("/readyz").await.expect(200);
            is_over.set(true);
        };
        let clients = join_all((0..4).map(|_| load(client, &is_over)));
        let (loads, ()) = futures_util::future::join(clients, outages).await;
        assert!(loads.iter().all(|(acknowledged, refused)| !acknowledged.is_empty() && *refused > 0));
        all_end(client, loads.into_iter().flat_map(|(acknowledged, _)| acknowledged).collect()).await;
        drop(service);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_may_only_be_read_is_read_and_waited_for() {
    super::limited(async {
        let gates = Gates::new();
        let url = crate::postgres::database();
        let service = Service::start_with(Database::Sqlite, &[("store.url", &url)]);
        let running = service.start_definition(json!([gates.task("alpha"), gates.mark("beta")]), json!({})).await;
        crate::postgres::forbid_writing(&url);
        until_submission(&service, 503).await;
        gates.open("alpha").await;
        assert_eq!(service.get(&path(&running)).await.expect(200)["status"], "running");
        service.get("/readyz").await.expect(503);
        crate::postgres::allow_writing(&url);
        assert_eq!(service.ended(&running).await["status"], "succeeded");
        assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 1));
        journal(&service, &running).await;
    })
    .await;
}

/// Files may not grow beyond a limit, until they may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_is_waited_for() {
    super::limited(async {
        let service = Process::start_after("trap '' XFSZ; ulimit -S -f 4096", Database::Sqlite, &[]);
        let client: &Client = &service;
        let is_over = Cell::new(false);
        let full = async {
            until_submission(client, 503).await;
            let mut lift = Command::new("prlimit");
            lift.args(["--fsize=unlimited", "--pid"]).arg(service.pid().to_string());
            assert!(lift.status().expect("prlimit runs").success());
            until_submission(client, 201).await;
            is_over.set(true);
        };
        let clients = join_all((0..8).map(|_| load(client, &is_over)));
        let (loads, ()) = futures_util::future::join(clients, full).await;
        all_end(client, loads.into_iter().flat_map(|(acknowledged, _)| acknowledged).collect()).await;
    })
    .await;
}
