//! The first start: a link that is good once, in a file that only its owner can read.

use crate::cli::program::{folder, path, run};
use crate::service::{Database, Service};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn the_first_operator_comes_in_with_a_link_that_is_good_once() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().display().to_string();
    let mut service = Service::start_with(Database::Sqlite, &[("identity.directory", &folder)]);
    let file = directory.path().join("sign-in.token");
    for name in ["sign-in.token", "signing.key"] {
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let first = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    // As long as nobody has come in, each start gives a fresh link, and the one before is void.
    service.restart();
    let token = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_ne!(first, token);
    let body = |token: &str, password: &str| json!({ "token": token, "email": "Ada@Example.org", "display_name": "Ada", "password": password });
    let nobody = service.with_key("");
    let sign_in = "/api/v1/auth/first-sign-in";
    nobody.post(sign_in, &body(&first, "a good password")).await.problem(401, "invalid_credentials");
    nobody.post(sign_in, &body(&token, "short")).await.problem(400, "invalid_body");
    let tokens = nobody.post(sign_in, &body(&token, "a good password")).await.expect(200);
    assert_eq!((&tokens["user"]["role"], &tokens["user"]["email"]), (&json!("operator"), &json!("ada@example.org")));
    nobody.post(sign_in, &body(&token, "a good password")).await.problem(401, "invalid_credentials");
    assert!(!file.exists(), "the link has served its purpose");
    service.restart();
    assert!(!file.exists(), "somebody can come in");
    let login = json!({ "email": "ada@example.org", "password": "a good password" });
    service.with_key("").post("/api/v1/auth/login", &login).await.expect(200);
}

#[tokio::test]
async fn nobody_is_locked_out_by_removing_the_last_operator() {
    let service = Service::start(Database::Sqlite);
    let operators = service.get("/api/v1/users?role=operator").await.expect(200);
    let id = operators["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    service.delete(&path).await.problem(409, "conflict");
    service.put(&path, &json!({ "is_active": false })).await.problem(409, "conflict");
    service.put(&path, &json!({ "role": "viewer" })).await.problem(409, "conflict");
}

#[test]
fn nobody_else_on_the_machine_reads_the_database() {
    let directory = folder(&[]);
    run(directory.path(), &["admin", "create-tenant", "blue"]).expect_code(0);
    let files: Vec<_> = std::fs::read_dir(path(&directory, "data")).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() >= 2);
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has {mode:o}", file.path());
    }
}

#[test]
fn the_command_line_is_as_strict_as_the_interface() {
    let directory = folder(&[]);
    let refused = run(directory.path(), &["admin", "create-tenant", "Blue Team"]).expect_code(2);
    assert!(refused.stderr.contains("lower-case letters"), "{}", refused.stderr);
}
