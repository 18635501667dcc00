//! `callboard run`: a definition in an embedded engine.

use super::program::{Finished, finish, folder, path, pid_of, program, read_until, run};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};
use std::io::BufReader;
use std::path::Path;

const GREETING: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: greeting, version: '1.0.0' }
do:
  - ask: { call: agent, with: { agent: echo, prompt: '${ "Hello " + .name }' } }
  - wrap: { set: { greeting: '${ . }' } }
"#;

const FAILING: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: failing, version: '1.0.0' }
do:
  - stop: { raise: { error: { type: 'https://example.com/errors/closed', status: 409, title: Closed, detail: we are closed } } }
"#;

const ENDLESS_SHELL: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: endless, version: '1.0.0' }
do:
  - work: { run: { shell: { command: 'echo $$ > "$FILE"; sleep 1000', environment: { FILE: '${ .file }' } } } }
"#;

fn result_of(finished: &Finished) -> Value {
    finished.lines().pop().unwrap()
}

#[test]
fn a_success_prints_its_output_and_ends_with_0() {
    let folder = folder(&[("greeting.yaml", GREETING), ("input.json", r#"{"name":"file"}"#)]);
    let inline = run(folder.path(), &["run", "greeting.yaml", "--input", r#"{"name":"world"}"#]).expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&inline.stdout).unwrap(), json!({ "greeting": "Hello world" }));
    for part in ["tests/greeting 1.0.0", "✓ ask", "✓ wrap", "✓ succeeded"] {
        assert!(inline.stderr.contains(part), "{part} is missing in\n{}", inline.stderr);
    }
    let file = run(folder.path(), &["run", "greeting.yaml", "--input", "@input.json"]).expect_code(0);
    assert_eq!(serde_json::from_str::<Value>(&file.stdout).unwrap(), json!({ "greeting": "Hello file" }));
}

#[test]
fn machines_get_every_event_in_order_and_then_the_result() {
    let folder = folder(&[("greeting.yaml", GREETING)]);
    let finished = run(folder.path(), &["run", "greeting.yaml", "--input", r#"{"name":"x"}"#, "--json"]).expect_code(0);
    let mut lines = finished.lines();
    let result = lines.pop().unwrap();
    assert_eq!(result["type"], "result");
    assert_eq!((&result["status"], &result["output"]), (&json!("succeeded"), &json!({ "greeting": "Hello x" })));
    let seqs: Vec<u64> = lines.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=u64::try_from(lines.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(lines.first().unwrap()["type"], "execution_created");
    assert_eq!(lines.last().unwrap()["type"], "execution_completed");
}

#[test]
fn a_failure_says_why_and_ends_with_1() {
    let folder = folder(&[("failing.yaml", FAILING)]);
    let finished = run(folder.path(), &["run", "failing.yaml"]).expect_code(1);
    assert!(finished.stderr.contains("we are closed"), "{}", finished.stderr);
    let result = result_of(&run(folder.path(), &["run", "failing.yaml", "--json"]).expect_code(1));
    assert_eq!(result["status"], "failed");
    assert_eq!(result["error"]["type"], "https://example.com/errors/closed");
}

#[test]
fn a_definition_or_input_that_is_not_valid_is_told_with_its_place_and_runs_nothing() {
    let broken = GREETING.replace("- wrap: { set:", "- wrap: { sett:");
    let folder = folder(&[("broken.yaml", &broken), ("greeting.yaml", GREETING)]);
    let finished = run(folder.path(), &["run", "broken.yaml"]).expect_code(2);
    assert!(finished.stderr.contains("broken.yaml:5:"), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
    let finished = run(folder.path(), &["run", "greeting.yaml", "--input", "{nonsense"]).expect_code(2);
    assert!(finished.stderr.contains("--input is not valid JSON"), "{}", finished.stderr);
    run(folder.path(), &["run", "missing.yaml"]).expect_code(2);
}

#[test]
fn an_interrupt_cancels_and_leaves_no_process_behind() {
    let folder = folder(&[("endless.yaml", ENDLESS_SHELL)]);
    let file = path(&folder, "pid");
    mkfifo(&file, Mode::S_IRWXU).unwrap();
    let input = json!({ "file": file }).to_string();
    let mut child = program(folder.path()).args(["run", "endless.yaml", "--json", "--input", &input]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut stdout, |line| line.contains("effect_scheduled"));
    // Reading the pipe waits until the shell has written into it.
    let shell = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    kill(pid_of(&child), Signal::SIGINT).unwrap();
    let result = read_until(&mut stdout, |line| line.contains(r#""type":"result""#));
    assert_eq!(serde_json::from_str::<Value>(&result).unwrap()["status"], "cancelled");
    finish(child).expect_code(3);
    assert!(!Path::new(&format!("/proc/{shell}")).exists(), "process {shell} is still there");
}

#[test]
fn a_second_interrupt_ends_at_once_what_does_not_want_to_end() {
    let stubborn = ENDLESS_SHELL.replace("command: 'echo", "command: 'trap \"\" TERM; echo");
    assert_ne!(stubborn, ENDLESS_SHELL);
    let (folder, temporary) = (folder(&[("endless.yaml", &stubborn)]), folder(&[]));
    let file = path(&folder, "pid");
    mkfifo(&file, Mode::S_IRWXU).unwrap();
    let input = json!({ "file": file }).to_string();
    let mut child = program(folder.path())
        .args(["run", "endless.yaml", "--json", "--input", &input, "--set", "effects.shell.grace_ms=600000"])
        .env("TMPDIR", temporary.path())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut stdout, |line| line.contains("effect_scheduled"));
    let shell = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    kill(pid_of(&child), Signal::SIGINT).unwrap();
    read_until(&mut stdout, |line| line.contains(r#""type":"result""#));
    kill(pid_of(&child), Signal::SIGINT).unwrap();
    finish(child).expect_code(130);
    assert!(!Path::new(&format!("/proc/{shell}")).exists(), "process {shell} is still there");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the temporary folder is deleted");
}

#[test]
fn an_inner_service_can_be_called_when_its_network_is_permitted() {
    let call = "document: { dsl: '1.0.3', namespace: tests, name: call, version: '1.0.0' }\n\
                do: [{ get: { call: http, with: { method: get, endpoint: 'http://127.0.0.1:1/' } } }]\n";
    let folder = folder(&[("call.yaml", call)]);
    let error = |networks: &str, code: i32| {
        let networks = format!("effects.http.permitted_networks={networks}");
        let closed = ["run", "call.yaml", "--set", "effects.http.allow_private=false", "--set", &networks];
        run(folder.path(), &closed).expect_code(code).stderr
    };
    assert!(error("10.0.0.0/8", 1).contains("Address not allowed"));
    assert!(error("10.0.0.0/8, 127.0.0.1", 1).contains("Connection failed"), "nobody listens there");
    assert!(error("10.0.0.0/40", 2).contains("effects.http.permitted_networks: `10.0.0.0/40` is not a network"));
}

#[test]
fn a_kept_store_holds_the_execution_afterwards() {
    let folder = folder(&[("greeting.yaml", GREETING)]);
    let arguments = ["run", "greeting.yaml", "--input", r#"{"name":"x"}"#, "--json", "--store", "sqlite:kept.db"];
    for _ in 0..2 {
        let result = result_of(&run(folder.path(), &arguments).expect_code(0));
        assert_eq!(result["status"], "succeeded");
    }
    assert!(path(&folder, "kept.db").exists());
}
