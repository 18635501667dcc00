//! Time from the submission of an execution to the frame that says it has ended, one execution at a time.

use super::load::{as_f64, histogram, note, percentile_ms};
use super::raw::{self, Template};
use super::{Bench, Common, Kind};
use crate::cli::Exit;
use crate::cli::client::text_at;
use crate::cli::error::Error;
use crate::cli::link::{Endpoint, Link};
use crate::cli::live::Connection;
use crate::cli::report::rounded;
use crate::wire::report::Workload;
use hdrhistogram::Histogram;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Executions that run before the clock starts, at most.
const WARM_UP: u64 = 100;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// What to run
    #[arg(long, value_enum, default_value = "effects")]
    workload: Kind,
    /// How many executions
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
}

/// Measures what was asked for.
pub async fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let mut bench = Bench::prepare("latency", &arguments.common)?;
    let workload = measure(&bench, arguments).await?;
    bench.report.workloads.push(workload);
    bench.publish(&arguments.common)?;
    Ok(Exit::Success)
}

async fn measure(bench: &Bench, arguments: &Arguments) -> Result<Workload, Error> {
    let kind = arguments.workload;
    Bench::say(&format!("{}: measuring the raw storage limit", kind.name()));
    let template = Template::record(kind)?;
    let raw = raw::measure(&bench.database.url, &template, arguments.executions, 1).await?;
    Bench::say(&format!("{}: {} executions one at a time", kind.name(), arguments.executions));
    let service = bench.service().await?;
    let times = one_at_a_time(service.endpoint(), kind, arguments.executions).await?;
    service.stop().await?;
    let figures = json!({
        "name": kind.name(),
        "store": bench.database.kind,
        "executions": arguments.executions,
        "clients": 1,
        "seconds": rounded(times.mean() * as_f64(times.len()) / 1e6),
        "executions_per_second": rounded(1e6 / times.mean().max(1.0)),
        "raw_limit_per_second": rounded(raw.executions_per_second),
        "raw_p50_ms": percentile_ms(&raw.times, 0.5),
        "p50_ms": percentile_ms(&times, 0.5),
        "p90_ms": percentile_ms(&times, 0.9),
        "p99_ms": percentile_ms(&times, 0.99),
        "max_ms": percentile_ms(&times, 1.0),
    });
    Ok(figures.as_object().cloned().unwrap_or_default())
}

async fn one_at_a_time(endpoint: &Endpoint, kind: Kind, executions: u64) -> Result<Histogram<u64>, Error> {
    let mut link = Link::to(endpoint);
    let body = Bytes::from(kind.register(&mut link).await?.to_string());
    let closed = |error| Error::failure(format!("cannot open the live feed: {error}"));
    let handshake = endpoint.handshake("/ws/executions?client_id=bench").map_err(closed)?;
    let mut feed = Connection::open(handshake).await.map_err(closed)?;
    let mut times = histogram()?;
    for round in 0..executions.min(WARM_UP) + executions {
        let begin = Instant::now();
        let answer = link.post("/api/v1/executions", body.clone(), None).await;
        let execution = answer.map_err(|error| Error::failure(format!("a submission failed: {error}")))?.json()?;
        let id = text_at(&execution, "/id");
        feed.send(&json!({ "type": "subscribe", "execution_id": id, "after_seq": 0 })).await?;
        wait_for_end(&mut feed, &id).await?;
        if round >= executions.min(WARM_UP) {
            note(&mut times, begin.elapsed());
        }
        feed.send(&json!({ "type": "unsubscribe", "execution_id": id })).await?;
    }
    feed.close().await;
    Ok(times)
}

/// Reads the feed until an execution has succeeded.
async fn wait_for_end(feed: &mut Connection, id: &str) -> Result<(), Error> {
    loop {
        let text = feed.next().await.ok_or_else(|| Error::failure("the live feed has ended"))?;
        if !text.contains("\"execution_event\"") || !text.contains(id) {
            continue;
        }
        let frame: Value = serde_json::from_str(&text)
            .map_err(|error| Error::failure(format!("a frame of the live feed is not JSON: {error}")))?;
        match text_at(&frame, "/data/type").as_str() {
            "execution_completed" => return Ok(()),
            "execution_failed" | "execution_cancelled" => {
                return Err(Error::failure(format!("execution {id} did not succeed: {frame}")));
            }
            _ => {}
        }
    }
}
