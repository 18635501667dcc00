//! Executions per second: submitted over HTTP by many clients until all have ended, against the raw storage limit.

use super::load::{self, percentile_ms};
use super::raw::{self, Template};
use super::{Bench, Common, Kind};
use crate::cli::Exit;
use crate::cli::error::Error;
use crate::cli::link::Link;
use crate::cli::report::rounded;
use crate::wire::report::Workload;
use serde_json::json;

/// How many executions write at the same time when the raw limit is measured: as many as the service lets run by default,
/// whatever the number of clients, because a client does not wait for the end of what it has submitted.
const RAW_WRITERS: u64 = 1_000;
/// Executions that run before the clock starts, at most.
const WARM_UP: u64 = 500;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// What to run; repeatable, everything by default
    #[arg(long, value_enum)]
    workload: Vec<Kind>,
    /// How many executions of each workload
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// How many clients submit at the same time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    clients: u64,
}

/// Measures what was asked for.
pub async fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let mut bench = Bench::prepare("throughput", &arguments.common)?;
    let kinds =
        if arguments.workload.is_empty() { vec![Kind::Effects, Kind::Pure] } else { arguments.workload.clone() };
    for kind in kinds {
        let workload = measure(&bench, kind, arguments).await?;
        bench.report.workloads.push(workload);
    }
    bench.publish(&arguments.common)?;
    Ok(Exit::Success)
}

async fn measure(bench: &Bench, kind: Kind, arguments: &Arguments) -> Result<Workload, Error> {
    Bench::say(&format!("{}: measuring the raw storage limit", kind.name()));
    let template = Template::record(kind)?;
    let writers = arguments.clients.max(RAW_WRITERS);
    let raw = raw::measure(&bench.database.url, &template, arguments.executions, writers).await?;
    Bench::say(&format!("{}: {} executions with {} clients", kind.name(), arguments.executions, arguments.clients));
    let service = bench.service().await?;
    let mut link = Link::to(service.endpoint());
    let body = kind.register(&mut link).await?;
    load::run(service.endpoint(), &body, arguments.executions.min(WARM_UP), arguments.clients).await?;
    let before = load::count(&mut link, &["succeeded"]).await?;
    let cpu = service.cpu_time();
    let outcome = load::run(service.endpoint(), &body, arguments.executions, arguments.clients).await?;
    let cpu = service.cpu_time().saturating_sub(cpu);
    let succeeded = load::count(&mut link, &["succeeded"]).await?.saturating_sub(before);
    drop(link);
    service.stop().await?;
    if succeeded != arguments.executions {
        return Err(Error::failure(format!("only {succeeded} of {} executions succeeded", arguments.executions)));
    }
    let executions = load::as_f64(arguments.executions);
    let seconds = outcome.elapsed.as_secs_f64();
    let per_second = executions / seconds;
    let figures = json!({
        "name": kind.name(),
        "store": bench.database.kind,
        "executions": arguments.executions,
        "clients": arguments.clients,
        "seconds": rounded(seconds),
        "executions_per_second": rounded(per_second),
        "raw_limit_per_second": rounded(raw.executions_per_second),
        "ratio": rounded(per_second / raw.executions_per_second),
        "appends_per_execution": template.appends(),
        "acknowledged_p50_ms": percentile_ms(&outcome.acknowledged, 0.5),
        "acknowledged_p99_ms": percentile_ms(&outcome.acknowledged, 0.99),
        "queue_full_answers": outcome.refused,
        "service_cpu_us_per_execution": rounded(cpu.as_secs_f64() * 1e6 / executions),
    });
    Ok(figures.as_object().cloned().unwrap_or_default())
}
