//! `callboard secrets` and the secrets of `callboard run`.

use crate::cli::program::{Finished, Service, finish, folder, program};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

const READING: &str = r#"
document: { dsl: '1.0.3', namespace: tests, name: reading, version: '1.0.0' }
use: { secrets: [ api-key, login ] }
do:
  - look: { set: { length: '${ $secrets["api-key"] | length }', user: '${ $secrets.login.username | length }', all: '${ $secrets }' } }
"#;

/// Runs a command with text on its standard input.
fn run_with(service: &Service, arguments: &[&str], input: &str) -> Finished {
    let mut command = program(service.directory.path());
    let mut child = command
        .args(arguments)
        .env("CALLBOARD_URL", &service.url)
        .env("CALLBOARD_API_KEY", &service.key)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    finish(child)
}

#[test]
fn a_value_comes_from_standard_input_and_is_never_printed() {
    let service = Service::start(&[("reading.yaml", READING)]);
    let set = run_with(&service, &["secrets", "set", "api-key"], "s3cret-value\n").expect_code(0);
    assert_eq!((set.stdout.trim(), set.stderr.as_str()), ("api-key", ""));
    let login = "{\"username\": \"ada\", \"password\": \"s3cret-password\"}";
    let set = run_with(&service, &["secrets", "set", "login", "--json"], login).expect_code(0);
    assert!(set.stderr.contains("/username is too short"), "{}", set.stderr);
    let refused = run_with(&service, &["secrets", "set", "login", "--json"], "s3cret-value").expect_code(2);
    assert!(!refused.stderr.contains("s3cret"), "{}", refused.stderr);
    run_with(&service, &["secrets", "set", "x"], "tiny\n").expect_code(2);
    run_with(&service, &["secrets", "set", "api-key", "s3cret-value"], "").expect_code(2);

    let list = service.run(&["secrets", "list", "--json"]).expect_code(0);
    let names: Vec<Value> = list.lines().iter().map(|secret| secret["name"].clone()).collect();
    assert_eq!(names, ["login", "api-key"]);
    let table = service.run(&["secrets", "list"]).expect_code(0);
    assert!(table.stdout.contains("api-key") && !format!("{table:?}{list:?}").contains("s3cret"), "{}", table.stdout);

    service.run(&["workflows", "register", "reading.yaml"]).expect_code(0);
    let ran = service.run(&["workflows", "run", "tests/reading"]).expect_code(0);
    let output: Value = serde_json::from_str(&ran.stdout).unwrap();
    let all = json!({ "api-key": "***", "login": { "username": "ada", "password": "***" } });
    assert_eq!(output, json!({ "length": 12, "user": 3, "all": all }));

    assert!(service.run(&["secrets", "rotate"]).expect_code(0).stdout.contains("0 encrypted anew"));
    service.run(&["secrets", "delete", "api-key"]).expect_code(0);
    service.run(&["secrets", "delete", "api-key"]).expect_code(1);
    let failed = service.run(&["workflows", "run", "tests/reading"]).expect_code(1);
    assert!(failed.stderr.contains("callboard secrets set api-key"), "{}", failed.stderr);
    let key = std::fs::read_to_string(service.directory.path().join("data/secrets.key")).unwrap();
    assert!(key.contains("key-"), "{key}");
}

const SIGNING: &str = "identity.signing_keys=0123456789abcdef0123456789abcdef";

#[test]
fn in_production_nothing_is_encrypted_with_a_key_that_nobody_chose() {
    let service = Service::start_with(&[("reading.yaml", READING)], &["--environment", "production", "--set", SIGNING]);
    let refused = run_with(&service, &["secrets", "set", "api-key"], "s3cret-value\n").expect_code(4);
    assert!(refused.stderr.contains("Set secrets.keys or secrets.key_file"), "{}", refused.stderr);
    service.run(&["workflows", "register", "reading.yaml"]).expect_code(0);
    service.run(&["workflows", "run", "tests/reading"]).expect_code(1);
    assert!(!service.directory.path().join("data/secrets.key").exists());
}

fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Finished {
    let mut command = program(folder);
    command.args(["run", "reading.yaml"]).args(arguments).envs(variables.iter().copied());
    finish(command.spawn().unwrap())
}

#[test]
fn a_run_without_a_service_gets_its_secrets_from_files_and_variables() {
    let folder =
        folder(&[("reading.yaml", READING), ("key.txt", "from-a-file\n"), ("login.json", "{\"username\": \"grace\"}")]);
    let path = folder.path();
    let store = ["--store", "sqlite:kept.db"];
    let files = ["--secret", "api-key=@key.txt", "--secret", "login=@login.json"];
    let ran = run(path, &[&files[..], &store[..]].concat(), &[("CALLBOARD_SECRET_API_KEY", "not-this")]).expect_code(0);
    let output: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&output["length"], &output["user"]), (&json!(11), &json!(5)));

    let variables =
        [("CALLBOARD_SECRET_API_KEY", "from-a-variable"), ("CALLBOARD_SECRET_login", "{\"username\": \"edsger\"}")];
    let ran = run(path, &store, &variables).expect_code(0);
    let output: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&output["length"], &output["user"]), (&json!(15), &json!(6)));
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap().path();
        let is_given = entry.ends_with("key.txt") || entry.ends_with("login.json");
        let content = std::fs::read(&entry).unwrap();
        assert!(is_given || !String::from_utf8_lossy(&content).contains("from-a-"), "{}", entry.display());
    }
    assert!(!path.join("secrets.key").exists());

    let missing = run(path, &[], &[]).expect_code(1);
    assert!(missing.stderr.contains("does not exist"), "{}", missing.stderr);
    let refused = run(path, &["--secret", "api-key=s3cret-value"], &[]).expect_code(2);
    assert!(refused.stderr.contains("NAME=@FILE"), "{}", refused.stderr);
    run(path, &["--secret", "api-key=@none.txt"], &[]).expect_code(2);
    let unlisted = run(path, &["--secret", "other=@key.txt"], &[]).expect_code(2);
    assert!(unlisted.stderr.contains("does not list the secret other"), "{}", unlisted.stderr);
}
