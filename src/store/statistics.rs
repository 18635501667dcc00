//! Figures over executions: how many of which status, how long they took, how long they waited.

use super::column_types::natural;
use super::connection::AnyConnection;
use super::counts::{self, Count};
use super::schema::executions;
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::{ExecutionType, Status, TenantId, Timestamp};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::cmp::Reverse;

/// Percentiles are taken over the newest finished executions of the period, at most this many.
const SAMPLE: i64 = 1_000;
/// How long the executions of single hours took is told for this many of the newest hours,
const MEASURED_HOURS: usize = 24;
/// and rests on this many of the newest executions of each.
const HOUR_SAMPLE: i64 = 100;
const HOUR_MICROS: i64 = 3_600_000_000;

/// Figures of the executions created in a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The beginning of the hour that was asked for.
    pub since: Timestamp,
    pub counts: Vec<StatusCount>,
    pub total: u64,
    /// Succeeded over succeeded and failed, 0 to 1; absent when none has ended so.
    pub success_rate: Option<f64>,
    /// From start to end, in milliseconds.
    pub run_ms: Percentiles,
    /// From creation to start, in milliseconds.
    pub queued_ms: Percentiles,
    /// How many executions the percentiles rest on.
    pub sample_size: u64,
    /// Hours without executions are left out; oldest first.
    pub per_hour: Vec<HourCount>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCount {
    pub execution_type: ExecutionType,
    pub status: Status,
    pub count: u64,
}

/// Nearest-rank percentiles; absent when there is nothing to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// The beginning of the hour, UTC.
    pub hour: Timestamp,
    pub created: u64,
    pub succeeded: u64,
    pub failed: u64,
    /// From start to end in milliseconds; absent when none of its newest executions has ended, and for hours that are long ago.
    pub run_ms_p95: Option<u64>,
}

/// The pending executions of one priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    pub priority: u8,
    pub count: u64,
    pub oldest: Timestamp,
}

impl Store {
    /// Figures of the tenant's executions created since the beginning of the hour that `since` lies in.
    pub async fn statistics(&self, tenant_id: TenantId, since: Timestamp) -> Result<Statistics, Error> {
        self.read(move |connection| statistics(connection, &tenant_id.to_string(), since)).await
    }

    /// What is pending, highest priority first.
    pub async fn queue_depth(&self, tenant_id: TenantId) -> Result<Vec<QueueDepth>, Error> {
        self.read(move |connection| {
            let tenant_id = tenant_id.to_string();
            let sql = "SELECT priority, COUNT(*) AS pending, MIN(created_at) AS oldest FROM executions \
                WHERE status = 'pending' AND tenant_id = ? GROUP BY priority ORDER BY priority DESC";
            Statement::new(sql, vec![Bind::Text(&tenant_id)])
                .load::<QueueRow>(connection)?
                .into_iter()
                .map(|row| {
                    Ok(QueueDepth {
                        priority: u8::try_from(row.priority).map_err(|error| Error::corrupt("priority", error))?,
                        count: natural("count", row.pending)?,
                        oldest: Timestamp::from_micros(row.oldest),
                    })
                })
                .collect()
        })
        .await
    }
}

#[derive(QueryableByName)]
struct QueueRow {
    #[diesel(sql_type = BigInt)]
    priority: i64,
    #[diesel(sql_type = BigInt)]
    pending: i64,
    #[diesel(sql_type = BigInt)]
    oldest: i64,
}

fn statistics(connection: &mut AnyConnection, tenant_id: &str, since: Timestamp) -> Result<Statistics, Error> {
    let since = counts::full_hour(since);
    let mut counts: Vec<StatusCount> = Vec::new();
    let mut per_hour: Vec<HourCount> = Vec::new();
    for Count { hour, execution_type, status, number } in counts::since(connection, tenant_id, since)? {
        match counts.iter_mut().find(|known| known.status == status && known.execution_type == execution_type) {
            Some(known) => known.count += number,
            None => counts.push(StatusCount { execution_type, status, count: number }),
        }
        if per_hour.last().is_none_or(|last| last.hour != hour) {
            per_hour.push(HourCount { hour, created: 0, succeeded: 0, failed: 0, run_ms_p95: None });
        }
        if let Some(last) = per_hour.last_mut() {
            last.created += number;
            match status {
                Status::Succeeded => last.succeeded += number,
                Status::Failed => last.failed += number,
                Status::Pending | Status::Running | Status::Waiting | Status::Paused | Status::Cancelled => {}
            }
        }
    }
    counts.sort_by_key(|count| (count.execution_type.as_str(), count.status));
    for hour in per_hour.iter_mut().rev().take(MEASURED_HOURS) {
        hour.run_ms_p95 = percentiles(hour_sample(connection, tenant_id, hour.hour)?).p95;
    }
    let sample = sample(connection, tenant_id, since)?;
    let of = |status: Status| counts.iter().filter(|count| count.status == status).map(|count| count.count).sum();
    Ok(Statistics {
        since,
        total: counts.iter().map(|count| count.count).sum(),
        success_rate: rate(of(Status::Succeeded), of(Status::Failed)),
        run_ms: percentiles(sample.iter().map(|times| times.finished.millis_since(times.started)).collect()),
        queued_ms: percentiles(sample.iter().map(|times| times.started.millis_since(times.created)).collect()),
        sample_size: u64::try_from(sample.len()).unwrap_or(u64::MAX),
        counts,
        per_hour,
    })
}

/// When one execution was created, started and finished.
struct Times {
    created: Timestamp,
    started: Timestamp,
    finished: Timestamp,
}

/// The times of the newest that have ended. Each status is asked for alone, which its index answers in order.
fn sample(connection: &mut AnyConnection, tenant_id: &str, since: Timestamp) -> Result<Vec<Times>, Error> {
    let mut sample = Vec::new();
    for status in Status::ALL.iter().filter(|status| status.is_terminal()) {
        let rows = executions::table
            .filter(executions::status.eq(status.as_str()).and(executions::tenant_id.eq(tenant_id)))
            .filter(executions::created_at.ge(since.as_micros()))
            .order((executions::created_at.desc(), executions::created_position.desc()))
            .limit(SAMPLE)
            .select((executions::created_at, executions::started_at, executions::finished_at))
            .load::<(i64, Option<i64>, Option<i64>)>(connection)?;
        let time = Timestamp::from_micros;
        sample.extend(rows.into_iter().filter_map(|(created, started, finished)| {
            Some(Times { created: time(created), started: time(started?), finished: time(finished?) })
        }));
    }
    sample.sort_by_key(|times| Reverse(times.created));
    sample.truncate(usize::try_from(SAMPLE).unwrap_or(usize::MAX));
    Ok(sample)
}

/// How long the newest executions of an hour took that have ended, in milliseconds.
fn hour_sample(connection: &mut AnyConnection, tenant_id: &str, hour: Timestamp) -> Result<Vec<i64>, Error> {
    let rows = executions::table
        .filter(executions::tenant_id.eq(tenant_id).and(executions::created_at.ge(hour.as_micros())))
        .filter(executions::created_at.lt(hour.as_micros().saturating_add(HOUR_MICROS)))
        .order(executions::created_at.desc())
        .limit(HOUR_SAMPLE)
        .select((executions::started_at, executions::finished_at))
        .load::<(Option<i64>, Option<i64>)>(connection)?;
    let time = Timestamp::from_micros;
    Ok(rows.into_iter().filter_map(|(started, finished)| Some(time(finished?).millis_since(time(started?)))).collect())
}

fn rate(succeeded: u64, failed: u64) -> Option<f64> {
    let float = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let ended = succeeded.saturating_add(failed);
    (ended > 0).then(|| float(succeeded) / float(ended))
}

fn percentiles(mut values: Vec<i64>) -> Percentiles {
    values.sort_unstable();
    let rank = |percent: usize| {
        let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
        values.get(place).map(|value| u64::try_from(*value).unwrap_or(0))
    };
    Percentiles { p50: rank(50), p95: rank(95), p99: rank(99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        assert_eq!(percentiles(Vec::new()), Percentiles::default());
        assert_eq!(percentiles((1..=100).rev().collect()), Percentiles { p50: Some(50), p95: Some(95), p99: Some(99) });
        assert_eq!(percentiles(vec![7]), Percentiles { p50: Some(7), p95: Some(7), p99: Some(7) });
    }

    #[test]
    fn a_rate_needs_something_that_ended() {
        assert_eq!(rate(0, 0), None);
        assert_eq!(rate(3, 1), Some(0.75));
    }
}
