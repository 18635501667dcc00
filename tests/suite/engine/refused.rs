//! Rows that the database does not take although it takes others, and rows that cannot be read back: an execution ends with a
//! reason instead of waiting for ever, and nothing is spent that is not known.

use super::gate::Gates;
use super::{command, count, journal, path, queue_until};
use crate::service::{Client, Database, Service};
use crate::with_both_databases;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde_json::{Value, json};

with_both_databases!(
    a_row_that_is_refused_ends_its_execution_and_no_other,
    to_cancel_does_not_wait_until_a_refused_row_is_given_up,
    an_execution_of_which_nothing_is_taken_is_left_and_can_be_taken_up_again,
    an_account_that_cannot_be_read_spends_nothing,
);

/// Runs statements on the database of a service, as somebody else than the service might.
fn execute(service: &Service, sql: &str) {
    let url = service.store_url();
    let done = match url.strip_prefix("sqlite:") {
        Some(file) => SqliteConnection::establish(file)
            .expect("the file")
            .batch_execute(&format!("PRAGMA busy_timeout = 10000; {sql}")),
        None => PgConnection::establish(url).expect("the server").batch_execute(sql),
    };
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// From now on rows of the journal are refused for which a condition holds, with an error that says nothing by its kind.
fn refuse(service: &Service, database: Database, condition: &str) {
    execute(
        service,
        &match database {
            Database::Sqlite => format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON journal WHEN {condition} \
                 BEGIN SELECT RAISE(ABORT, 'not this row'); END"
            ),
            Database::Postgres => format!(
                "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN IF {condition} THEN \
                 RAISE EXCEPTION 'not this row'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql; \
                 CREATE TRIGGER refuse BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION refuse()"
            ),
        },
    );
}

fn relent(service: &Service, database: Database) {
    execute(
        service,
        match database {
            Database::Sqlite => "DROP TRIGGER refuse",
            Database::Postgres => "DROP TRIGGER refuse ON journal",
        },
    );
}

/// A task that leaves a mark, and whose output is a word that stands nowhere in the definition.
fn poisoned(gates: &Gates, name: &str) -> Value {
    let mut task = gates.mark(name);
    let command = format!("{}; printf 'poi%s' son", task[name]["run"]["shell"]["command"].as_str().expect("a command"));
    task[name]["run"]["shell"]["command"] = json!(command);
    task
}

async fn metric(client: &Client, name: &str) -> u64 {
    let metrics = client.get("/metrics").await.text;
    let line = metrics.lines().find(|line| line.starts_with(name)).expect("the figure");
    line.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

async fn a_row_that_is_refused_ends_its_execution_and_no_other(database: Database) {
    let gates = Gates::new();
    let mut service = Service::start_with(database, &[]);
    refuse(&service, database, "NEW.events LIKE '%poison%'");
    let child = service.register("child", "1.0.0", json!([poisoned(&gates, "work"), gates.mark("after")])).await;
    assert!(!child.is_empty());
    let run = json!({ "run": { "workflow": { "namespace": "tests", "name": "child", "version": "1.0.0" } } });
    let said = json!([{ "tell": { "set": { "said": "${ $why.title }" } } }]);
    let caught = json!([{ "safely": { "try": [{ "below": run }], "catch": { "as": "why", "do": said } } }]);
    let parent = service.start_definition(caught, json!({})).await;
    // Meanwhile everybody else goes on.
    service.event(&parent, |event| event["type"] == "child_started").await;
    while metric(&service, "callboard_appends_given_up_total").await == 0 {
        let id = service.start_definition(json!([{ "a": { "set": { "x": 1 } } }]), json!({})).await;
        assert_eq!(service.ended(&id).await["status"], "succeeded");
    }
    let ended = service.ended(&parent).await;
    let title = "The database refuses the execution's events";
    assert_eq!((&ended["status"], &ended["output"]["said"]), (&json!("succeeded"), &json!(title)), "{ended}");
    let children = service.get(&format!("{}/children", path(&parent))).await.expect(200);
    let child = children["items"][0]["id"].as_str().expect("a child").to_owned();
    let failed = service.get(&path(&child)).await.expect(200);
    assert_eq!((&failed["status"], &failed["restarts"]), (&json!("failed"), &json!(0)), "{failed}");
    let error = failed["error"].to_string();
    assert!(error.contains(title) && error.contains("effect_completed") && error.contains("suggestion"), "{error}");
    assert!(!error.contains("not this row") && !error.contains("poison"), "{error}");
    let events = journal(&service, &child).await;
    assert_eq!((count(&events, "execution_failed"), count(&events, "effect_completed")), (1, 0), "{events:?}");
    assert_eq!((gates.runs("work"), gates.runs("after")), (1, 0), "what it did was done once");

    service.restart();
    assert_eq!(service.get(&path(&child)).await.expect(200), failed);
    relent(&service, database);
    let retried = service.post(&format!("{}/retry", path(&child)), &json!({})).await.json();
    let retried = service.ended(retried["id"].as_str().expect("an id")).await;
    assert_eq!(retried["status"], "succeeded", "{retried}");
    assert_eq!((gates.runs("work"), gates.runs("after")), (2, 1));
}

async fn to_cancel_does_not_wait_until_a_refused_row_is_given_up(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[]);
    refuse(&service, database, "NEW.events LIKE '%poison%'");
    let id = service.start_definition(json!([poisoned(&gates, "work"), gates.mark("after")]), json!({})).await;
    while metric(&service, "callboard_journal_failures_total").await == 0 {}
    assert_eq!(command(&service, &id, "cancel", 202).await["status"], "cancelled");
    let events = journal(&service, &id).await;
    assert_eq!((count(&events, "execution_cancelled"), count(&events, "execution_failed")), (1, 0), "{events:?}");
    assert_eq!((gates.runs("work"), gates.runs("after")), (1, 0));
}

async fn an_execution_of_which_nothing_is_taken_is_left_and_can_be_taken_up_again(database: Database) {
    let gates = Gates::new();
    let service = Service::start_with(database, &[]);
    let id = service.start_definition(json!([gates.task("alpha"), gates.mark("beta")]), json!({})).await;
    service.event(&id, |event| event["type"] == "effect_scheduled").await;
    refuse(&service, database, &format!("NEW.execution_id = '{id}'"));
    gates.open("alpha").await;
    while metric(&service, "callboard_journal_failures_total").await == 0 {}
    // Not even this is taken: whoever asks is told, and does not wait for an answer that never comes.
    service.post(&format!("{}/cancel", path(&id)), &json!({})).await.problem(500, "internal");
    queue_until(&service, |queue| queue["running"] == 0).await;
    let other = service.start_definition(json!([{ "a": { "set": { "x": 1 } } }]), json!({})).await;
    assert_eq!(service.ended(&other).await["status"], "succeeded");
    assert_eq!(service.get(&path(&id)).await.expect(200)["status"], "running");

    relent(&service, database);
    assert_eq!(command(&service, &id, "cancel", 202).await["status"], "cancelled");
    assert_eq!(gates.runs("beta"), 0);
    journal(&service, &id).await;
}

async fn an_account_that_cannot_be_read_spends_nothing(database: Database) {
    let gates = Gates::new();
    let mut service = Service::start_with(database, &[]);
    let work = gates.mark("asked")["asked"]["run"]["shell"]["command"].as_str().expect("a command").to_owned();
    let parameters = json!({ "program": "sh", "arguments": ["-c", format!("{work}; echo fine")] });
    let agent = json!({ "name": "Teller", "adapter": "command", "parameters": parameters });
    service.post("/api/v1/agents", &agent).await.expect(201);
    let ask = json!({ "ask": { "call": "agent", "with": { "agent": "teller", "prompt": "?" } } });
    let definition = crate::service::definition("inline", "1.0.0", json!([gates.task("alpha"), ask]));
    let body = json!({ "definition": definition, "budget": { "max_model_calls": 1 } });
    let id = service.post("/api/v1/executions", &body).await.expect(201)["id"].as_str().expect("an id").to_owned();
    service.event(&id, |event| event["type"] == "effect_scheduled").await;
    service.stop();
    execute(&service, "UPDATE execution_budgets SET budget = '{'");
    service.resume();
    gates.open("alpha").await;
    let failed = service.event(&id, |event| event["type"] == "execution_failed").await;
    let error = &failed["data"]["error"];
    assert_eq!((&error["title"], &error["instance"]), (&json!("The budget cannot be read"), &json!("/do/1/ask")));
    assert!(error["suggestion"].as_str().is_some_and(|text| text.contains("nothing was spent")), "{error}");
    assert_eq!(gates.runs("asked"), 0);

    execute(&service, r#"UPDATE execution_budgets SET budget = '{"max_model_calls":1}'"#);
    let retried = service.post(&format!("{}/retry", path(&id)), &json!({})).await.json();
    let retried = service.ended(retried["id"].as_str().expect("an id")).await;
    assert_eq!((&retried["status"], &retried["output"]), (&json!("succeeded"), &json!("fine")), "{retried}");
    assert_eq!(gates.runs("asked"), 1);
}
