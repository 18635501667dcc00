//! Reports of measurements: written by the command line, shown by the service.

use crate::cli::program::{folder, run};
use crate::service::{Database, Service};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_was_written_is_shown_and_what_is_none_is_named() {
    let folder = folder(&[]);
    let reports = folder.path().join("reports");
    let service = Service::start_with(Database::Sqlite, &[("telemetry.reports", reports.to_str().unwrap())]);
    let none = service.get("/api/v1/reports").await.expect(200);
    assert_eq!(none["folder"], reports.to_str().unwrap());
    assert!(none["items"].as_array().unwrap().is_empty(), "{none}");

    let measure = ["bench", "latency", "--executions", "10", "--seed", "7", "--json", "reports/latency.json"];
    run(folder.path(), &measure).expect_code(0);
    let torment = ["chaos", "--kills", "1", "--rate", "20", "--json", "reports/chaos.json"];
    run(folder.path(), &torment).expect_code(0);
    std::fs::write(reports.join("other.json"), "{}").unwrap();
    std::fs::write(reports.join("notes.txt"), "not looked at").unwrap();
    nix::unistd::mkfifo(&reports.join("pipe.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let shown = service.get("/api/v1/reports").await.expect(200);
    let items = shown["items"].as_array().unwrap();
    let names: Vec<_> = items.iter().map(|item| (item["file"].as_str().unwrap(), &item["benchmark"])).collect();
    assert_eq!(names, [("chaos.json", &"chaos".into()), ("latency.json", &"latency".into())], "the newest first");
    let [chaos, latency] = items.as_slice() else { panic!("{shown}") };
    assert_eq!((&chaos["violations"], &chaos["workloads"][0]["kills"]), (&serde_json::json!([]), &1.into()));
    assert_eq!((&latency["seed"], &latency["store"]), (&"7".into(), &"sqlite".into()));
    assert!(latency["workloads"][0]["p50_ms"].as_f64().unwrap() > 0.0, "{latency}");
    let unreadable = shown["unreadable"].as_array().unwrap();
    let names: Vec<_> = unreadable.iter().map(|file| file["file"].as_str().unwrap()).collect();
    assert_eq!(names, ["other.json", "pipe.json"], "a pipe that nobody writes to holds nobody up");
    assert!(unreadable[0]["detail"].as_str().unwrap().contains("benchmark"), "{unreadable:?}");
}
