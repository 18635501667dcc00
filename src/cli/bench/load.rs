//! The load: so many executions, submitted by so many clients over connections of their own, until all have ended.

use crate::cli::client::text_at;
use crate::cli::error::Error;
use crate::cli::link::{Endpoint, Link};
use hdrhistogram::Histogram;
use hyper::body::Bytes;
use serde_json::Value;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often is asked whether all have ended.
const END_POLL: Duration = Duration::from_millis(10);
/// After this long without any progress the measurement is given up.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Answers are measured up to a minute, in microseconds.
const HIGHEST_MICROS: u64 = 60_000_000;

/// A histogram of durations in microseconds.
///
/// # Errors
/// Never with the bounds of this module.
pub fn histogram() -> Result<Histogram<u64>, Error> {
    Histogram::new_with_bounds(1, HIGHEST_MICROS, 3)
        .map_err(|error| Error::failure(format!("cannot make a histogram: {error}")))
}

/// Notes a duration; longer ones than a minute count as a minute.
pub fn note(histogram: &mut Histogram<u64>, duration: Duration) {
    histogram.saturating_record(u64::try_from(duration.as_micros()).unwrap_or(HIGHEST_MICROS));
}

/// The duration below which a share of the noted ones lies, in milliseconds.
pub fn percentile_ms(histogram: &Histogram<u64>, share: f64) -> f64 {
    let micros = u32::try_from(histogram.value_at_quantile(share)).unwrap_or(u32::MAX);
    f64::from(micros) / 1_000.0
}

/// A count as a number to divide by; exact up to 2^53.
pub fn as_f64(count: u64) -> f64 {
    #[expect(clippy::as_conversions, reason = "counts of a measurement are far below 2^53")]
    let number = count as f64;
    number
}

/// What a load brought.
#[derive(Debug)]
pub struct Outcome {
    /// From the first submission until the last execution had ended.
    pub elapsed: Duration,
    /// Submission until its acknowledgement.
    pub acknowledged: Histogram<u64>,
    /// How often the queue was full and a client had to wait.
    pub refused: u64,
}

/// Submits `count` executions through `clients` connections and waits until all have ended.
///
/// # Errors
/// When a submission fails otherwise than by a full queue, or nothing ends any more.
pub async fn run(endpoint: &Endpoint, body: &Value, count: u64, clients: u64) -> Result<Outcome, Error> {
    let begin = Instant::now();
    let (acknowledged, refused) = submit(endpoint, body, count, clients).await?;
    wait_until_idle(endpoint).await?;
    Ok(Outcome { elapsed: begin.elapsed(), acknowledged, refused })
}

/// Submits `count` executions through `clients` connections: how long each acknowledgement took, and how often the queue was
/// full.
///
/// # Errors
/// When a submission fails otherwise than by a full queue.
pub async fn submit(
    endpoint: &Endpoint,
    body: &Value,
    count: u64,
    clients: u64,
) -> Result<(Histogram<u64>, u64), Error> {
    let body = Bytes::from(body.to_string());
    let left = Rc::new(Cell::new(count));
    let mut acknowledged = histogram()?;
    let mut refused = 0;
    let tasks = tokio::task::LocalSet::new();
    let submitted = tasks.run_until(async {
        let mut running = JoinSet::new();
        for _ in 0..clients.min(count) {
            running.spawn_local(client(endpoint.clone(), body.clone(), Rc::clone(&left)));
        }
        while let Some(client) = running.join_next().await {
            let (times, refusals) =
                client.map_err(|error| Error::failure(format!("a client of the load failed: {error}")))??;
            acknowledged += times;
            refused += refusals;
        }
        Ok::<_, Error>(())
    });
    submitted.await?;
    Ok((acknowledged, refused))
}

/// Submits one after the other until none is left.
async fn client(endpoint: Endpoint, body: Bytes, left: Rc<Cell<u64>>) -> Result<(Histogram<u64>, u64), Error> {
    let mut link = Link::to(&endpoint);
    let mut times = histogram()?;
    let mut refused = 0;
    while let Some(next) = left.get().checked_sub(1) {
        left.set(next);
        let begin = Instant::now();
        loop {
            let answer = link.post("/api/v1/executions", body.clone(), None).await;
            let answer = answer.map_err(|error| Error::failure(format!("a submission failed: {error}")))?;
            if answer.status == 429 {
                refused += 1;
                tokio::time::sleep(END_POLL).await;
                continue;
            }
            if answer.status != 201 {
                return Err(crate::cli::client::problem(answer.status, &answer.body));
            }
            break;
        }
        note(&mut times, begin.elapsed());
    }
    Ok((times, refused))
}

/// Waits until no execution is pending, running or waiting.
async fn wait_until_idle(endpoint: &Endpoint) -> Result<(), Error> {
    let mut link = Link::to(endpoint);
    let mut fewest = u64::MAX;
    let mut progress = Instant::now();
    loop {
        let open = count(&mut link, &["pending", "running", "waiting"]).await?;
        if open == 0 {
            return Ok(());
        }
        if open < fewest {
            (fewest, progress) = (open, Instant::now());
        } else if progress.elapsed() > STALL_TIMEOUT {
            return Err(Error::failure(format!("{open} executions do not end")));
        }
        tokio::time::sleep(END_POLL).await;
    }
}

/// How many executions are in one of these statuses.
///
/// # Errors
/// When the service does not answer.
pub async fn count(link: &mut Link, statuses: &[&str]) -> Result<u64, Error> {
    let filter: String = statuses.iter().map(|status| format!("status={status}&")).collect();
    let answer = link.get(&format!("/api/v1/executions?{filter}page=1&size=1")).await;
    let page = answer.map_err(|error| Error::failure(format!("the service does not answer: {error}")))?.json()?;
    page.get("total")
        .and_then(Value::as_u64)
        .ok_or_else(|| Error::failure(format!("a list of executions has no total: {}", text_at(&page, "/detail"))))
}
