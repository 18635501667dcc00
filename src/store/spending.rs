//! What the model calls of a tenant have used: sums over a period, and by the hour.

use super::column_types::natural;
use super::connection::AnyConnection;
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::quota::Spending;
use crate::domain::{TenantId, Timestamp, UsageOutcome};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

const HOUR_MICROS: i64 = 3_600_000_000;

/// What model calls have used since an instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpendingSince {
    pub spent: Spending,
    /// The part of it that nothing came of.
    pub wasted: Spending,
    /// Hours without calls are left out; oldest first.
    pub per_hour: Vec<HourSpending>,
}

/// What model calls have used in an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourSpending {
    /// The beginning of the hour. Hours are counted from the beginning of the period.
    pub hour: Timestamp,
    pub spent: Spending,
}

impl Store {
    /// What the tenant's model calls have used since an instant, of executions that are deleted meanwhile too.
    pub async fn spending_since(&self, tenant_id: TenantId, since: Timestamp) -> Result<SpendingSince, Error> {
        self.read(move |connection| read(connection, &tenant_id.to_string(), since)).await
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
    #[diesel(sql_type = Double)]
    cost: f64,
}

fn read(connection: &mut AnyConnection, tenant_id: &str, since: Timestamp) -> Result<SpendingSince, Error> {
    let sql = "SELECT (at - ?) / ? AS number, outcome, COUNT(*) AS calls, \
        CAST(SUM(input_tokens + cached_input_tokens + output_tokens + reasoning_tokens) AS BIGINT) AS tokens, \
        CAST(COALESCE(SUM(cost_usd), 0) AS DOUBLE PRECISION) AS cost \
        FROM usage_records WHERE tenant_id = ? AND at >= ? GROUP BY 1, 2 ORDER BY 1";
    let begin = since.as_micros();
    let binds = vec![Bind::Integer(begin), Bind::Integer(HOUR_MICROS), Bind::Text(tenant_id), Bind::Integer(begin)];
    let mut found = SpendingSince::default();
    for Row { number, outcome, calls, tokens, cost } in Statement::new(sql, binds).load::<Row>(connection)? {
        let spent = Spending { calls: natural("calls", calls)?, tokens: natural("tokens", tokens)?, cost_usd: cost };
        found.spent = found.spent.plus(spent);
        if outcome == UsageOutcome::Wasted.as_str() {
            found.wasted = found.wasted.plus(spent);
        }
        let hour = since.plus_micros(number.saturating_mul(HOUR_MICROS));
        match found.per_hour.last_mut() {
            Some(last) if last.hour == hour => last.spent = last.spent.plus(spent),
            Some(_) | None => found.per_hour.push(HourSpending { hour, spent }),
        }
    }
    Ok(found)
}
