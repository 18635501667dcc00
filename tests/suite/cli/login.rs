//! Signing in on the command line.

use super::program::{Finished, finish, program};
use crate::effects::stand_in::{Reply, StandIn};
use crate::identity::{PASSWORD, person};
use crate::service::{Database, Service};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_in_is_known_from_then_on_and_the_service_too() {
    let service = Service::start(Database::Sqlite);
    let ada = person(&service, None, "member", "ada").await;
    let home = tempfile::tempdir().unwrap();
    let as_ada = ["login", service.url.as_str(), "--email", ada.email.as_str()];

    let refused = run(home.path(), &as_ada, "not the password");
    assert!(!refused.expect_code(1).stderr.contains("callboard login"), "who signs in is not told to sign in");
    let nobody = run(home.path(), &["executions", "list", "--url", service.url.as_str()], "").expect_code(1);
    assert!(nobody.stderr.contains("Sign in with `callboard login`"), "{}", nobody.stderr);

    run(home.path(), &as_ada, PASSWORD).expect_code(0);
    run(home.path(), &["executions", "list"], "").expect_code(0);
    let key = run(home.path(), &["login", "--show-key"], "").expect_code(0).stdout;
    service.with_key(key.trim()).get("/api/v1/auth/me").await.expect(200);

    let out = run(home.path(), &["login", "--out"], "").expect_code(0).stdout;
    assert!(out.contains(service.url.trim_end_matches('/')), "{out}");
    service.with_key(key.trim()).get("/api/v1/auth/me").await.problem(401, "invalid_credentials");
    run(home.path(), &["login", service.url.as_str(), "--show-key"], "").expect_code(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_elsewhere_with_a_key_or_a_password() {
    let elsewhere = StandIn::start(|_| Reply::json(&json!({ "items": [] }))).await;
    let there = elsewhere.url.clone();
    let board = StandIn::start(move |request| Reply::redirect(307, format!("{there}{}", request.target))).await;
    let home = tempfile::tempdir().unwrap();
    let with_key = ["executions", "list", "--url", &board.url, "--api-key", "cb_key_secret"];
    let with_password = ["login", &board.url, "--email", "ada@example.org"];
    for arguments in [&with_key[..], &with_password[..]] {
        let refused = run(home.path(), arguments, PASSWORD).expect_code(1);
        assert!(refused.stderr.contains(&elsewhere.url), "{}", refused.stderr);
    }
    assert_eq!(board.received().len(), 2);
    assert!(elsewhere.received().is_empty());
}

/// Runs the program for somebody with this home, who answers what is asked with this line.
fn run(home: &Path, arguments: &[&str], line: &str) -> Finished {
    let mut command = program(home);
    command.env("HOME", home).env_remove("XDG_CONFIG_HOME").args(arguments).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that asks nothing may be gone already.
    let _ = writeln!(child.stdin.take().unwrap(), "{line}");
    finish(child)
}
