//! The rows of a batch on PostgreSQL: one statement per table however many appends there are, fed with arrays.
//!
//! No execution occurs twice in a batch (the writer sees to it): an `UPDATE … FROM` would take only one of the two.

use super::Error;
use super::append::{Append, Create};
use super::batch::Placed;
use super::blobs::Stored;
use super::column_types::integer;
use super::derived::UsageRow;
use super::statement::{parts, without_nul};
use crate::domain::Status;
use crate::domain::quota::Bound;
use diesel::PgConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Untyped};
use std::collections::HashSet;

/// Returns the places of those whose execution row could not be inserted or updated.
pub(super) fn write_rows(connection: &mut PgConnection, placed: &[Placed<'_>]) -> Result<Vec<usize>, Error> {
    let created: Vec<(&Placed<'_>, &Create)> =
        placed.iter().filter_map(|one| Some((one, one.append.create.as_deref()?))).collect();
    let continued: Vec<&Placed<'_>> = placed.iter().filter(|one| one.append.create.is_none()).collect();
    let mut written = HashSet::with_capacity(placed.len());
    if !created.is_empty() {
        written.extend(insert_executions(&created).load::<Written>(connection)?.into_iter().map(|row| row.id));
    }
    if !continued.is_empty() {
        written.extend(update_executions(&continued).load::<Written>(connection)?.into_iter().map(|row| row.id));
    }
    let (journaled, unwritten): (Vec<_>, Vec<_>) =
        placed.iter().enumerate().partition(|(_, one)| written.contains(&one.append.row.execution_id));
    if unwritten.is_empty() {
        insert_journal(&journaled.into_iter().map(|(_, one)| one).collect::<Vec<_>>()).execute(connection)?;
        let used = |one: &Placed<'_>| !one.append.usages.is_empty();
        if placed.iter().any(used) {
            insert_usages(placed).execute(connection)?;
        }
    }
    Ok(unwritten.into_iter().map(|(index, _)| index).collect())
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    id: String,
}

/// A column of values.
pub(super) enum Column<'a> {
    Texts(Vec<&'a str>),
    OptionalTexts(Vec<Option<&'a str>>),
    Integers(Vec<i64>),
    OptionalIntegers(Vec<Option<i64>>),
    OptionalDoubles(Vec<Option<f64>>),
    Bools(Vec<bool>),
}

/// SQL with a `?` for each column of values.
pub(super) struct ColumnStatement<'a> {
    pub sql: &'static str,
    pub columns: Vec<Column<'a>>,
}

impl QueryId for ColumnStatement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for ColumnStatement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for ColumnStatement<'_> {}

impl QueryFragment<Pg> for ColumnStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut columns = self.columns.iter();
        for (index, part) in parts(self.sql).enumerate() {
            if index > 0 {
                match columns.next() {
                    Some(Column::Texts(values)) => {
                        values.iter().try_for_each(|text| without_nul(text).map(|_| ()))?;
                        out.push_bind_param::<Array<Text>, _>(values)?;
                    }
                    Some(Column::OptionalTexts(values)) => {
                        values.iter().flatten().try_for_each(|text| without_nul(text).map(|_| ()))?;
                        out.push_bind_param::<Array<Nullable<Text>>, _>(values)?;
                    }
                    Some(Column::Integers(values)) => out.push_bind_param::<Array<BigInt>, _>(values)?,
                    Some(Column::OptionalIntegers(values)) => {
                        out.push_bind_param::<Array<Nullable<BigInt>>, _>(values)?;
                    }
                    Some(Column::OptionalDoubles(values)) => {
                        out.push_bind_param::<Array<Nullable<Double>>, _>(values)?;
                    }
                    Some(Column::Bools(values)) => out.push_bind_param::<Array<Bool>, _>(values)?,
                    None => {
                        let reason = format!("the statement lacks a column: {}", self.sql);
                        return Err(diesel::result::Error::QueryBuilderError(reason.into()));
                    }
                }
            }
            out.push_sql(part);
        }
        Ok(())
    }
}

pub(super) fn texts<'a, T: Copy>(rows: &[T], value: impl Fn(T) -> &'a str) -> Column<'a> {
    Column::Texts(rows.iter().map(|row| value(*row)).collect())
}

pub(super) fn optional_texts<'a, T: Copy>(rows: &[T], value: impl Fn(T) -> Option<&'a str>) -> Column<'a> {
    Column::OptionalTexts(rows.iter().map(|row| value(*row)).collect())
}

pub(super) fn integers<'a, T: Copy>(rows: &[T], value: impl Fn(T) -> i64) -> Column<'a> {
    Column::Integers(rows.iter().map(|row| value(*row)).collect())
}

fn optional_integers<'a, T: Copy>(rows: &[T], value: impl Fn(T) -> Option<i64>) -> Column<'a> {
    Column::OptionalIntegers(rows.iter().map(|row| value(*row)).collect())
}

/// The columns that change, in the order in which both statements below name them.
fn projection_columns<'a, T: Copy>(rows: &[T], placed: impl Fn(T) -> Placed<'a>) -> Vec<Column<'a>> {
    let append = |row: T| -> &'a Append { placed(row).append };
    let projection = |row: T| &append(row).projection;
    vec![
        texts(rows, |row| projection(row).status.as_str()),
        optional_texts(rows, |row| append(row).row.output.as_ref().map(Stored::column)),
        optional_texts(rows, |row| append(row).row.error.as_deref()),
        integers(rows, |row| i64::from(projection(row).progress.completed_tasks)),
        integers(rows, |row| i64::from(projection(row).progress.known_tasks)),
        integers(rows, |row| i64::from(projection(row).restarts)),
        optional_texts(rows, |row| projection(row).last_crash.as_deref()),
        optional_integers(rows, |row| projection(row).recovered_in_ms.map(integer)),
        integers(rows, |row| integer(append(row).row.last_seq)),
        integers(rows, |row| integer(placed(row).last_position())),
        optional_integers(rows, |row| projection(row).wake_at.map(|at| at.as_micros())),
        optional_integers(rows, |row| projection(row).started_at.map(|at| at.as_micros())),
        optional_integers(rows, |row| projection(row).finished_at.map(|at| at.as_micros())),
        integers(rows, |row| projection(row).updated_at.as_micros()),
        optional_texts(rows, |row| projection(row).pause_reason.as_deref()),
        optional_texts(rows, |row| projection(row).pause_limit.map(Bound::as_str)),
        texts(rows, |row| &append(row).row.tenant_id),
        texts(rows, |row| &append(row).row.execution_id),
        integers(rows, |row| i64::from(append(row).epoch)),
    ]
}

fn insert_executions<'a>(created: &[(&Placed<'a>, &'a Create)]) -> ColumnStatement<'a> {
    let rows: Vec<(Placed<'a>, &'a Create)> = created.iter().map(|(placed, create)| (**placed, *create)).collect();
    let mut columns = projection_columns(&rows, |(placed, _)| placed);
    columns.extend([
        integers(&rows, |(placed, _)| integer(placed.first_position)),
        texts(&rows, |(placed, _)| placed.append.subject.execution_type.as_str()),
        optional_texts(&rows, |(_, create)| create.workflow_id.as_deref()),
        texts(&rows, |(placed, _)| &placed.append.subject.namespace),
        texts(&rows, |(placed, _)| &placed.append.subject.name),
        optional_texts(&rows, |(_, create)| create.agent_id.as_deref()),
        optional_texts(&rows, |(placed, _)| placed.append.subject.project_id.as_deref()),
        optional_texts(&rows, |(_, create)| create.parent_execution_id.as_deref()),
        optional_texts(&rows, |(placed, _)| placed.append.subject.created_by.as_deref()),
        integers(&rows, |(_, create)| i64::from(create.priority)),
        texts(&rows, |(_, create)| &create.creation),
        texts(&rows, |(_, create)| create.input.column()),
        integers(&rows, |(_, create)| create.created_at.as_micros()),
    ]);
    let sql = "INSERT INTO executions (status, output, error, completed_tasks, known_tasks, restarts, last_crash, \
         recovered_in_ms, last_seq, last_position, wake_at, started_at, finished_at, updated_at, pause_reason, pause_limit, tenant_id, id, attempt, \
         created_position, execution_type, workflow_id, namespace, name, agent_id, project_id, parent_execution_id, \
         created_by, priority, creation, input, created_at) \
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id";
    ColumnStatement { sql, columns }
}

/// Finds only rows whose epoch is current, status open and sequence unbroken. The status is compared as an expression, so that
/// no index of statuses is taken for the one of ids.
fn update_executions<'a>(continued: &[&Placed<'a>]) -> ColumnStatement<'a> {
    let rows: Vec<Placed<'a>> = continued.iter().map(|placed| **placed).collect();
    let mut columns = projection_columns(&rows, |placed| placed);
    columns.push(integers(&rows, |placed| integer(placed.append.row.first_seq) - 1));
    columns.push(optional_texts(&rows, |placed| placed.append.previous.map(Status::as_str)));
    let sql = "UPDATE executions AS e SET status = v.status, output = v.output, error = v.error, \
         completed_tasks = v.completed_tasks, known_tasks = v.known_tasks, restarts = v.restarts, \
         last_crash = v.last_crash, recovered_in_ms = v.recovered_in_ms, last_seq = v.last_seq, \
         last_position = v.last_position, wake_at = v.wake_at, started_at = v.started_at, finished_at = v.finished_at, \
         updated_at = v.updated_at, pause_reason = v.pause_reason, pause_limit = v.pause_limit \
         FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS v (status, output, error, \
         completed_tasks, known_tasks, restarts, last_crash, recovered_in_ms, last_seq, last_position, wake_at, \
         started_at, finished_at, updated_at, pause_reason, pause_limit, tenant_id, id, attempt, previous_seq, previous) \
         WHERE e.tenant_id = v.tenant_id AND e.id = v.id AND e.attempt = v.attempt AND e.last_seq = v.previous_seq \
         AND e.status || '' = v.previous AND e.status NOT IN ('succeeded', 'failed', 'cancelled') RETURNING e.id AS id";
    ColumnStatement { sql, columns }
}

fn insert_journal<'a>(placed: &[&Placed<'a>]) -> ColumnStatement<'a> {
    let rows: Vec<Placed<'a>> = placed.iter().map(|placed| **placed).collect();
    let columns = vec![
        integers(&rows, |placed| integer(placed.last_position())),
        texts(&rows, |placed| &placed.append.row.tenant_id),
        texts(&rows, |placed| &placed.append.row.execution_id),
        integers(&rows, |placed| integer(placed.append.row.first_seq)),
        integers(&rows, |placed| integer(placed.append.row.last_seq)),
        texts(&rows, |placed| placed.append.row.events.column()),
    ];
    let sql = "INSERT INTO journal (position, tenant_id, execution_id, first_seq, last_seq, events) \
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?)";
    ColumnStatement { sql, columns }
}

/// The model calls of all appends.
fn insert_usages<'a>(placed: &[Placed<'a>]) -> ColumnStatement<'a> {
    let rows: Vec<(&'a Append, &'a UsageRow)> =
        placed.iter().flat_map(|one| one.append.usages.iter().map(|usage| (one.append, usage))).collect();
    let columns = vec![
        texts(&rows, |(append, _)| &append.row.execution_id),
        integers(&rows, |(_, row)| integer(row.seq)),
        texts(&rows, |(append, _)| &append.row.tenant_id),
        optional_texts(&rows, |(_, row)| row.task.as_deref()),
        integers(&rows, |(_, row)| i64::from(row.attempt)),
        optional_texts(&rows, |(_, row)| row.agent_id.as_deref()),
        texts(&rows, |(_, row)| &row.usage.provider),
        texts(&rows, |(_, row)| &row.usage.model),
        integers(&rows, |(_, row)| integer(row.usage.input_tokens)),
        integers(&rows, |(_, row)| integer(row.usage.cached_input_tokens)),
        integers(&rows, |(_, row)| integer(row.usage.output_tokens)),
        integers(&rows, |(_, row)| integer(row.usage.reasoning_tokens)),
        Column::OptionalDoubles(rows.iter().map(|(_, row)| row.usage.cost_usd).collect()),
        integers(&rows, |(_, row)| integer(row.usage.latency_ms)),
        integers(&rows, |(_, row)| row.at.as_micros()),
        texts(&rows, |(_, row)| &row.root),
        optional_texts(&rows, |(_, row)| row.path.as_deref()),
        optional_texts(&rows, |(_, row)| row.prices.as_deref()),
        texts(&rows, |(_, row)| row.usage.outcome.as_str()),
        Column::Bools(rows.iter().map(|(_, row)| row.usage.is_estimated).collect()),
    ];
    let sql = "INSERT INTO usage_records (execution_id, seq, tenant_id, task, attempt, agent_id, provider, model, \
         input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd, latency_ms, at, root_execution_id, \
         path, prices, outcome, is_estimated) \
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    ColumnStatement { sql, columns }
}
