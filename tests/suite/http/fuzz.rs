//! Every operation of the description under a schema-driven fuzzer, on both databases: no answer of the service's own
//! failure, no status, header or body that is not described, nothing accepted that the schema forbids.
//!
//! The fuzzer (Schemathesis, a program of its own that `make test` installs) draws valid and invalid requests from the
//! description, and follows what one operation makes into the operations that use it.

use crate::on_both_databases;
use crate::service::Service;
use std::path::PathBuf;
use std::process::Command;

/// How long one database is tried. The fuzzer goes on drawing requests until then.
const SECONDS: &str = "40";
/// A request that takes longer fails the test, in seconds.
const REQUEST_SECONDS: &str = "10";
const MISSING: &str = "the fuzzer is missing: `make test` installs it";

/// What is asked of every answer. Not asked is that everything which fits the schema is accepted: that a definition
/// makes sense, or that a page does not come with a cursor, is beyond what a schema says. Nor that what was made can be
/// read: a request repeated with its `Idempotency-Key` is answered as it was, whatever has happened since.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,\
    allow_header_conformance,use_after_free";

/// Operations whose answer does not end: their tests are in `stream.rs` and `live/`.
const ENDLESS: &str = r"(/stream$|/ws(/|$))";

on_both_databases!(every_operation_answers_as_described);

async fn every_operation_answers_as_described(service: Service) {
    let fuzzer = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/fuzzer/bin/schemathesis");
    assert!(fuzzer.exists(), "{MISSING}");
    let directory = tempfile::tempdir().unwrap();
    // It has a key, and shall not try to make itself an account.
    std::fs::write(directory.path().join("schemathesis.toml"), "[auth]\nauto-signup = false\n").unwrap();
    let seed = callboard::clock::new_id().as_u64_pair().1.to_string();
    let mut command = Command::new(fuzzer);
    command.current_dir(directory.path());
    command.arg("run").arg(format!("{}/api/v1/openapi.json", service.url));
    command.args(["--checks", CHECKS, "--exclude-path-regex", ENDLESS, "--max-time", SECONDS, "--seed", &seed]);
    // Its own key must not be among those that it revokes.
    command.args(["--exclude-operation-id", "delete_api-keys_id"]);
    command.arg("--header").arg(format!("X-API-Key: {}", service.key));
    command.args(["--request-timeout", REQUEST_SECONDS, "--continue-on-failure", "--no-color", "--warnings", "off"]);
    let finished = tokio::task::spawn_blocking(move || command.output().expect("the fuzzer runs")).await.unwrap();
    let report = String::from_utf8_lossy(&finished.stdout);
    assert!(finished.status.success(), "{report}\n{}", String::from_utf8_lossy(&finished.stderr));
    assert!(cases(&report) > 200, "the fuzzer hardly tried anything:\n{report}");
}

/// The number in a line such as `11837 generated, 11837 passed`.
fn cases(report: &str) -> usize {
    let line = report.lines().find(|line| line.contains(" generated"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
