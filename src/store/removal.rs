//! Deleting executions, a little at a time, so that no writer ever waits long.
//!
//! First the row of an execution goes, and with it the execution for everybody who reads; a note in `removed_executions`
//! takes its place. Then journal and logs follow in transactions of a bounded number of rows, and the note last. A service
//! that ends in between finds the note after its next start. Usage records stay: they are the accounts.
//!
//! Blobs go with the last value that refers to them. Whoever refers to blobs is named in [`forget_blob`].

use super::column_types::word;
use super::connection::AnyConnection;
use super::schema::{
    continued_executions, execution_budgets, execution_labels, executions, idempotency_keys, removed_executions,
    snapshots,
};
use super::statement::{Bind, Statement};
use super::{Error, Idempotency, Store, watermark};
use crate::domain::{ExecutionId, Status, TenantId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::Deserialize;

/// What [`Store::remove_executions`] and [`Store::sweep_removed`] leave nothing in, of all tables that name an execution.
/// The others keep what they have: usage records are the accounts.
pub const EXECUTION_TABLES: &[&str] = &[
    "continued_executions",
    "execution_budgets",
    "execution_labels",
    "idempotency_keys",
    "journal",
    "logs",
    "removed_executions",
    "snapshots",
];

/// A blob counts as this many rows: it may be large.
const BLOB_WEIGHT: usize = 20;
/// Executions whose rest is deleted at a time.
const EXECUTIONS_PER_SWEEP: i64 = 64;

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows deleted, a blob counted as several.
    pub rows: usize,
    pub blobs: usize,
    /// Whether there is more to do.
    pub more: bool,
}

impl Store {
    /// Takes finished executions away, in one transaction, and returns how many there were; open and unknown ones are left
    /// alone. What they leave behind is deleted by [`Store::sweep_removed`].
    pub async fn remove_executions(&self, tenant_id: TenantId, ids: Vec<ExecutionId>) -> Result<usize, Error> {
        self.write(move |connection| {
            let tenant_id = tenant_id.to_string();
            watermark::keep_position(connection)?;
            let mut removed = 0;
            for id in ids {
                removed += usize::from(remove(connection, &tenant_id, &id.to_string())?);
            }
            Ok(removed)
        })
        .await
    }

    /// Deletes at most about `rows` rows of journals and logs whose execution has been taken away, in one transaction.
    pub async fn sweep_removed(&self, rows: usize) -> Result<Swept, Error> {
        // Most of the time there is nothing to do, and then the writer is not bothered.
        let is_clean = self.read(|connection| Ok(noted(connection, 1)?.is_empty())).await?;
        if is_clean {
            return Ok(Swept::default());
        }
        self.write(move |connection| sweep(connection, rows)).await
    }

    /// The first `limit` finished executions of a tenant, in no particular order.
    pub async fn finished_executions(&self, tenant_id: TenantId, limit: u32) -> Result<Vec<ExecutionId>, Error> {
        self.read(move |connection| executions_by(connection, &tenant_id.to_string(), true, limit)).await
    }

    /// The first `limit` executions of a tenant that have not ended, in no particular order.
    pub async fn open_executions(&self, tenant_id: TenantId, limit: u32) -> Result<Vec<ExecutionId>, Error> {
        self.read(move |connection| executions_by(connection, &tenant_id.to_string(), false, limit)).await
    }
}

fn executions_by(
    connection: &mut AnyConnection,
    tenant_id: &str,
    is_finished: bool,
    limit: u32,
) -> Result<Vec<ExecutionId>, Error> {
    let statuses = Status::ALL.iter().filter(|status| status.is_terminal() == is_finished);
    let ids = executions::table
        .filter(executions::status.eq_any(statuses.map(|status| status.as_str())))
        .filter(executions::tenant_id.eq(tenant_id))
        .limit(i64::from(limit))
        .select(executions::id)
        .load::<String>(connection)?;
    ids.iter().map(|id| word("id", id)).collect()
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Text)]
    creation: String,
    #[diesel(sql_type = Nullable<Text>)]
    input: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    output: Option<String>,
}

/// The part of a creation that leads to other rows.
#[derive(Deserialize)]
struct Leads {
    #[serde(default)]
    idempotency_key: Option<String>,
    #[serde(default)]
    created_by: Option<String>,
}

fn remove(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<bool, Error> {
    let taken: Option<Taken> = Statement::new(
        "SELECT creation, CASE WHEN substr(input, 1, 7) = 'sha256:' THEN input END AS input, \
         CASE WHEN substr(output, 1, 7) = 'sha256:' THEN output END AS output FROM executions \
         WHERE tenant_id = ? AND id = ? AND status IN ('succeeded', 'failed', 'cancelled')",
        vec![Bind::Text(tenant_id), Bind::Text(id)],
    )
    .get_result(connection)
    .optional()?;
    let Some(taken) = taken else { return Ok(false) };
    let own = executions::tenant_id.eq(tenant_id).and(executions::id.eq(id));
    diesel::delete(executions::table.filter(own)).execute(connection)?;
    let own = execution_labels::tenant_id.eq(tenant_id).and(execution_labels::execution_id.eq(id));
    diesel::delete(execution_labels::table.filter(own)).execute(connection)?;
    diesel::delete(continued_executions::table.find((tenant_id, id))).execute(connection)?;
    diesel::delete(execution_budgets::table.filter(execution_budgets::execution_id.eq(id))).execute(connection)?;
    diesel::delete(snapshots::table.filter(snapshots::execution_id.eq(id))).execute(connection)?;
    // A creation that cannot be read leads nowhere; its key expires by itself.
    let leads = serde_json::from_str::<Leads>(&taken.creation).ok();
    if let Some(Leads { idempotency_key: Some(shown), created_by }) = leads {
        let stored = Idempotency::stored_key(&created_by.unwrap_or_default(), &shown);
        let own = idempotency_keys::table
            .filter(idempotency_keys::tenant_id.eq(tenant_id))
            .filter(idempotency_keys::idempotency_key.eq_any([stored, shown]))
            .filter(idempotency_keys::execution_id.eq(id));
        diesel::delete(own).execute(connection)?;
    }
    Statement::new(
        "INSERT INTO removed_executions (execution_id, tenant_id) VALUES (?, ?) ON CONFLICT (execution_id) DO NOTHING",
        vec![Bind::Text(id), Bind::Text(tenant_id)],
    )
    .execute(connection)?;
    for reference in [taken.input, taken.output].into_iter().flatten() {
        forget_blob(connection, &reference)?;
    }
    Ok(true)
}

fn noted(connection: &mut AnyConnection, limit: i64) -> Result<Vec<String>, Error> {
    let ids = removed_executions::table.select(removed_executions::execution_id).limit(limit);
    Ok(ids.load::<String>(connection)?)
}

fn sweep(connection: &mut AnyConnection, rows: usize) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    let ids = noted(connection, EXECUTIONS_PER_SWEEP)?;
    for id in ids {
        let is_done =
            sweep_journal(connection, &id, rows, &mut swept)? && sweep_logs(connection, &id, rows, &mut swept)?;
        if !is_done {
            swept.more = true;
            return Ok(swept);
        }
        diesel::delete(removed_executions::table.find(&id)).execute(connection)?;
        swept.rows += 1;
    }
    swept.more = !noted(connection, 1)?.is_empty();
    Ok(swept)
}

#[derive(QueryableByName)]
struct JournalRow {
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
    #[diesel(sql_type = Nullable<Text>)]
    reference: Option<String>,
}

/// Whether nothing is left.
fn sweep_journal(connection: &mut AnyConnection, id: &str, rows: usize, swept: &mut Swept) -> Result<bool, Error> {
    let room = rows.saturating_sub(swept.rows);
    if room == 0 {
        return Ok(false);
    }
    let found: Vec<JournalRow> = Statement::new(
        "SELECT last_seq, CASE WHEN substr(events, 1, 7) = 'sha256:' THEN events END AS reference FROM journal \
         WHERE execution_id = ? ORDER BY last_seq LIMIT ?",
        vec![Bind::Text(id), Bind::Integer(i64::try_from(room).unwrap_or(i64::MAX))],
    )
    .load(connection)?;
    let mut weight = 0;
    let mut taken: Vec<&JournalRow> = Vec::with_capacity(found.len());
    for row in &found {
        if weight >= room {
            break;
        }
        weight += if row.reference.is_some() { BLOB_WEIGHT } else { 1 };
        taken.push(row);
    }
    let Some(last) = taken.last() else { return Ok(true) };
    Statement::new(
        "DELETE FROM journal WHERE execution_id = ? AND last_seq <= ?",
        vec![Bind::Text(id), Bind::Integer(last.last_seq)],
    )
    .execute(connection)?;
    for reference in taken.iter().filter_map(|row| row.reference.as_ref()) {
        swept.blobs += usize::from(forget_blob(connection, reference)?);
    }
    let is_done = taken.len() == found.len() && found.len() < room;
    swept.rows += weight;
    Ok(is_done)
}

/// Whether nothing is left.
fn sweep_logs(connection: &mut AnyConnection, id: &str, rows: usize, swept: &mut Swept) -> Result<bool, Error> {
    let room = rows.saturating_sub(swept.rows);
    if room == 0 {
        return Ok(false);
    }
    let deleted = Statement::new(
        "DELETE FROM logs WHERE execution_id = ? AND n IN (SELECT n FROM logs WHERE execution_id = ? ORDER BY n LIMIT ?)",
        vec![Bind::Text(id), Bind::Text(id), Bind::Integer(i64::try_from(room).unwrap_or(i64::MAX))],
    )
    .execute(connection)?;
    swept.rows += deleted;
    Ok(deleted < room)
}

/// Deletes a blob unless something still refers to it. Blobs belong to no tenant: equal values share one.
fn forget_blob(connection: &mut AnyConnection, reference: &str) -> Result<bool, Error> {
    let forgotten = Statement::new(
        "DELETE FROM blobs WHERE digest = ? \
         AND NOT EXISTS (SELECT 1 FROM journal WHERE substr(events, 1, 7) = 'sha256:' AND events = ?) \
         AND NOT EXISTS (SELECT 1 FROM executions WHERE substr(input, 1, 7) = 'sha256:' AND input = ?) \
         AND NOT EXISTS (SELECT 1 FROM executions WHERE substr(output, 1, 7) = 'sha256:' AND output = ?)",
        vec![Bind::Text(reference); 4],
    )
    .execute(connection)?;
    Ok(forgotten > 0)
}
