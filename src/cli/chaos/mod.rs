//! `callboard chaos`: kills the service at random moments while people use it, then checks every promise.
//!
//! The service runs as a child process on a database of its own. `crowd` submits, steers and watches; `ledger` keeps what
//! was promised and shown; at the end `verdict` reads every execution and `journal` compares the two.

mod crowd;
mod journal;
mod ledger;
mod verdict;
mod workload;

use super::Exit;
use super::database::Database;
use super::error::{Error, block_on_until_interrupted};
use super::link::Link;
use super::report;
use super::service::{Launch, Service};
use super::terminal::{print, tell};
use crate::clock::{Clock, SystemClock};
use crowd::Crowd;
use ledger::Violation;
use serde_json::json;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::LocalSet;
use tokio::time::Instant;

/// How long the service lives between two kills, at most.
const LONGEST_LIFE_MS: u64 = 900;
/// One kill in this many comes before the service is ready: while it recovers.
const EARLY_KILL: u64 = 4;
/// The longest time until an early kill.
const LONGEST_RECOVERY_MS: u64 = 250;
/// Violations that are printed; all are in the JSON report.
const MOST_PRINTED: usize = 50;
/// How long watchers may take to see the end of what they watch.
const WATCH_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How often the service is killed
    #[arg(long, default_value_t = 20)]
    kills: u64,
    /// `sqlite` (a fresh file), `postgres` (a server of its own), or the URL of a scratch database
    #[arg(long, default_value = "sqlite", value_name = "STORE")]
    store: String,
    /// Chooses moments, kinds and targets; printed, so that a run can be repeated
    #[arg(long)]
    seed: Option<u64>,
    /// Submissions per second
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    rate: u32,
    /// How many people submit at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    callers: u32,
    /// How many executions are watched at the same time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    watchers: u32,
    /// A setting of the service; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::client::label)]
    set: Vec<(String, String)>,
    /// Writes the report as JSON too; the dashboard shows those in the folder `telemetry.reports`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Does what the command line says; fails when a promise was not kept.
pub fn execute(arguments: &Arguments) -> Exit {
    block_on_until_interrupted(run(arguments))
}

async fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    print(&format!("chaos: seed {seed}, {} kills, store {}", arguments.kills, arguments.store));
    let database = Database::open(&arguments.store)?;
    let mut launch = Launch::new(&database.url, database.directory())?.with("engine.passivate_after_ms", 200);
    for (key, value) in &arguments.set {
        launch = launch.with(key, value);
    }
    let mut report = report::begin("chaos", database.kind, seed, &launch.settings);
    let run = format!("{seed:x}-{:x}", SystemClock.now().as_millis());
    let crowd = Rc::new(Crowd::new(launch.endpoint.clone(), run, seed, database.directory().join("marks.txt")));
    let begin = Instant::now();
    let local = LocalSet::new();
    let (checked, slowest) = local.run_until(torment(arguments, &launch, &crowd)).await?;
    let ledger = crowd.ledger.borrow();
    let violations = ledger.violations();
    print(&format!(
        "chaos: {} submissions acknowledged, {} executions, {} events and {} marks checked, {} recoveries, \
         {} frames over {} reconnects, slowest start {} ms, {} s",
        ledger.acknowledged.len(),
        checked.executions,
        checked.events,
        checked.marks,
        checked.restarts,
        ledger.frames,
        ledger.reconnects,
        slowest.as_millis(),
        begin.elapsed().as_secs()
    ));
    tell_violations(&violations);
    if let Some(file) = &arguments.json {
        let figures = json!({
            "name": "everything",
            "kills": arguments.kills,
            "acknowledged": ledger.acknowledged.len(),
            "executions": checked.executions,
            "events": checked.events,
            "marks": checked.marks,
            "recoveries": checked.restarts,
            "frames": ledger.frames,
            "reconnects": ledger.reconnects,
            "slowest_start_ms": u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX),
            "seconds": begin.elapsed().as_secs(),
        });
        report.workloads.extend(figures.as_object().cloned());
        report.violations = Some(violations.iter().map(Violation::to_string).collect());
        report::write_json(&report, file)?;
    }
    Ok(if violations.is_empty() { Exit::Success } else { Exit::Failure })
}

fn tell_violations(violations: &[Violation]) {
    for violation in violations.iter().take(MOST_PRINTED) {
        print(&format!("VIOLATION {violation}"));
    }
    if violations.len() > MOST_PRINTED {
        print(&format!("… and {} more", violations.len() - MOST_PRINTED));
    }
    print(&match violations.len() {
        0 => "chaos: clean, every promise was kept".to_owned(),
        1 => "chaos: 1 violation".to_owned(),
        several => format!("chaos: {several} violations"),
    });
}

/// Kills, restarts, lets everything end and checks it; what was checked, and the slowest start.
async fn torment(
    arguments: &Arguments,
    launch: &Launch,
    crowd: &Rc<Crowd>,
) -> Result<(verdict::Checked, Duration), Error> {
    let mut service = Service::start(launch).await?;
    workload::register(&mut Link::to(&launch.endpoint)).await?;
    tell("chaos: the service is ready");
    let interval = Duration::from_secs(1) * arguments.callers / arguments.rate;
    for _ in 0..arguments.callers {
        let caller = Rc::clone(crowd);
        tokio::task::spawn_local(async move { caller.submit(interval).await });
    }
    let mut watching = Vec::new();
    for _ in 0..arguments.watchers {
        let watcher = Rc::clone(crowd);
        watching.push(tokio::task::spawn_local(async move { watcher.watch().await }));
    }
    let (steering, global) = (Rc::clone(crowd), Rc::clone(crowd));
    tokio::task::spawn_local(async move { steering.steer().await });
    tokio::task::spawn_local(async move { global.watch_all().await });
    let mut slowest = Duration::ZERO;
    for kill in 1..=arguments.kills {
        let is_early = kill > 1 && crowd.random.borrow_mut().u64(..EARLY_KILL) == 0;
        let longest = if is_early { LONGEST_RECOVERY_MS } else { LONGEST_LIFE_MS };
        if !is_early {
            slowest = slowest.max(service.ready().await?);
        }
        let life = Duration::from_millis(crowd.random.borrow_mut().u64(1..=longest));
        tokio::time::sleep(life).await;
        service.kill().await?;
        service = Service::spawn(launch)?;
        if kill.is_multiple_of(10) {
            tell(&format!("chaos: {kill} kills, {} submissions", crowd.submitted.get()));
        }
    }
    slowest = slowest.max(service.ready().await?);
    crowd.closing.set(true);
    verdict::let_everything_end(crowd).await?;
    for watcher in watching {
        // One that does not see the end in time has a feed that stopped early, which the check finds.
        let _ = tokio::time::timeout(WATCH_TIMEOUT, watcher).await;
    }
    crowd.ended.set(true);
    let checked = verdict::check_everything(crowd).await?;
    service.stop().await?;
    Ok((checked, slowest))
}
