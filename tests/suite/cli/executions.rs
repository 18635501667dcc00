//! The commands that talk to a running service.

use super::program::{Service, run};
use serde_json::{Value, json};

const GREETING: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: greeting, version: '1.0.0', title: Says hello }
do:
  - ask: { call: agent, with: { agent: echo, prompt: '${ "Hello " + .name }' } }
"#;

const LONG: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: long, version: '1.0.0' }
do:
  - rest: { wait: { minutes: 10 } }
"#;

const FAILING: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: failing, version: '1.0.0' }
do:
  - first: { set: { step: 1 } }
  - stop: { raise: { error: { type: 'https://example.com/errors/closed', status: 409, title: Closed, detail: we are closed } } }
"#;

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn service() -> Service {
    let service = Service::start(&[("greeting.yaml", GREETING), ("long.yaml", LONG), ("failing.yaml", FAILING)]);
    let registered = service.run(&["workflows", "register", "greeting.yaml", "long.yaml", "failing.yaml"]);
    assert_eq!(registered.expect_code(0).stdout.lines().count(), 3);
    service
}

fn start(service: &Service, workflow: &str) -> String {
    service.run(&["workflows", "run", workflow, "--detach"]).expect_code(0).stdout.trim().to_owned()
}

#[test]
fn a_workflow_is_registered_shown_run_and_found_again() {
    let service = service();
    let versions = service.run(&["workflows", "versions", "tests/greeting", "--json"]).expect_code(0);
    assert_eq!(json_of(&versions.stdout)["items"][0]["version"], "1.0.0");
    let shown = service.run(&["workflows", "show", "tests/greeting:1.0.0"]).expect_code(0);
    assert!(shown.stdout.contains("Says hello"), "{}", shown.stdout);
    let ran = service.run(&["workflows", "run", "tests/greeting", "--input", r#"{"name":"you"}"#]).expect_code(0);
    assert_eq!(ran.stdout, "Hello you\n");
    let list = service.run(&["executions", "list", "--status", "succeeded"]).expect_code(0);
    assert!(list.stdout.contains("tests/greeting 1.0.0"), "{}", list.stdout);
    let list = service.run(&["executions", "list", "--json"]).expect_code(0);
    let id = json_of(&list.stdout)["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = service.run(&["executions", "show", &id]).expect_code(0);
    for part in ["succeeded", "s0:ask", "Hello you"] {
        assert!(shown.stdout.contains(part), "{part} is missing in\n{}", shown.stdout);
    }
    let watched = service.run(&["executions", "watch", &id, "--json"]).expect_code(0);
    let lines = watched.lines();
    assert_eq!(lines.first().unwrap()["seq"], 1);
    assert_eq!(lines.last().unwrap()["output"], "Hello you");
    service.stop().expect_code(0);
}

#[test]
fn executions_are_paused_resumed_and_cancelled() {
    let service = service();
    let id = start(&service, "tests/long");
    let status = |command: &str| {
        let answer = service.run(&["executions", command, &id, "--json"]).expect_code(0);
        answer.lines()[0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("pause"), "paused");
    let again = service.run(&["executions", "pause", &id]).expect_code(1);
    assert!(again.stderr.contains("409"), "{}", again.stderr);
    assert_ne!(status("resume"), "paused");
    let cancelled = service.run(&["executions", "cancel", &id, "--reason", "enough"]).expect_code(0);
    assert!(cancelled.stdout.contains(&id), "{}", cancelled.stdout);
    let watched = service.run(&["executions", "watch", &id]).expect_code(3);
    assert!(watched.stdout.contains("enough"), "{}", watched.stdout);
    let rerun = service.run(&["executions", "rerun", &id, "--json"]).expect_code(0);
    let second = rerun.lines()[0]["id"].as_str().unwrap().to_owned();
    assert_ne!(second, id);
    service.run(&["executions", "cancel", &second]).expect_code(0);
}

#[test]
fn a_failed_execution_ends_a_watch_with_1_and_can_be_retried() {
    let service = service();
    let id = start(&service, "tests/failing");
    let watched = service.run(&["executions", "watch", &id]).expect_code(1);
    assert!(watched.stderr.contains("we are closed"), "{}", watched.stderr);
    let retried = service.run(&["executions", "retry", &id, "--json"]).expect_code(0);
    let second = retried.lines()[0]["id"].as_str().unwrap().to_owned();
    service.run(&["executions", "watch", &second]).expect_code(1);
    let shown = service.run(&["executions", "show", &second, "--json"]).expect_code(0);
    assert_eq!(json_of(&shown.stdout)["forked_from"]["execution_id"], json!(id));
    let origin = service.run(&["executions", "show", &id]).expect_code(0);
    assert!(origin.stdout.contains(&format!("retried as       {second}")), "{}", origin.stdout);
    let left = service.run(&["executions", "list", "--status", "failed", "--continued", "false"]).expect_code(0);
    assert!(left.stdout.contains(&second) && !left.stdout.contains(&id), "{}", left.stdout);
}

#[test]
fn agents_are_listed_and_tested() {
    let service = service();
    let listed = service.run(&["agents", "list"]).expect_code(0);
    assert!(listed.stdout.contains("echo"), "{}", listed.stdout);
    let tested = service.run(&["agents", "test", "echo", "Are you there?"]).expect_code(0);
    assert!(tested.stdout.contains("Are you there?"), "{}", tested.stdout);
    assert!(tested.stderr.contains("→ answer  echo"), "{}", tested.stderr);
    let unknown = service.run(&["agents", "show", "nobody"]).expect_code(1);
    assert!(unknown.stderr.contains("nobody"), "{}", unknown.stderr);
}

#[test]
fn refusals_are_told_with_what_to_do() {
    let service = service();
    let id = "0190aaaa-0000-7000-8000-000000000001";
    let unknown = service.run(&["executions", "show", id]).expect_code(1);
    assert!(unknown.stderr.contains("404"), "{}", unknown.stderr);
    service.run(&["executions", "watch", id]).expect_code(1);
    let nonsense = service.run(&["executions", "list", "--status", "nonsense"]).expect_code(2);
    assert!(nonsense.stderr.contains("status"), "{}", nonsense.stderr);
    service.run(&["workflows", "run", "tests/nothing"]).expect_code(1);
}

#[test]
fn a_service_that_is_not_there_is_code_4() {
    let folder = super::program::folder(&[]);
    let finished = run(folder.path(), &["executions", "list", "--url", "http://127.0.0.1:1"]).expect_code(4);
    assert!(finished.stderr.contains("callboard serve"), "{}", finished.stderr);
}
