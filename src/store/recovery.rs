//! Taking over executions: raising the ownership epoch, so that whoever owned one before can no longer write, and reading
//! what its state is rebuilt from.

use super::column_types::{integer, json, natural, small, word};
use super::connection::AnyConnection;
use super::schema::executions;
use super::statement::{Bind, Statement};
use super::{Error, Snapshot, Store, history};
use crate::domain::{Creation, Event, Execution, ExecutionId, ParentLink, Status, TenantId, Timestamp};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// Ids in one `IN` list.
const IDS_PER_READ: usize = 500;

/// What an execution is rebuilt from.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// With the epoch that its appends must carry.
    pub execution: Execution,
    pub snapshot: Option<Snapshot>,
    /// The events after the snapshot; all of them when there is none.
    pub tail: Vec<Event>,
}

/// An execution that is not terminal, as it is found at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenExecution {
    pub tenant_id: TenantId,
    pub id: ExecutionId,
    pub status: Status,
    /// The epoch that its appends must carry.
    pub attempt: u32,
    pub priority: u8,
    pub created_at: Timestamp,
    /// Not to be started before this instant.
    pub start_at: Option<Timestamp>,
    pub wake_at: Option<Timestamp>,
    pub last_seq: u64,
    /// Of a child.
    pub parent: Option<ParentLink>,
    /// Whether it waits although a child of it has finished: it may have missed that.
    pub child_finished: bool,
}

impl Store {
    /// Makes the caller the owner of an execution and reads what it is rebuilt from.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Terminal`].
    pub async fn claim(&self, tenant_id: TenantId, id: ExecutionId) -> Result<Claimed, Error> {
        self.write(move |connection| raise_epoch(connection, tenant_id, id)).await?;
        self.load(tenant_id, id).await
    }

    /// All events of an execution after `after_seq`: what remains when a snapshot cannot be used.
    pub async fn events(&self, tenant_id: TenantId, id: ExecutionId, after_seq: u64) -> Result<Vec<Event>, Error> {
        self.read(move |connection| history::events(connection, tenant_id, id, after_seq)).await
    }

    /// At start: becomes the owner of everything that is not terminal, of all tenants, and lists it by age. What had been
    /// started has been restarted, for the reason that `crash` gives, and came back `recovered_in_ms` after that.
    pub async fn claim_open(&self, crash: &'static str, recovered_in_ms: u64) -> Result<Vec<OpenExecution>, Error> {
        self.write(move |connection| {
            connection.run("UPDATE executions SET attempt = attempt + 1 WHERE status = 'pending'")?;
            Statement::new(
                "UPDATE executions SET attempt = attempt + 1, restarts = restarts + 1, last_crash = ?, recovered_in_ms = ? \
                 WHERE status IN ('running', 'waiting', 'paused')",
                vec![Bind::Text(crash), Bind::Integer(integer(recovered_in_ms))],
            )
            .execute(connection)?;
            let mut open = open_executions(connection)?;
            mark_finished_children(connection, &mut open)?;
            Ok(open)
        })
        .await
    }
}

/// Everything that is not terminal, oldest first. Each status is asked for alone: its index finds what little there is, where
/// all of them together, in order, may make the database read everything that was ever stored.
fn open_executions(connection: &mut AnyConnection) -> Result<Vec<OpenExecution>, Error> {
    let mut rows: Vec<OpenRow> = Vec::new();
    for status in Status::ALL.iter().filter(|status| !status.is_terminal()) {
        let of_status = executions::table.filter(executions::status.eq(status.as_str())).select((
            executions::created_position,
            executions::tenant_id,
            executions::id,
            executions::status,
            executions::attempt,
            executions::priority,
            executions::created_at,
            executions::creation,
            executions::wake_at,
            executions::last_seq,
        ));
        rows.extend(of_status.load::<OpenRow>(connection)?);
    }
    rows.sort_unstable_by_key(|row| row.0);
    let mut open = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.2.clone();
        match open_execution(row) {
            Ok(execution) => open.push(execution),
            // It is left as it is; all others go on.
            Err(error) => tracing::error!(execution_id = id, %error, "an open execution cannot be taken over"),
        }
    }
    Ok(open)
}

type OpenRow = (i64, String, String, String, i64, i64, i64, String, Option<i64>, i64);

fn open_execution(row: OpenRow) -> Result<OpenExecution, Error> {
    let (_, tenant_id, id, status, attempt, priority, created_at, creation, wake_at, last_seq) = row;
    let creation: Creation = json("creation", &creation)?;
    Ok(OpenExecution {
        tenant_id: word("tenant id", &tenant_id)?,
        id: word("id", &id)?,
        status: word("status", &status)?,
        attempt: small("attempt", attempt)?,
        priority: u8::try_from(priority).map_err(|error| Error::corrupt("priority", error))?,
        created_at: Timestamp::from_micros(created_at),
        start_at: creation.start_at,
        wake_at: wake_at.map(Timestamp::from_micros),
        last_seq: natural("last_seq", last_seq)?,
        parent: creation.parent,
        child_finished: false,
    })
}

fn mark_finished_children(connection: &mut AnyConnection, open: &mut [OpenExecution]) -> Result<(), Error> {
    // By tenant: the index of parents begins with it.
    let mut parents: BTreeMap<TenantId, Vec<String>> = BTreeMap::new();
    for execution in open.iter().filter(|one| matches!(one.status, Status::Waiting | Status::Paused)) {
        parents.entry(execution.tenant_id).or_default().push(execution.id.to_string());
    }
    let mut missed = HashSet::new();
    for (tenant_id, parents) in parents {
        let tenant_id = tenant_id.to_string();
        for chunk in parents.chunks(IDS_PER_READ) {
            let found = executions::table
                .filter(executions::tenant_id.eq(&tenant_id))
                .filter(executions::parent_execution_id.is_not_null())
                .filter(executions::parent_execution_id.eq_any(chunk))
                .select((executions::parent_execution_id, executions::status))
                .distinct()
                .load::<(Option<String>, String)>(connection)?;
            for (parent, status) in found {
                let status: Status = word("status", &status)?;
                missed.extend(parent.filter(|_| status.is_terminal()));
            }
        }
    }
    for execution in open {
        execution.child_finished = missed.contains(&execution.id.to_string());
    }
    Ok(())
}

fn raise_epoch(connection: &mut AnyConnection, tenant_id: TenantId, id: ExecutionId) -> Result<(), Error> {
    let (tenant_id, id) = (tenant_id.to_string(), id.to_string());
    let raised = Statement::new(
        "UPDATE executions SET attempt = attempt + 1 \
         WHERE tenant_id = ? AND id = ? AND status NOT IN ('succeeded', 'failed', 'cancelled')",
        vec![Bind::Text(&tenant_id), Bind::Text(&id)],
    )
    .execute(connection)?;
    if raised > 0 {
        return Ok(());
    }
    let status = executions::table
        .filter(executions::tenant_id.eq(&tenant_id).and(executions::id.eq(&id)))
        .select(executions::status)
        .first::<String>(connection)?;
    Err(Error::Terminal { status: word("status", &status)? })
}
