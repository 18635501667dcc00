//! `bench` and `chaos` in their smallest form: that they work, not what they find.

use super::program::{finish, folder, path, pid_of, program, read_until, run};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use std::fs::{Permissions, read_dir, read_link, set_permissions};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn report(folder: &TempDir) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path(folder, "report.json")).unwrap()).unwrap()
}

#[test]
fn a_throughput_report_has_figures_and_their_circumstances() {
    let folder = folder(&[]);
    let arguments = ["bench", "throughput", "--executions", "40", "--clients", "4", "--json", "report.json"];
    let finished = run(folder.path(), &arguments).expect_code(0);
    assert!(finished.stdout.contains("# callboard bench throughput"), "{}", finished.stdout);
    let report = report(&folder);
    assert!(report["hardware"]["cores"].as_u64().unwrap() > 0);
    assert!(report["commit"].is_string() && report["seed"].is_string());
    let workloads = report["workloads"].as_array().unwrap();
    assert_eq!(
        workloads.iter().map(|workload| workload["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["effects", "pure"]
    );
    for workload in workloads {
        assert_eq!(workload["executions"], 40);
        for figure in ["executions_per_second", "raw_limit_per_second", "ratio"] {
            assert!(workload[figure].as_f64().unwrap() > 0.0, "{figure} in {workload}");
        }
    }
}

#[test]
fn a_latency_report_has_percentiles() {
    let folder = folder(&[]);
    run(folder.path(), &["bench", "latency", "--executions", "10", "--json", "report.json"]).expect_code(0);
    let workload = &report(&folder)["workloads"][0];
    let percentile = |name: &str| workload[name].as_f64().unwrap();
    assert!(percentile("p50_ms") > 0.0);
    assert!(percentile("p50_ms") <= percentile("p99_ms") && percentile("p99_ms") <= percentile("max_ms"));
}

#[test]
fn a_fanout_reaches_everybody_and_the_stuck_one_catches_up() {
    let folder = folder(&[]);
    let arguments =
        ["bench", "fanout", "--subscribers", "20", "--rate", "20", "--seconds", "1", "--json", "report.json"];
    run(folder.path(), &arguments).expect_code(0);
    let workload = &report(&folder)["workloads"][0];
    assert_eq!((&workload["updates_missed"], &workload["stuck_one_caught_up"]), (&0.into(), &true.into()));
    assert!(workload["frames_delivered"].as_u64().unwrap() >= 19 * 20);
}

#[test]
fn lists_are_measured_with_few_and_with_more_executions_stored() {
    let folder = folder(&[]);
    let arguments = ["bench", "history", "--executions", "1200", "--executions", "300"];
    run(folder.path(), &[&arguments[..], &["--requests", "2", "--json", "report.json"]].concat()).expect_code(0);
    let report = report(&folder);
    let workloads = report["workloads"].as_array().unwrap();
    assert_eq!(workloads.iter().map(|one| one["executions"].as_u64().unwrap()).collect::<Vec<_>>(), [300, 1200]);
    for figure in ["page_1_p99_ms", "cursor_1_p99_ms", "label_page_1_p99_ms", "statistics_all_time_p99_ms"] {
        assert!(workloads.iter().all(|one| one[figure].as_f64().unwrap() > 0.0), "{figure} in {report}");
    }
}

#[test]
fn everything_that_ran_goes_on_after_a_measured_kill() {
    let folder = folder(&[]);
    run(folder.path(), &["bench", "recovery", "--executions", "60", "--json", "report.json"]).expect_code(0);
    let workload = &report(&folder)["workloads"][0];
    let after = |name: &str| workload[name].as_f64().unwrap();
    assert!(0.0 < after("ready_after_ms") && after("ready_after_ms") <= after("all_resumed_after_ms"), "{workload}");
}

#[test]
fn chaos_kills_twice_and_finds_every_promise_kept() {
    let folder = folder(&[]);
    let arguments = ["chaos", "--kills", "2", "--seed", "7", "--rate", "20", "--json", "report.json"];
    let finished = run(folder.path(), &arguments).expect_code(0);
    assert!(finished.stdout.contains("seed 7"), "{}", finished.stdout);
    assert!(finished.stdout.contains("every promise was kept"), "{}", finished.stdout);
    let report = report(&folder);
    let figures = &report["workloads"][0];
    assert_eq!((&figures["kills"], &report["violations"]), (&2.into(), &Value::Array(Vec::new())));
    assert!(figures["acknowledged"].as_u64().unwrap() > 0);
}

#[test]
fn an_unknown_store_is_a_mistake_of_the_caller() {
    let folder = folder(&[]);
    let finished = run(folder.path(), &["chaos", "--store", "oracle"]).expect_code(2);
    assert!(finished.stderr.contains("sqlite"), "{}", finished.stderr);
}

/// Where the processes work that work in a folder, or worked there before it was deleted.
fn workplaces_in(folder: &Path) -> Vec<PathBuf> {
    let processes = read_dir("/proc").unwrap().flatten();
    // A process may end while it is looked at.
    let places = processes.filter_map(|process| read_link(process.path().join("cwd")).ok());
    places.filter(|place| place.starts_with(folder)).collect()
}

/// Starts a measurement, ends it by a signal when it has said something, and looks for what it has left.
fn interrupt(arguments: &[&str], said: &str, signal: Signal, workers: usize) {
    let (folder, temporary) = (folder(&[]), folder(&[]));
    // Its PostgreSQL server runs as somebody else when the tests run as root.
    set_permissions(temporary.path(), Permissions::from_mode(0o711)).unwrap();
    let mut child = program(folder.path()).args(arguments).env("TMPDIR", temporary.path()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut lines, |line| line.contains(said));
    let before = workplaces_in(temporary.path());
    kill(pid_of(&child), signal).unwrap();
    finish(child).expect_code(3);
    assert!(before.len() >= workers, "{before:?}");
    assert_eq!(workplaces_in(temporary.path()), Vec::<PathBuf>::new(), "left running");
    assert_eq!(read_dir(temporary.path()).unwrap().count(), 0, "left in the folder for temporary files");
}

#[test]
fn an_interrupted_benchmark_leaves_neither_its_service_nor_its_files() {
    interrupt(&["bench", "recovery"], "starting 10000 executions", Signal::SIGINT, 1);
}

#[test]
fn interrupted_chaos_leaves_neither_its_service_nor_its_database_server() {
    interrupt(&["chaos", "--store", "postgres", "--kills", "1000"], "the service is ready", Signal::SIGTERM, 2);
}
