//! What model calls cost: rows derived from `usage_recorded` events.

use super::column_types::{json, natural, optional_word, small};
use super::connection::AnyConnection;
use super::schema::usage_records;
use super::{Error, Store};
use crate::domain::quota::Spending;
use crate::domain::{ExecutionId, TenantId, Timestamp, Usage, UsageOutcome};
use diesel::prelude::*;

/// One model call of an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageLine {
    /// The event that recorded it.
    pub seq: u64,
    /// JSON pointer to the task.
    pub task: Option<String>,
    pub attempt: u32,
    pub usage: Usage,
    pub at: Timestamp,
}

/// The sums over an execution's model calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageTotals {
    pub calls: u64,
    pub input_tokens: u64,
    pub cached_input_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// US dollars, of the calls whose price is known; absent when none is.
    pub cost_usd: Option<f64>,
    pub latency_ms: u64,
    /// The part of all this that nothing came of.
    pub wasted: Spending,
}

impl UsageTotals {
    pub fn of(lines: &[UsageLine]) -> Self {
        let sum = |value: fn(&Usage) -> u64| lines.iter().map(|line| value(&line.usage)).sum();
        let is_wasted = |line: &&UsageLine| line.usage.outcome == UsageOutcome::Wasted;
        let wasted = lines.iter().filter(is_wasted).map(|line| line.usage.spending());
        let wasted = wasted.fold(Spending::default(), Spending::plus);
        let costs: Vec<f64> = lines.iter().filter_map(|line| line.usage.cost_usd).collect();
        Self {
            calls: u64::try_from(lines.len()).unwrap_or(u64::MAX),
            input_tokens: sum(|usage| usage.input_tokens),
            cached_input_tokens: sum(|usage| usage.cached_input_tokens),
            output_tokens: sum(|usage| usage.output_tokens),
            reasoning_tokens: sum(|usage| usage.reasoning_tokens),
            cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
            latency_ms: sum(|usage| usage.latency_ms),
            wasted,
        }
    }
}

impl Store {
    /// An execution's model calls in order.
    pub async fn usage(&self, tenant_id: TenantId, id: ExecutionId) -> Result<Vec<UsageLine>, Error> {
        self.read(move |connection| read(connection, &tenant_id.to_string(), &id.to_string())).await
    }
}

#[derive(Queryable)]
struct Row {
    _execution_id: String,
    seq: i64,
    _tenant_id: String,
    task: Option<String>,
    attempt: i64,
    agent_id: Option<String>,
    provider: String,
    model: String,
    input_tokens: i64,
    cached_input_tokens: i64,
    output_tokens: i64,
    reasoning_tokens: i64,
    cost_usd: Option<f64>,
    latency_ms: i64,
    at: i64,
    _root_execution_id: String,
    _path: Option<String>,
    prices: Option<String>,
    outcome: String,
    is_estimated: bool,
}

fn read(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<Vec<UsageLine>, Error> {
    usage_records::table
        .filter(usage_records::execution_id.eq(id).and(usage_records::tenant_id.eq(tenant_id)))
        .order(usage_records::seq)
        .load::<Row>(connection)?
        .into_iter()
        .map(|row| {
            Ok(UsageLine {
                seq: natural("usage seq", row.seq)?,
                task: row.task,
                attempt: small("attempt", row.attempt)?,
                usage: Usage {
                    agent_id: optional_word("agent id", row.agent_id.as_deref())?,
                    provider: row.provider,
                    model: row.model,
                    input_tokens: natural("tokens", row.input_tokens)?,
                    cached_input_tokens: natural("tokens", row.cached_input_tokens)?,
                    output_tokens: natural("tokens", row.output_tokens)?,
                    reasoning_tokens: natural("tokens", row.reasoning_tokens)?,
                    cost_usd: row.cost_usd,
                    prices: row.prices.as_deref().map(|text| json("prices", text)).transpose()?,
                    latency_ms: natural("latency_ms", row.latency_ms)?,
                    outcome: outcome(&row.outcome)?,
                    is_estimated: row.is_estimated,
                },
                at: Timestamp::from_micros(row.at),
            })
        })
        .collect()
}

fn outcome(word: &str) -> Result<UsageOutcome, Error> {
    let known = [UsageOutcome::Used, UsageOutcome::Wasted].into_iter().find(|outcome| outcome.as_str() == word);
    known.ok_or_else(|| Error::corrupt("usage outcome", format!("'{word}' is unknown")))
}
