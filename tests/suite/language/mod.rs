//! The workflow language, held by a corpus of definitions that was written from the specification and not from the code.
//!
//! Every file in `cases/` is a list of cases, each with the rule it is about (E1 … are rows of `docs/dsl-conformance.md`). A case
//! is validated as a definition that comes in over HTTP, then run twice: with a clock of its own, which makes every deadline
//! exact, and, unless it needs time, in the embedded engine.

mod case;
mod embedded;
mod jq;
mod mutation;
mod server;
mod size;
mod virtual_time;

use case::{Case, Run};
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// Every case of every file, in the order of the names.
fn corpus() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/suite/language/cases");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| Case::read_all(file)).collect()
}

fn report(name: &str, count: usize, failures: &[String]) {
    assert!(failures.is_empty(), "{} of {count} {name} deviate:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn definitions_do_what_the_specification_says() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(server::start());
    let cases = corpus();
    let mut failures = Vec::new();
    for case in &cases {
        let case = case.at(&server.url);
        let outcome = match case.accept() {
            Err(refused) => Err(refused),
            Ok(None) => Ok(()),
            Ok(Some(definition)) if case.children.is_empty() => {
                case.check(&virtual_time::run(&runtime, definition, case.input()), true)
            }
            Ok(Some(_)) => Ok(()),
        };
        failures.extend(outcome.err().map(|why| case.describe(&why)));
    }
    report("cases", cases.len(), &failures);
}

#[test]
fn the_engine_does_the_same() {
    let mut failures = Vec::new();
    let cases = corpus();
    callboard::startup::block_on(async {
        let server = server::start().await;
        let engine = embedded::Embedded::start().await;
        for case in cases.iter().filter(|case| !case.needs_time()) {
            let case = case.at(&server.url);
            let Ok(Some(definition)) = case.accept() else { continue };
            let run: Run = engine.run(&case, definition).await;
            failures.extend(case.check(&run, false).err().map(|why| case.describe(&why)));
        }
        engine.stop().await;
    });
    report("cases in the engine", cases.len(), &failures);
}
