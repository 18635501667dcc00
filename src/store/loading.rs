//! Reading what executions are rebuilt from, many of them together: after a restart thousands are wanted at once.
//!
//! Whoever comes first reads for all that wait by then. No more than [`AT_ONCE`] such reads run at the same time, so that
//! the other readers always find a free connection.

use super::column_types::{natural, small, word};
use super::connection::AnyConnection;
use super::executions::{self, Row};
use super::schema::{executions as table, snapshots};
use super::{Claimed, Error, Snapshot, Store, history};
use crate::domain::{ExecutionId, TenantId};
use diesel::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, oneshot};

/// Executions that are read together.
const CHUNK: usize = 50;
/// Reads at the same time.
const AT_ONCE: usize = 2;

type Answer = Result<Claimed, Error>;
type Wanted = (TenantId, ExecutionId, oneshot::Sender<Answer>);

/// Those who wait. Clones share them.
#[derive(Clone)]
pub(super) struct Loading {
    waiting: Arc<Mutex<Vec<Wanted>>>,
    turns: Arc<Semaphore>,
}

impl Default for Loading {
    fn default() -> Self {
        Self { waiting: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Loading {
    fn take(&self) -> Vec<Wanted> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(CHUNK);
        waiting.drain(..count).collect()
    }
}

impl Store {
    /// Reads what an execution is rebuilt from, without becoming its owner: for one that [`Store::claim_open`] gave, and
    /// for a finished one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn load(&self, tenant_id: TenantId, id: ExecutionId) -> Result<Claimed, Error> {
        let (sender, mut answer) = oneshot::channel();
        self.loading.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((tenant_id, id, sender));
        let broken_off = |_| Error::unavailable("the read was broken off");
        loop {
            let _turn = tokio::select! {
                biased;
                answer = &mut answer => return answer.map_err(broken_off)?,
                turn = self.loading.turns.acquire() => turn.map_err(|_| Error::Closed)?,
            };
            let wanted = self.loading.take();
            if wanted.is_empty() {
                break;
            }
            self.load_for(wanted).await;
        }
        // Somebody is reading for this one.
        answer.await.map_err(broken_off)?
    }

    /// Reads for some who wait, and answers them.
    async fn load_for(&self, wanted: Vec<Wanted>) {
        let ids: Vec<(TenantId, ExecutionId)> = wanted.iter().map(|(tenant_id, id, _)| (*tenant_id, *id)).collect();
        let read = self.read(move |connection| load_together(connection, &ids)).await;
        match read {
            Ok(mut found) => {
                for (_, id, sender) in wanted {
                    let _ = sender.send(found.remove(&id).unwrap_or(Err(Error::NotFound)));
                }
            }
            Err(error) => {
                for (.., sender) in wanted {
                    let _ = sender.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Of each execution that exists: what it is rebuilt from, or why that cannot be read. One that is corrupt spoils no other.
fn load_together(
    connection: &mut AnyConnection,
    wanted: &[(TenantId, ExecutionId)],
) -> Result<HashMap<ExecutionId, Answer>, Error> {
    let mut rows: Vec<Row> = Vec::with_capacity(wanted.len());
    let mut tenants: Vec<TenantId> = wanted.iter().map(|(tenant_id, _)| *tenant_id).collect();
    tenants.sort_unstable();
    tenants.dedup();
    for tenant_id in tenants {
        let of_tenant = wanted.iter().filter(|(tenant, _)| *tenant == tenant_id);
        let ids: Vec<String> = of_tenant.map(|(_, id)| id.to_string()).collect();
        let mine = table::tenant_id.eq(tenant_id.to_string()).and(table::id.eq_any(ids));
        rows.extend(table::table.filter(mine).load::<Row>(connection)?);
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut snapshots = load_snapshots(connection, &ids)?;
    let whole: Vec<String> = ids.iter().filter(|id| !snapshots.contains_key(*id)).cloned().collect();
    let mut journals = history::journals(connection, &whole)?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let key = row.id.clone();
        let id: ExecutionId = word("id", &key)?;
        let claimed = (|| {
            let execution = executions::from_rows(connection, vec![row])?.pop().ok_or(Error::NotFound)?;
            let snapshot = snapshots.remove(&key).transpose()?;
            let tail = match &snapshot {
                Some(snapshot) => history::events(connection, execution.tenant_id, id, snapshot.seq)?,
                None => history::parsed(connection, journals.remove(&key).unwrap_or_default())?,
            };
            Ok(Claimed { execution, snapshot, tail })
        })();
        found.insert(id, claimed);
    }
    Ok(found)
}

fn load_snapshots(
    connection: &mut AnyConnection,
    ids: &[String],
) -> Result<HashMap<String, Result<Snapshot, Error>>, Error> {
    let rows = snapshots::table
        .filter(snapshots::execution_id.eq_any(ids))
        .select((snapshots::execution_id, snapshots::seq, snapshots::format, snapshots::state))
        .load::<(String, i64, i64, String)>(connection)?;
    let snapshot = |seq, format, state| {
        Ok(Snapshot { seq: natural("snapshot seq", seq)?, format: small("snapshot format", format)?, state })
    };
    Ok(rows.into_iter().map(|(id, seq, format, state)| (id, snapshot(seq, format, state))).collect())
}
