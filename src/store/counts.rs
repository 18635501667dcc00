//! How many executions there are, by tenant, hour of creation, type and status: kept along with every batch of appends, so
//! that totals and statistics need not look at the executions themselves. Deletions are counted by a trigger.

use super::Error;
use super::backend::on_backend;
use super::batch::Placed;
use super::batch_postgres::{ColumnStatement, integers, texts};
use super::column_types::{natural, word};
use super::connection::AnyConnection;
use super::schema::execution_counts;
use super::statement::{Bind, Statement};
use crate::domain::{ExecutionType, Status, Timestamp};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;

/// An hour in microseconds.
const HOUR_US: i64 = 3_600_000_000;

/// Tenant, hour, type, status.
type Key<'a> = (&'a str, i64, &'static str, &'static str);

/// The hour that an instant lies in, counted since 1970.
fn hour_of(at: Timestamp) -> i64 {
    at.as_micros() / HOUR_US
}

/// The beginning of the hour that an instant lies in.
pub(super) fn full_hour(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(hour_of(at).saturating_mul(HOUR_US))
}

/// Counts what a batch changes, in its transaction.
pub(super) fn write(connection: &mut AnyConnection, placed: &[Placed<'_>]) -> Result<(), Error> {
    let changes = changes(placed);
    if changes.is_empty() {
        return Ok(());
    }
    on_backend!(connection, inner => {
        sqlite: {
            for ((tenant_id, hour, execution_type, status), number) in changes {
                Statement::new(
                    "INSERT INTO execution_counts (tenant_id, hour, execution_type, status, number) VALUES (?, ?, ?, ?, ?) \
                     ON CONFLICT (tenant_id, hour, execution_type, status) \
                     DO UPDATE SET number = number + excluded.number",
                    vec![
                        Bind::Text(tenant_id),
                        Bind::Integer(hour),
                        Bind::Text(execution_type),
                        Bind::Text(status),
                        Bind::Integer(number),
                    ],
                )
                .execute(inner)?;
            }
        },
        postgres: {
            let rows: Vec<(Key<'_>, i64)> = changes.into_iter().collect();
            let sql = "INSERT INTO execution_counts AS c (tenant_id, hour, execution_type, status, number) \
                 SELECT * FROM unnest(?, ?, ?, ?, ?) ON CONFLICT (tenant_id, hour, execution_type, status) \
                 DO UPDATE SET number = c.number + excluded.number";
            let columns = vec![
                texts(&rows, |((tenant_id, ..), _)| tenant_id),
                integers(&rows, |((_, hour, ..), _)| hour),
                texts(&rows, |((_, _, execution_type, _), _)| execution_type),
                texts(&rows, |((.., status), _)| status),
                integers(&rows, |(_, number)| number),
            ];
            ColumnStatement { sql, columns }.execute(inner)?;
        },
    });
    Ok(())
}

fn changes<'a>(placed: &[Placed<'a>]) -> BTreeMap<Key<'a>, i64> {
    let mut changes: BTreeMap<Key<'a>, i64> = BTreeMap::new();
    for Placed { append, .. } in placed {
        let (before, after) = (append.previous, append.projection.status);
        if before == Some(after) {
            continue;
        }
        let tenant_id = append.row.tenant_id.as_str();
        let (hour, kind) = (hour_of(append.subject.created_at), append.subject.execution_type.as_str());
        *changes.entry((tenant_id, hour, kind, after.as_str())).or_default() += 1;
        if let Some(before) = before {
            *changes.entry((tenant_id, hour, kind, before.as_str())).or_default() -= 1;
        }
    }
    changes.retain(|_, number| *number != 0);
    changes
}

/// How many of a tenant's executions have one of these statuses (none means all) and this type.
pub(super) fn total(
    connection: &mut AnyConnection,
    tenant_id: &str,
    statuses: &[Status],
    execution_type: Option<ExecutionType>,
) -> Result<u64, Error> {
    let sql = "SELECT execution_type, status, SUM(number)::bigint AS number FROM execution_counts \
         WHERE tenant_id = ? GROUP BY execution_type, status";
    let sql = match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT execution_type, status, SUM(number) AS number FROM execution_counts \
             WHERE tenant_id = ? GROUP BY execution_type, status"
        }
        AnyConnection::Postgres(_) => sql,
    };
    let rows = Statement::new(sql, vec![Bind::Text(tenant_id)]).load::<TotalRow>(connection)?;
    let mut total = 0_i64;
    for row in rows {
        let (kind, status): (ExecutionType, Status) =
            (word("execution type", &row.execution_type)?, word("status", &row.status)?);
        if execution_type.is_none_or(|wanted| wanted == kind) && (statuses.is_empty() || statuses.contains(&status)) {
            total = total.saturating_add(row.number);
        }
    }
    natural("count", total)
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = Text)]
    execution_type: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How many executions of a type that were created in an hour have a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// The beginning of the hour.
    pub hour: Timestamp,
    pub execution_type: ExecutionType,
    pub status: Status,
    pub number: u64,
}

/// The counts of the hours from that of `since` on, in their order.
pub(super) fn since(connection: &mut AnyConnection, tenant_id: &str, since: Timestamp) -> Result<Vec<Count>, Error> {
    execution_counts::table
        .filter(execution_counts::tenant_id.eq(tenant_id))
        .filter(execution_counts::hour.ge(hour_of(since)).and(execution_counts::number.gt(0)))
        .order((execution_counts::hour, execution_counts::execution_type, execution_counts::status))
        .select((
            execution_counts::hour,
            execution_counts::execution_type,
            execution_counts::status,
            execution_counts::number,
        ))
        .load::<(i64, String, String, i64)>(connection)?
        .into_iter()
        .map(|(hour, execution_type, status, number)| {
            Ok(Count {
                hour: Timestamp::from_micros(hour.saturating_mul(HOUR_US)),
                execution_type: word("execution type", &execution_type)?,
                status: word("status", &status)?,
                number: natural("count", number)?,
            })
        })
        .collect()
}
