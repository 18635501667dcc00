//! The rows of one batch of appends, inside the writer's transaction.
//!
//! Nothing here decides alone: an append that must be refused is reported, and the writer runs the batch again without it.
//! That keeps the common path free of savepoints and checks, and positions free of gaps.

use super::append::{Append, Snapshot};
use super::backend::on_backend;
use super::blobs::{self, Stored};
use super::column_types::{integer, word};
use super::connection::AnyConnection;
use super::idempotency::Idempotency;
use super::schema::{executions, idempotency_keys};
use super::statement::{Bind, Statement};
use super::{Error, audit, batch_postgres, batch_sqlite, budgets, continuing, counts};
use crate::domain::{ExecutionId, Status};
use diesel::prelude::*;

/// How long an idempotency key is remembered.
pub(super) const IDEMPOTENCY_LIFE_US: i64 = 24 * 60 * 60 * 1_000_000;

/// An append with its place in the store's order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    pub append: &'a Append,
    /// Which of the waiting appends it belongs to: itself, or the parent that brings it along.
    pub owner: usize,
    pub first_position: u64,
}

impl Placed<'_> {
    pub fn last_position(&self) -> u64 {
        self.first_position + (self.append.row.last_seq - self.append.row.first_seq)
    }
}

/// A waiting append that cannot be written, and why.
#[derive(Debug)]
pub(super) struct Refused {
    pub owner: usize,
    pub error: Error,
}

/// Puts appends and their children in order, from `next_position` on.
pub(super) fn place<'a>(
    appends: impl IntoIterator<Item = (usize, &'a Append)>,
    mut next_position: u64,
) -> Vec<Placed<'a>> {
    let mut placed = Vec::new();
    for (owner, append) in appends {
        place_one(append, owner, &mut next_position, &mut placed);
    }
    placed
}

fn place_one<'a>(append: &'a Append, owner: usize, next_position: &mut u64, placed: &mut Vec<Placed<'a>>) {
    let one = Placed { append, owner, first_position: *next_position };
    *next_position = one.last_position() + 1;
    placed.push(one);
    for child in &append.children {
        place_one(child, owner, next_position, placed);
    }
}

/// Writes all rows of a batch. When anything is refused the transaction must not be committed.
pub(super) fn write(connection: &mut AnyConnection, placed: &[Placed<'_>]) -> Result<Vec<Refused>, Error> {
    let unwritten = on_backend!(connection, inner => {
        sqlite: batch_sqlite::write_rows(inner, placed),
        postgres: batch_postgres::write_rows(inner, placed),
    })?;
    let mut refused = Vec::new();
    for one in unwritten.into_iter().filter_map(|index| placed.get(index)) {
        refused.push(Refused { owner: one.owner, error: why_refused(connection, one.append)? });
    }
    for one in placed {
        if let Some(error) = write_rare_rows(connection, one)? {
            refused.push(Refused { owner: one.owner, error });
        }
    }
    if refused.is_empty() {
        counts::write(connection, placed)?;
    }
    Ok(refused)
}

/// Tells why the row of an append could not be inserted or updated.
fn why_refused(connection: &mut AnyConnection, append: &Append) -> Result<Error, Error> {
    if append.create.is_some() {
        return Ok(Error::AlreadyExists { id: append.execution_id });
    }
    let row = executions::table
        .filter(executions::tenant_id.eq(&append.row.tenant_id).and(executions::id.eq(&append.row.execution_id)))
        .select((executions::attempt, executions::status, executions::last_seq))
        .first::<(i64, String, i64)>(connection)
        .optional()?;
    let Some((attempt, status, last_seq)) = row else {
        return Ok(Error::NotFound);
    };
    let status: Status = word("status", &status)?;
    if attempt != i64::from(append.epoch) {
        let current = u32::try_from(attempt).unwrap_or(u32::MAX);
        return Ok(Error::StaleEpoch { given: append.epoch, current });
    }
    if status.is_terminal() {
        return Ok(Error::Terminal { status });
    }
    let last_seq = u64::try_from(last_seq).unwrap_or_default();
    Ok(Error::OutOfSequence { given: append.row.first_seq, last_seq })
}

/// What few appends carry. Returns the reason when the append must be refused.
fn write_rare_rows(connection: &mut AnyConnection, placed: &Placed<'_>) -> Result<Option<Error>, Error> {
    let append = placed.append;
    let now = append.projection.updated_at.as_micros();
    let input = append.create.as_ref().map(|create| &create.input);
    for stored in [Some(&append.row.events), append.row.output.as_ref(), input].into_iter().flatten() {
        if let Stored::Blob { reference, text } = stored {
            blobs::insert(reference, text, now).execute(connection)?;
        }
    }
    for path in &append.wasted {
        mark_wasted(append, path).execute(connection)?;
    }
    if let Some(budget) = &append.budget {
        budgets::write(&append.row.tenant_id, &append.row.execution_id, budget).execute(connection)?;
    }
    if let Some(snapshot) = &append.snapshot {
        write_snapshot(connection, append, snapshot)?;
    }
    for (path, seq) in &append.detached {
        Statement::new(
            "INSERT INTO detached_effects (execution_id, path, tenant_id, seq) VALUES (?, ?, ?, ?)",
            vec![
                Bind::Text(&append.row.execution_id),
                Bind::Text(path),
                Bind::Text(&append.row.tenant_id),
                Bind::Integer(integer(*seq)),
            ],
        )
        .execute(connection)?;
    }
    for entry in &append.audit {
        audit::add(connection, entry)?;
    }
    let Some(create) = &append.create else {
        return Ok(None);
    };
    if let Some(definition) = &create.definition {
        Statement::new(
            "INSERT INTO definitions (tenant_id, digest, json, source, created_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (tenant_id, digest) DO NOTHING",
            vec![
                Bind::Text(&append.row.tenant_id),
                Bind::Text(&definition.digest),
                Bind::Text(&definition.json),
                Bind::Text(&definition.source),
                Bind::Integer(now),
            ],
        )
        .execute(connection)?;
    }
    let place = (create.created_at.as_micros(), integer(placed.first_position));
    for (label, value) in &create.labels {
        insert_label(&append.row.tenant_id, &append.row.execution_id, place, label, value).execute(connection)?;
    }
    continuing::write(connection, append)?;
    match &create.idempotency {
        Some(idempotency) => write_idempotency(connection, append, idempotency, create.created_at.as_micros()),
        None => Ok(None),
    }
}

/// The statement that stores one label of the execution that was created at an instant (in microseconds) and a position.
pub(super) fn insert_label<'a>(
    tenant_id: &'a str,
    id: &'a str,
    (created_at, created_position): (i64, i64),
    label: &'a str,
    value: &'a str,
) -> Statement<'a> {
    Statement::new(
        "INSERT INTO execution_labels (tenant_id, label, value, created_at, created_position, execution_id) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, label, value, created_at, created_position) DO NOTHING",
        vec![
            Bind::Text(tenant_id),
            Bind::Text(label),
            Bind::Text(value),
            Bind::Integer(created_at),
            Bind::Integer(created_position),
            Bind::Text(id),
        ],
    )
}

fn write_snapshot(connection: &mut AnyConnection, append: &Append, snapshot: &Snapshot) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO snapshots (execution_id, tenant_id, seq, format, state) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (execution_id) DO UPDATE SET seq = excluded.seq, format = excluded.format, state = excluded.state",
        vec![
            Bind::Text(&append.row.execution_id),
            Bind::Text(&append.row.tenant_id),
            Bind::Integer(integer(snapshot.seq)),
            Bind::Integer(i64::from(snapshot.format)),
            Bind::Text(&snapshot.state),
        ],
    )
    .execute(connection)?;
    Ok(())
}

/// Nothing came of the calls of the task at a path and of those inside it.
fn mark_wasted<'a>(append: &'a Append, path: &'a str) -> Statement<'a> {
    Statement::new(
        "UPDATE usage_records SET outcome = 'wasted' WHERE execution_id = ? AND tenant_id = ? \
         AND (path = ? OR SUBSTR(path, 1, LENGTH(?) + 1) = ? || '/')",
        vec![
            Bind::Text(&append.row.execution_id),
            Bind::Text(&append.row.tenant_id),
            Bind::Text(path),
            Bind::Text(path),
            Bind::Text(path),
        ],
    )
}

/// Takes the key for this execution, unless it is taken and has not expired.
fn write_idempotency(
    connection: &mut AnyConnection,
    append: &Append,
    idempotency: &Idempotency,
    now: i64,
) -> Result<Option<Error>, Error> {
    let taken = Statement::new(
        "INSERT INTO idempotency_keys (tenant_id, idempotency_key, request_digest, execution_id, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, idempotency_key) DO UPDATE SET \
         request_digest = excluded.request_digest, execution_id = excluded.execution_id, response_status = NULL, \
         response_body = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at, made_id = NULL, \
         key_id = NULL, nonce = NULL, ciphertext = NULL \
         WHERE idempotency_keys.expires_at <= excluded.created_at",
        vec![
            Bind::Text(&append.row.tenant_id),
            Bind::Text(&idempotency.key),
            Bind::Text(&idempotency.request_digest),
            Bind::Text(&append.row.execution_id),
            Bind::Integer(now),
            Bind::Integer(now.saturating_add(IDEMPOTENCY_LIFE_US)),
        ],
    )
    .execute(connection)?;
    if taken > 0 {
        return Ok(None);
    }
    let (request_digest, execution_id) = idempotency_keys::table
        .find((&append.row.tenant_id, &idempotency.key))
        .select((idempotency_keys::request_digest, idempotency_keys::execution_id))
        .first::<(String, Option<String>)>(connection)?;
    let same_request = request_digest == idempotency.request_digest;
    let Some(execution_id) = execution_id else {
        let message = "the idempotency key was used for another kind of request".to_owned();
        return Ok(Some(Error::Conflict { message }));
    };
    let execution_id: ExecutionId = word("execution id", &execution_id)?;
    Ok(Some(Error::IdempotencyKeyUsed { execution_id, same_request }))
}
