//! The rows of a batch on SQLite: one prepared statement per row, which costs less than building a large one.

use super::Error;
use super::append::{Append, Create};
use super::batch::Placed;
use super::blobs::Stored;
use super::column_types::integer;
use super::derived::UsageRow;
use super::statement::{Bind, Statement};
use crate::domain::Status;
use crate::domain::quota::Bound;
use diesel::SqliteConnection;
use diesel::prelude::*;

/// Returns the places of those whose execution row could not be inserted or updated.
pub(super) fn write_rows(connection: &mut SqliteConnection, placed: &[Placed<'_>]) -> Result<Vec<usize>, Error> {
    let mut unwritten = Vec::new();
    for (index, one) in placed.iter().enumerate() {
        let written = match &one.append.create {
            Some(create) => insert_execution(one, create).execute(connection)?,
            None if is_plain_progress(one.append) => match update_progress(one).execute(connection)? {
                0 => update_execution(one).execute(connection)?,
                written => written,
            },
            None => update_execution(one).execute(connection)?,
        };
        if written == 0 {
            unwritten.push(index);
            continue;
        }
        insert_journal(one).execute(connection)?;
        for usage in &one.append.usages {
            insert_usage(one.append, usage).execute(connection)?;
        }
    }
    Ok(unwritten)
}

/// Whether the execution runs on, with nothing that an index knows about.
fn is_plain_progress(append: &Append) -> bool {
    let projection = &append.projection;
    projection.status == Status::Running
        && projection.wake_at.is_none()
        && projection.output.is_none()
        && projection.error.is_none()
        && projection.finished_at.is_none()
}

fn insert_execution<'a>(one: &Placed<'a>, create: &'a Create) -> Statement<'a> {
    let append = one.append;
    let (row, subject, projection) = (&append.row, &append.subject, &append.projection);
    Statement::new(
        "INSERT INTO executions (created_position, tenant_id, id, execution_type, status, workflow_id, namespace, name, \
         agent_id, project_id, parent_execution_id, created_by, priority, creation, input, output, error, \
         completed_tasks, known_tasks, attempt, restarts, last_crash, recovered_in_ms, last_seq, last_position, wake_at, \
         created_at, started_at, finished_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant_id, id) DO NOTHING",
        vec![
            Bind::Integer(integer(one.first_position)),
            Bind::Text(&row.tenant_id),
            Bind::Text(&row.execution_id),
            Bind::Text(subject.execution_type.as_str()),
            Bind::Text(projection.status.as_str()),
            Bind::OptionalText(create.workflow_id.as_deref()),
            Bind::Text(&subject.namespace),
            Bind::Text(&subject.name),
            Bind::OptionalText(create.agent_id.as_deref()),
            Bind::OptionalText(subject.project_id.as_deref()),
            Bind::OptionalText(create.parent_execution_id.as_deref()),
            Bind::OptionalText(subject.created_by.as_deref()),
            Bind::Integer(i64::from(create.priority)),
            Bind::Text(&create.creation),
            Bind::Text(create.input.column()),
            Bind::OptionalText(row.output.as_ref().map(Stored::column)),
            Bind::OptionalText(row.error.as_deref()),
            Bind::Integer(i64::from(projection.progress.completed_tasks)),
            Bind::Integer(i64::from(projection.progress.known_tasks)),
            Bind::Integer(i64::from(append.epoch)),
            Bind::Integer(i64::from(projection.restarts)),
            Bind::OptionalText(projection.last_crash.as_deref()),
            Bind::OptionalInteger(projection.recovered_in_ms.map(integer)),
            Bind::Integer(integer(row.last_seq)),
            Bind::Integer(integer(one.last_position())),
            Bind::OptionalInteger(projection.wake_at.map(|at| at.as_micros())),
            Bind::Integer(create.created_at.as_micros()),
            Bind::OptionalInteger(projection.started_at.map(|at| at.as_micros())),
            Bind::OptionalInteger(projection.finished_at.map(|at| at.as_micros())),
            Bind::Integer(projection.updated_at.as_micros()),
        ],
    )
}

/// Most appends: no indexed column is named, so that no index is touched. Finds nothing when one would change.
fn update_progress<'a>(one: &Placed<'a>) -> Statement<'a> {
    let append = one.append;
    let (row, projection) = (&append.row, &append.projection);
    Statement::new(
        "UPDATE executions SET completed_tasks = ?, known_tasks = ?, restarts = ?, last_crash = ?, recovered_in_ms = ?, \
         last_seq = ?, last_position = ?, started_at = ?, updated_at = ? \
         WHERE tenant_id = ? AND id = ? AND attempt = ? AND last_seq = ? AND status = 'running' AND wake_at IS NULL",
        vec![
            Bind::Integer(i64::from(projection.progress.completed_tasks)),
            Bind::Integer(i64::from(projection.progress.known_tasks)),
            Bind::Integer(i64::from(projection.restarts)),
            Bind::OptionalText(projection.last_crash.as_deref()),
            Bind::OptionalInteger(projection.recovered_in_ms.map(integer)),
            Bind::Integer(integer(row.last_seq)),
            Bind::Integer(integer(one.last_position())),
            Bind::OptionalInteger(projection.started_at.map(|at| at.as_micros())),
            Bind::Integer(projection.updated_at.as_micros()),
            Bind::Text(&row.tenant_id),
            Bind::Text(&row.execution_id),
            Bind::Integer(i64::from(append.epoch)),
            Bind::Integer(integer(row.first_seq) - 1),
        ],
    )
}

/// Finds nothing when the epoch is stale, the status terminal or the sequence broken.
fn update_execution<'a>(one: &Placed<'a>) -> Statement<'a> {
    let append = one.append;
    let (row, projection) = (&append.row, &append.projection);
    Statement::new(
        "UPDATE executions SET status = ?, output = ?, error = ?, completed_tasks = ?, known_tasks = ?, restarts = ?, \
         last_crash = ?, recovered_in_ms = ?, last_seq = ?, last_position = ?, wake_at = ?, started_at = ?, \
         finished_at = ?, updated_at = ?, pause_reason = ?, pause_limit = ? \
         WHERE tenant_id = ? AND id = ? AND attempt = ? AND last_seq = ? AND status = ? \
         AND status NOT IN ('succeeded', 'failed', 'cancelled')",
        vec![
            Bind::Text(projection.status.as_str()),
            Bind::OptionalText(row.output.as_ref().map(Stored::column)),
            Bind::OptionalText(row.error.as_deref()),
            Bind::Integer(i64::from(projection.progress.completed_tasks)),
            Bind::Integer(i64::from(projection.progress.known_tasks)),
            Bind::Integer(i64::from(projection.restarts)),
            Bind::OptionalText(projection.last_crash.as_deref()),
            Bind::OptionalInteger(projection.recovered_in_ms.map(integer)),
            Bind::Integer(integer(row.last_seq)),
            Bind::Integer(integer(one.last_position())),
            Bind::OptionalInteger(projection.wake_at.map(|at| at.as_micros())),
            Bind::OptionalInteger(projection.started_at.map(|at| at.as_micros())),
            Bind::OptionalInteger(projection.finished_at.map(|at| at.as_micros())),
            Bind::Integer(projection.updated_at.as_micros()),
            Bind::OptionalText(projection.pause_reason.as_deref()),
            Bind::OptionalText(projection.pause_limit.map(Bound::as_str)),
            Bind::Text(&row.tenant_id),
            Bind::Text(&row.execution_id),
            Bind::Integer(i64::from(append.epoch)),
            Bind::Integer(integer(row.first_seq) - 1),
            Bind::OptionalText(append.previous.map(Status::as_str)),
        ],
    )
}

fn insert_journal<'a>(one: &Placed<'a>) -> Statement<'a> {
    let row = &one.append.row;
    Statement::new(
        "INSERT INTO journal (position, tenant_id, execution_id, first_seq, last_seq, events) VALUES (?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Integer(integer(one.last_position())),
            Bind::Text(&row.tenant_id),
            Bind::Text(&row.execution_id),
            Bind::Integer(integer(row.first_seq)),
            Bind::Integer(integer(row.last_seq)),
            Bind::Text(row.events.column()),
        ],
    )
}

fn insert_usage<'a>(append: &'a Append, row: &'a UsageRow) -> Statement<'a> {
    let usage = &row.usage;
    Statement::new(
        "INSERT INTO usage_records (execution_id, seq, tenant_id, task, attempt, agent_id, provider, model, \
         input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd, latency_ms, at, root_execution_id, \
         path, prices, outcome, is_estimated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&append.row.execution_id),
            Bind::Integer(integer(row.seq)),
            Bind::Text(&append.row.tenant_id),
            Bind::OptionalText(row.task.as_deref()),
            Bind::Integer(i64::from(row.attempt)),
            Bind::OptionalText(row.agent_id.as_deref()),
            Bind::Text(&usage.provider),
            Bind::Text(&usage.model),
            Bind::Integer(integer(usage.input_tokens)),
            Bind::Integer(integer(usage.cached_input_tokens)),
            Bind::Integer(integer(usage.output_tokens)),
            Bind::Integer(integer(usage.reasoning_tokens)),
            Bind::OptionalDouble(usage.cost_usd),
            Bind::Integer(integer(usage.latency_ms)),
            Bind::Integer(row.at.as_micros()),
            Bind::Text(&row.root),
            Bind::OptionalText(row.path.as_deref()),
            Bind::OptionalText(row.prices.as_deref()),
            Bind::Text(usage.outcome.as_str()),
            Bind::Bool(usage.is_estimated),
        ],
    )
}
