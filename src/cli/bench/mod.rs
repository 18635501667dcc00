//! `callboard bench`: measures the service on this machine, load generator included.
//!
//! Every benchmark starts the service itself as a child process on a fresh database and measures the raw storage limit in
//! the same run, so that a figure is a ratio and not a matter of the machine. `raw` records what one execution writes and
//! writes the same rows in the same transactions through the store alone.

mod archive;
mod fanout;
mod history;
mod latency;
mod load;
mod raw;
mod recovery;
mod subscriber;
mod throughput;
mod workload;

use super::Exit;
use super::database::Database;
use super::error::{Error, block_on_until_interrupted};
use super::report;
use super::service::{Launch, Service};
use crate::wire::report::Report;
use std::path::PathBuf;
use workload::Kind;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Debug, clap::Subcommand)]
enum Benchmark {
    /// Executions per second, submitted over HTTP until all have ended
    Throughput(throughput::Arguments),
    /// Time from submission to the finished frame on a WebSocket, one execution at a time
    Latency(latency::Arguments),
    /// Live updates to many subscribers, one of which does not read
    Fanout(fanout::Arguments),
    /// Lists with few and with very many executions stored
    History(history::Arguments),
    /// Killing the service while very many executions run, and starting it again
    Recovery(recovery::Arguments),
}

/// What all benchmarks share.
#[derive(Debug, clap::Args)]
struct Common {
    /// `sqlite` (a fresh file), `postgres` (a server of its own), or the URL of a scratch database
    #[arg(long, default_value = "sqlite", value_name = "STORE")]
    store: String,
    /// A setting of the service; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::client::label)]
    set: Vec<(String, String)>,
    /// Makes a run repeatable where chance plays a part
    #[arg(long)]
    seed: Option<u64>,
    /// Writes the report as JSON too; the dashboard shows those in the folder `telemetry.reports`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    // One thread: the load generator must leave the processor to what it measures.
    block_on_until_interrupted(async {
        match &arguments.benchmark {
            Benchmark::Throughput(wanted) => throughput::run(wanted).await,
            Benchmark::Latency(wanted) => latency::run(wanted).await,
            Benchmark::Fanout(wanted) => fanout::run(wanted).await,
            Benchmark::History(wanted) => history::run(wanted).await,
            Benchmark::Recovery(wanted) => recovery::run(wanted).await,
        }
    })
}

/// A measurement: its database, how the service is started on it, and the report that grows.
#[derive(Debug)]
struct Bench {
    database: Database,
    launch: Launch,
    seed: u64,
    report: Report,
}

impl Bench {
    fn prepare(benchmark: &'static str, common: &Common) -> Result<Self, Error> {
        let database = Database::open(&common.store)?;
        let mut launch = Launch::new(&database.url, database.directory())?
            .with("engine.max_queued", 1_000_000)
            .with("limits.max_queued_executions", 0);
        for (key, value) in &common.set {
            launch = launch.with(key, value);
        }
        let seed = common.seed.unwrap_or_else(|| fastrand::u64(..));
        let report = report::begin(benchmark, database.kind, seed, &launch.settings);
        Ok(Self { database, launch, seed, report })
    }

    async fn service(&self) -> Result<Service, Error> {
        Service::start(&self.launch).await
    }

    /// Prints the report and writes it to the file that was asked for.
    fn publish(self, common: &Common) -> Result<(), Error> {
        super::terminal::print(&report::markdown(&self.report));
        common.json.as_ref().map_or(Ok(()), |file| report::write_json(&self.report, file))
    }

    /// Says what is being done, so that a long measurement does not look stuck.
    fn say(what: &str) {
        super::terminal::tell(&format!("callboard: {what}"));
    }
}
