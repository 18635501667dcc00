//! Life: what happens to executions when their actors crash, processes are killed, the database is away, and people change
//! their minds.

mod admission;
mod backup;
mod budgets;
mod commands;
mod crashes;
mod fairness;
pub mod gate;
mod kills;
mod outage;
mod ownership;
mod parking;
pub mod process;
mod refused;
mod shutdown;

use crate::service::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// Nothing in these tests takes nearly as long.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes one test per database of each function `async fn name(database: Database)`.
#[macro_export]
macro_rules! with_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::engine::limited(super::$name($crate::service::Database::Sqlite)).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::engine::limited(super::$name($crate::service::Database::Postgres)).await;
            })+
        }
    };
}

/// A test that hangs fails.
pub async fn limited(test: impl Future<Output = ()>) {
    tokio::time::timeout(LIMIT, test).await.expect("the test comes to its end");
}

pub fn path(id: &str) -> String {
    format!("/api/v1/executions/{id}")
}

/// Asks for the queue until it looks as wanted.
pub async fn queue_until(client: &Client, is_wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let queue = client.get("/api/v1/queue").await.expect(200);
        if is_wanted(&queue) {
            return queue;
        }
    }
}

/// Nothing is left of executions that have all ended.
pub async fn nothing_is_left(client: &Client) {
    let keys = ["pending", "running", "woken", "parked"];
    queue_until(client, |queue| keys.iter().all(|key| queue[*key] == 0)).await;
}

/// All events of an execution, after checking that their numbers have no gap and that no task was completed twice.
pub async fn journal(client: &Client, id: &str) -> Vec<Value> {
    let history = client.get(&format!("{}/history?limit=1000", path(id))).await.expect(200);
    let events = history["items"].as_array().expect("events").clone();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event["seq"], seq, "{events:?}");
    }
    let mut completed: Vec<String> = events
        .iter()
        .filter(|event| event["type"] == "task_completed")
        .map(|event| event["path"].as_str().or(event["task"].as_str()).expect("a place").to_owned())
        .collect();
    let count = completed.len();
    completed.sort();
    completed.dedup();
    assert_eq!(completed.len(), count, "a task was completed twice: {events:?}");
    events
}

/// How many events of a type an execution has.
pub fn count(events: &[Value], wanted: &str) -> usize {
    events.iter().filter(|event| event["type"] == wanted).count()
}

/// Sends a command and returns the answer's body after checking the status.
pub async fn command(client: &Client, id: &str, word: &str, status: u16) -> Value {
    client.post(&format!("{}/{word}", path(id)), &json!({})).await.expect(status)
}

/// A wait that nobody lives to see the end of.
pub fn long_wait() -> Value {
    json!({ "nap": { "wait": { "hours": 10 } } })
}
