//! Reading lists while more and more executions are stored: the answers must not become slower.
//!
//! A past is written through the store, then the service is started on it and asked over HTTP, one request at a time.

use super::archive::{self, Archive};
use super::load::{histogram, note, percentile_ms};
use super::{Bench, Common};
use crate::cli::Exit;
use crate::cli::client::text_at;
use crate::cli::error::Error;
use crate::cli::link::{Answer, Link};
use crate::cli::report::rounded;
use crate::wire::report::Workload;
use serde_json::{Value, json};
use std::time::Instant;
use url::form_urlencoded::byte_serialize;

/// Items of a page, and the number of the deep page.
const SIZE: u64 = 10;
const DEEP_PAGE: u64 = 1_000;
/// Items of an answer on the way to the deep page by cursor.
const STRIDE: u64 = 100;
/// Requests before the clock starts.
const WARM_UP: u64 = 10;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// How many executions are stored when the lists are asked for; repeatable, in rising order
    #[arg(long, default_values_t = [10_000, 1_000_000], value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    executions: Vec<u64>,
    /// How often each list is asked for
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    requests: u64,
}

/// Measures what was asked for.
pub async fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let mut bench = Bench::prepare("history", &arguments.common)?;
    let mut sizes = arguments.executions.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let archive = Archive::new(sizes.last().copied().unwrap_or(1))?;
    let mut stored = 0;
    for size in sizes {
        Bench::say(&format!("writing executions {stored} to {size}"));
        let filling = archive.fill(&bench.database.url, stored, size).await?;
        let written = size - stored;
        stored = size;
        Bench::say(&format!("asking for lists with {size} executions stored"));
        let mut figures = json!({
            "name": format!("{size} executions"),
            "store": bench.database.kind,
            "executions": size,
            "written_per_second": rounded(super::load::as_f64(written) / filling.as_secs_f64().max(1e-9)),
        });
        let measured = measure(&bench, &archive, arguments.requests).await?;
        if let Some(figures) = figures.as_object_mut() {
            figures.extend(measured);
            bench.report.workloads.push(figures.clone());
        }
    }
    bench.publish(&arguments.common)?;
    Ok(Exit::Success)
}

async fn measure(bench: &Bench, archive: &Archive, requests: u64) -> Result<Workload, Error> {
    let begin = Instant::now();
    let service = bench.service().await?;
    let mut figures = Workload::new();
    figures.insert("ready_after_ms".to_owned(), rounded(begin.elapsed().as_secs_f64() * 1e3));
    let mut link = Link::to(service.endpoint());
    for (name, path) in questions(&mut link, archive).await? {
        let mut times = histogram()?;
        for round in 0..WARM_UP + requests {
            let begin = Instant::now();
            let answer = ask(&mut link, &path).await?;
            if round >= WARM_UP {
                note(&mut times, begin.elapsed());
            }
            let answer = answer.json()?;
            if round == 0 {
                check(name, &answer)?;
            }
        }
        for (share, word) in [(0.5, "p50"), (0.99, "p99")] {
            figures.insert(format!("{name}_{word}_ms"), json!(percentile_ms(&times, share)));
        }
    }
    figures.insert("memory_bytes".to_owned(), json!(service.memory_bytes()));
    service.stop().await?;
    Ok(figures)
}

/// What is asked for, by the name of its figure.
async fn questions(link: &mut Link, archive: &Archive) -> Result<Vec<(&'static str, String)>, Error> {
    const LIST: &str = "/api/v1/executions";
    let deep = deep_cursor(link).await?;
    let first = get(link, &format!("{LIST}?page=1&size=1")).await?;
    let newest = text_at(&first, "/items/0/id");
    let person: String = archive::person(7 % archive::PEOPLE);
    let workflow = archive::workflow_name(3 % archive::WORKFLOWS);
    let (label, value) = archive::LABEL;
    let since: String = byte_serialize(archive.begin().to_string().as_bytes()).collect();
    let page = format!("page=1&size={SIZE}");
    let mut questions = vec![
        ("page_1", format!("{LIST}?{page}")),
        ("page_1000", format!("{LIST}?page={DEEP_PAGE}&size={SIZE}")),
        ("cursor_1", format!("{LIST}?limit={SIZE}")),
        ("status_page_1", format!("{LIST}?{page}&status=failed")),
        ("open_page_1", format!("{LIST}?{page}&status=running,waiting,paused")),
        ("workflow_page_1", format!("{LIST}?{page}&workflow=bench/{workflow}")),
        ("person_page_1", format!("{LIST}?{page}&created_by={person}")),
        ("label_page_1", format!("{LIST}?{page}&label.{label}={value}")),
        ("label_cursor_1", format!("{LIST}?limit={SIZE}&label.{label}={value}")),
        ("agent_test_page_1", format!("{LIST}?{page}&execution_type=agent_test")),
        ("text_found_cursor_1", format!("{LIST}?limit={SIZE}&q=lovelace")),
        ("text_not_found_cursor_1", format!("{LIST}?limit={SIZE}&q=nowhere")),
        ("active", format!("{LIST}/active")),
        ("statistics_all_time", format!("{LIST}/stats?since={since}")),
        ("detail", format!("{LIST}/{newest}")),
        ("history", format!("{LIST}/{newest}/history")),
    ];
    if let Some(cursor) = deep {
        questions.insert(3, ("cursor_1000", format!("{LIST}?limit={SIZE}&cursor={cursor}")));
    }
    Ok(questions)
}

/// The cursor of the deep page, when there are that many executions.
async fn deep_cursor(link: &mut Link) -> Result<Option<String>, Error> {
    let mut left = (DEEP_PAGE - 1) * SIZE;
    let mut cursor: Option<String> = None;
    while left > 0 {
        let limit = left.min(STRIDE);
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let answer = get(link, &format!("/api/v1/executions?limit={limit}{after}")).await?;
        let Some(next) = answer.get("next_cursor").and_then(Value::as_str) else { return Ok(None) };
        cursor = Some(next.to_owned());
        left -= limit;
    }
    Ok(cursor)
}

/// A question whose answer is empty measures nothing, except where nothing is looked for.
fn check(name: &str, answer: &Value) -> Result<(), Error> {
    let is_empty = answer.get("items").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if is_empty && !name.contains("not_found") && name != "page_1000" {
        return Err(Error::failure(format!("the answer to {name} is empty")));
    }
    Ok(())
}

async fn get(link: &mut Link, path: &str) -> Result<Value, Error> {
    ask(link, path).await?.json()
}

async fn ask(link: &mut Link, path: &str) -> Result<Answer, Error> {
    link.get(path).await.map_err(|error| Error::failure(format!("the service does not answer: {error}")))
}
