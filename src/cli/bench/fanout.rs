//! Live updates to many subscribers, one of which does not read until the end.
//!
//! Start-to-glass is measured from the time an event carries (taken before its commit) until its frame has been read, so it
//! contains the commit, the conflation window of the global feed and the reading of all other subscribers in this process.

use super::load::{as_f64, histogram, percentile_ms};
use super::raw::{self, Template};
use super::subscriber::{Seen, Subscriber};
use super::{Bench, Common, Kind};
use crate::cli::Exit;
use crate::cli::error::Error;
use crate::cli::link::{Endpoint, Link};
use crate::cli::report::rounded;
use crate::cli::service::Service;
use crate::wire::report::Workload;
use hyper::body::Bytes;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;
use uuid::Uuid;

/// Executions for the raw storage limit.
const RAW_EXECUTIONS: u64 = 5_000;
/// How long subscribers may take to see the end of everything after the load has ended.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
const SETTLE_POLL: Duration = Duration::from_millis(20);
/// How many subscribers connect at the same time.
const CONNECT_AT_ONCE: u64 = 32;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// How many subscribers, the one that does not read included
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(2..=20_000))]
    subscribers: u64,
    /// Executions started per second; each makes at least one update
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    rate: u64,
    /// How long
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
}

/// Measures what was asked for; fails when a subscriber misses something.
pub async fn run(arguments: &Arguments) -> Result<Exit, Error> {
    allow_many_files(arguments.subscribers)?;
    let mut bench = Bench::prepare("fanout", &arguments.common)?;
    Bench::say("measuring the raw storage limit");
    let template = Template::record(Kind::Effects)?;
    let raw = raw::measure(&bench.database.url, &template, RAW_EXECUTIONS.min(arguments.rate * arguments.seconds), 64)
        .await?;
    Bench::say(&format!("{} subscribers, one of which does not read", arguments.subscribers));
    let local = LocalSet::new();
    let mut figures = local.run_until(measure(&bench, arguments)).await?;
    figures.insert("raw_limit_per_second".into(), rounded(raw.executions_per_second));
    let missed = figures.get("updates_missed").and_then(Value::as_u64).unwrap_or(0);
    let caught_up = figures.get("stuck_one_caught_up").and_then(Value::as_bool).unwrap_or(false);
    bench.report.workloads.push(figures);
    bench.publish(&arguments.common)?;
    Ok(if missed == 0 && caught_up { Exit::Success } else { Exit::Failure })
}

/// Every subscriber is an open file here and in the service.
fn allow_many_files(subscribers: u64) -> Result<(), Error> {
    let wanted = subscribers + 512;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)
        .map_err(|error| Error::failure(format!("cannot read the limit of open files: {error}")))?;
    if soft >= wanted {
        return Ok(());
    }
    setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard)
        .map_err(|error| Error::failure(format!("cannot raise the limit of open files: {error}")))?;
    if hard < wanted {
        return Err(Error::invalid(format!(
            "{subscribers} subscribers need {wanted} open files, this user may have {hard} (ulimit -Hn)"
        )));
    }
    Ok(())
}

async fn measure(bench: &Bench, arguments: &Arguments) -> Result<Workload, Error> {
    let service = bench.service().await?;
    let mut link = Link::to(service.endpoint());
    let body = Bytes::from(Kind::Effects.register(&mut link).await?.to_string());
    let idle_bytes = service.memory_bytes();
    let mut stuck = Subscriber::open_small(service.endpoint().clone()).await?;
    let readers = subscribe(&service, arguments.subscribers - 1).await?;
    let subscribed_bytes = service.memory_bytes();
    let (cpu, begin) = (service.cpu_time(), Instant::now());
    let started = load(service.endpoint(), &body, arguments, bench.seed).await?;
    let settled = settle(&readers, &started).await;
    let elapsed = begin.elapsed();
    let cpu = service.cpu_time().saturating_sub(cpu);
    let loaded_bytes = service.memory_bytes();
    let caught_up = stuck.catch_up(&started, SETTLE_TIMEOUT).await?;
    let mut times = histogram()?;
    let mut frames = 0_u64;
    for reader in &readers {
        let seen = reader.borrow();
        times += &seen.times;
        frames += seen.frames;
    }
    let updates = as_f64(frames) / as_f64(arguments.subscribers - 1);
    service.stop().await?;
    let seconds = elapsed.as_secs_f64();
    let figures = json!({
        "name": "fanout",
        "store": bench.database.kind,
        "subscribers": arguments.subscribers,
        "seconds": rounded(seconds),
        "executions": started.len(),
        "executions_per_second": rounded(as_f64(u64::try_from(started.len()).unwrap_or(0)) / seconds),
        "updates_per_second": rounded(updates / seconds),
        "frames_delivered": frames,
        "frames_per_second": rounded(as_f64(frames) / seconds),
        "p50_ms": percentile_ms(&times, 0.5),
        "p90_ms": percentile_ms(&times, 0.9),
        "p99_ms": percentile_ms(&times, 0.99),
        "max_ms": percentile_ms(&times, 1.0),
        "service_cpu_us_per_frame": rounded(cpu.as_secs_f64() * 1e6 / as_f64(frames.max(1))),
        "memory_idle_bytes": idle_bytes,
        "memory_subscribed_bytes": subscribed_bytes,
        "memory_per_subscriber_bytes": subscribed_bytes.saturating_sub(idle_bytes) / arguments.subscribers,
        "memory_after_load_bytes": loaded_bytes,
        "updates_missed": settled,
        "stuck_one_caught_up": caught_up,
    });
    Ok(figures.as_object().cloned().unwrap_or_default())
}

/// Opens the reading subscribers; each reads in a task of its own from then on.
async fn subscribe(service: &Service, count: u64) -> Result<Vec<Rc<RefCell<Seen>>>, Error> {
    let mut readers = Vec::new();
    let mut opening = JoinSet::new();
    let endpoint = service.endpoint();
    let mut left = count;
    while left > 0 || !opening.is_empty() {
        while left > 0 && u64::try_from(opening.len()).unwrap_or(0) < CONNECT_AT_ONCE {
            left -= 1;
            opening.spawn_local(Subscriber::open(endpoint.clone()));
        }
        let Some(opened) = opening.join_next().await else { break };
        let mut subscriber =
            opened.map_err(|error| Error::failure(format!("a subscriber could not connect: {error}")))??;
        readers.push(subscriber.seen());
        tokio::task::spawn_local(async move { subscriber.read().await });
    }
    Ok(readers)
}

/// Starts executions at random instants at the wanted rate; their ids.
async fn load(endpoint: &Endpoint, body: &Bytes, arguments: &Arguments, seed: u64) -> Result<HashSet<Uuid>, Error> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut link = Link::to(endpoint);
    let mut started = HashSet::new();
    let mut due = Instant::now();
    let mean = 1.0 / as_f64(arguments.rate);
    for _ in 0..arguments.rate.saturating_mul(arguments.seconds) {
        // Exponential gaps: arrivals without memory, as from many independent callers.
        due += Duration::from_secs_f64(-mean * (1.0 - random.f64()).ln());
        tokio::time::sleep_until(due).await;
        let answer = link.post("/api/v1/executions", body.clone(), None).await;
        let execution = answer.map_err(|error| Error::failure(format!("a submission failed: {error}")))?.json()?;
        let id = execution.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        started.insert(id.ok_or_else(|| Error::failure("the answer to a submission has no id"))?);
    }
    Ok(started)
}

/// Waits until every reader has seen the end of every execution; how many ends were missed all together.
async fn settle(readers: &[Rc<RefCell<Seen>>], started: &HashSet<Uuid>) -> u64 {
    let begin = Instant::now();
    loop {
        let missed = readers.iter().map(|reader| started.difference(&reader.borrow().ended).count()).sum::<usize>();
        if missed == 0 || begin.elapsed() > SETTLE_TIMEOUT {
            return u64::try_from(missed).unwrap_or(u64::MAX);
        }
        tokio::time::sleep(SETTLE_POLL).await;
    }
}
