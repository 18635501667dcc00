//! Killing the service while very many executions run, and starting it again: how soon it answers, how soon all go on.
//!
//! Every execution is in the middle of an in-process effect that takes longer than the measurement. One that goes on appends
//! `execution_recovered` to its journal before it asks for the effect again; the service counts its appends.

use super::load::{self, as_f64};
use super::{Bench, Common};
use crate::cli::Exit;
use crate::cli::error::Error;
use crate::cli::link::Link;
use crate::cli::report::rounded;
use crate::cli::service::Service;
use crate::wire::report::Workload;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the executions may take to start, and to go on after the kill.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);
/// Words of an answer and the pause after each: an effect that takes an hour.
const WORDS: usize = 360;
const PAUSE_MS: u64 = 10_000;
/// Slots beside those of the executions.
const SPARE_SLOTS: u64 = 16;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// How many executions run when the service is killed
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    executions: u64,
    /// How many clients submit at the same time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    clients: u64,
}

/// Measures what was asked for.
pub async fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let mut bench = Bench::prepare("recovery", &arguments.common)?;
    bench.launch = bench.launch.clone().with("engine.max_running", arguments.executions + SPARE_SLOTS);
    let figures = measure(&bench, arguments).await?;
    bench.report.workloads.push(figures);
    bench.publish(&arguments.common)?;
    Ok(Exit::Success)
}

async fn measure(bench: &Bench, arguments: &Arguments) -> Result<Workload, Error> {
    let executions = arguments.executions;
    let service = bench.service().await?;
    let idle_bytes = service.memory_bytes();
    Bench::say(&format!("starting {executions} executions"));
    load::submit(service.endpoint(), &body(), executions, arguments.clients).await?;
    let mut link = Link::to(service.endpoint());
    let begin = Instant::now();
    while load::count(&mut link, &["running"]).await? < executions {
        give_up_after(begin, "start")?;
        tokio::time::sleep(POLL).await;
    }
    let running_bytes = service.memory_bytes().saturating_sub(idle_bytes);
    drop(link);
    service.kill().await?;

    Bench::say("killed; starting the service again");
    let begin = Instant::now();
    let mut service = Service::spawn(&bench.launch)?;
    service.ready().await?;
    let ready = begin.elapsed();
    let mut link = Link::to(service.endpoint());
    let mut slowest = Duration::ZERO;
    while appends(&mut link).await? < executions {
        give_up_after(begin, "go on")?;
        let asked = Instant::now();
        get(&mut link, "/api/v1/executions?limit=10").await?;
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(POLL).await;
    }
    let resumed = begin.elapsed();
    let running = load::count(&mut link, &["running"]).await?;
    if running != executions {
        return Err(Error::failure(format!("{running} of {executions} executions run after the kill")));
    }
    let recovered_bytes = service.memory_bytes();
    drop(link);
    service.kill().await?;
    let figures = json!({
        "name": "kill -9",
        "store": bench.database.kind,
        "executions": executions,
        "ready_after_ms": rounded(ready.as_secs_f64() * 1e3),
        "all_resumed_after_ms": rounded(resumed.as_secs_f64() * 1e3),
        "slowest_list_meanwhile_ms": rounded(slowest.as_secs_f64() * 1e3),
        "idle_memory_bytes": idle_bytes,
        "memory_bytes_per_running_execution": rounded(as_f64(running_bytes) / as_f64(executions)),
        "memory_bytes_after_recovery": recovered_bytes,
    });
    Ok(figures.as_object().cloned().unwrap_or_default())
}

fn give_up_after(begin: Instant, what: &str) -> Result<(), Error> {
    if begin.elapsed() > PATIENCE {
        return Err(Error::failure(format!("not all executions {what} within {} s", PATIENCE.as_secs())));
    }
    Ok(())
}

/// An execution that runs for an hour without a process or a connection.
fn body() -> Value {
    let with = json!({
        "agent": "echo", "prompt": "wait ".repeat(WORDS), "parameters": { "delay_ms": PAUSE_MS },
    });
    json!({
        "definition": {
            "document": { "dsl": "1.0.3", "namespace": "bench", "name": "long", "version": "1.0.0" },
            "do": [{ "answer": { "call": "agent", "with": with } }],
        },
        "input": { "text": "callboard" },
    })
}

/// How many appends the service has committed since it was started.
async fn appends(link: &mut Link) -> Result<u64, Error> {
    let answer = get(link, "/metrics").await?;
    let text = String::from_utf8_lossy(&answer);
    let line = text.lines().find_map(|line| line.strip_prefix("callboard_journal_appends_total "));
    Ok(line.and_then(|number| number.trim().parse().ok()).unwrap_or(0))
}

async fn get(link: &mut Link, path: &str) -> Result<hyper::body::Bytes, Error> {
    let answer = link.get(path).await;
    let answer = answer.map_err(|error| Error::failure(format!("the service does not answer: {error}")))?;
    if answer.status == 200 { Ok(answer.body) } else { Err(crate::cli::client::problem(answer.status, &answer.body)) }
}
