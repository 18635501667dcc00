//! One round of upkeep: tenants that are being deleted, executions past retention, what they leave behind, disk space.
//!
//! All of it in transactions of a few milliseconds with a pause after each that is as long as the transaction took, so
//! that writers get at least every second turn. Nothing is remembered between rounds but what the store holds: a round
//! that breaks off, at whatever point, is continued by the next.

use super::command::{Command, Refusal};
use super::engine::Engine;
use super::ledger;
use super::maintenance::{Begin, Look, MaintenanceView};
use super::services::Services;
use crate::domain::{ExecutionId, Retention, RetentionPolicy, Status, TenantId, Timestamp};
use crate::store::{self, DueExecution, Edges, Store};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long a transaction may hold the writer. Batches grow while they take less than half of it, and shrink beyond it.
const TURN: Duration = Duration::from_millis(20);
/// Rows of a batch: at first, at least, at most.
const FIRST_ROWS: usize = 100;
const FEWEST_ROWS: usize = 10;
const MOST_ROWS: usize = 2_000;
/// Executions with one status that are looked at in one read.
const LOOK_AHEAD: u32 = 200;
/// A preview counts no further.
const PREVIEW_LIMIT: usize = 10_000;
/// Between two looks at whether what was cancelled has ended.
const CANCEL_PAUSE: Duration = Duration::from_millis(50);

/// What one round did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    /// Executions deleted, by tenant.
    pub executions: BTreeMap<TenantId, u64>,
    /// Why it broke off, if it did.
    pub failure: Option<String>,
}

/// What would be deleted now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// By status.
    pub executions: BTreeMap<Status, u64>,
    /// When the one that ended first did, and the one that ended last.
    pub finished: Option<(Timestamp, Timestamp)>,
    /// False when there is more than a preview counts.
    pub is_complete: bool,
}

impl Engine {
    /// What a tenant has decided about keeping, and what that makes with the defaults.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn retention(&self, tenant: TenantId) -> Result<(RetentionPolicy, Retention), store::Error> {
        let policy = self.services.store.retention_policy(tenant).await?;
        Ok((policy, policy.over(self.default_retention())))
    }

    /// What is kept of a tenant that has decided nothing.
    pub fn default_retention(&self) -> Retention {
        self.services.options.upkeep.retention
    }

    /// What a round would delete of a tenant's executions now, under a policy.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn preview_retention(&self, tenant: TenantId, retention: Retention) -> Result<Preview, store::Error> {
        let store = &self.services.store;
        let edges = store.retention_edges(tenant, retention).await?;
        let mut preview = Preview { is_complete: true, ..Preview::default() };
        let mut count = 0;
        for status in terminal() {
            let mut after = None;
            loop {
                let page = store.due_families(tenant, edges, status, after, LOOK_AHEAD).await?;
                for execution in page.families.iter().flatten() {
                    count += 1;
                    preview.add(execution);
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
                if count >= PREVIEW_LIMIT {
                    return Ok(Preview { is_complete: false, ..preview });
                }
            }
        }
        Ok(preview)
    }

    /// Begins a round of upkeep. It runs by itself; [`Engine::maintenance`] tells how it went.
    ///
    /// # Errors
    /// [`Refusal::ShuttingDown`].
    pub async fn maintain(&self) -> Result<(), Refusal> {
        self.maintenance.send(Begin).await.map_err(|_| Refusal::ShuttingDown)
    }

    /// What upkeep does and has done.
    ///
    /// # Errors
    /// [`Refusal::ShuttingDown`].
    pub async fn maintenance(&self) -> Result<MaintenanceView, Refusal> {
        self.maintenance.send(Look).await.map_err(|_| Refusal::ShuttingDown)
    }

    /// Deletes a tenant: from now on nothing new is accepted for it, what is open is cancelled, and then everything of it
    /// is deleted, in the background and if need be after the next start. [`Store::tenant_removals`] lists it until then.
    ///
    /// # Errors
    /// [`store::Error::Conflict`] for the default tenant.
    pub async fn remove_tenant(&self, tenant: TenantId, by: Option<String>) -> Result<(), Refusal> {
        self.services.store.begin_tenant_removal(tenant, by).await?;
        self.services.departing.write().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        self.maintain().await
    }
}

impl Preview {
    fn add(&mut self, execution: &DueExecution) {
        *self.executions.entry(execution.status).or_default() += 1;
        let at = execution.finished_at;
        let (first, last) = self.finished.unwrap_or((at, at));
        self.finished = Some((first.min(at), last.max(at)));
    }
}

fn terminal() -> impl Iterator<Item = Status> {
    Status::ALL.iter().copied().filter(|status| status.is_terminal())
}

/// Does everything there is to do.
pub async fn round(engine: &Engine) -> Round {
    let services = &engine.services;
    let mut worker = Worker { engine, pace: Pace::new(), executions: BTreeMap::new() };
    let started_at = services.clock.now();
    let failure = match worker.work().await {
        Ok(()) | Err(Stop::Closing) => None,
        Err(Stop::Store(error)) => Some(error.to_string()),
    };
    let deleted: u64 = worker.executions.values().sum();
    if deleted > 0 {
        tracing::info!(executions = deleted, "deleted");
    }
    Round { started_at, finished_at: services.clock.now(), executions: worker.executions, failure }
}

/// Why a round ends before it is done.
enum Stop {
    Closing,
    Store(store::Error),
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// How many rows fit into a turn, found by trying.
struct Pace {
    rows: usize,
}

impl Pace {
    const fn new() -> Self {
        Self { rows: FIRST_ROWS }
    }

    fn rows_limit(&self) -> u32 {
        u32::try_from(self.rows).unwrap_or(u32::MAX)
    }

    fn learn(&mut self, took: Duration) {
        if took > TURN {
            self.rows = (self.rows / 2).max(FEWEST_ROWS);
        } else if took < TURN / 2 {
            self.rows = (self.rows + self.rows / 2).min(MOST_ROWS);
        }
    }
}

struct Worker<'engine> {
    engine: &'engine Engine,
    pace: Pace,
    executions: BTreeMap<TenantId, u64>,
}

impl Worker<'_> {
    fn services(&self) -> &Services {
        &self.engine.services
    }

    fn store(&self) -> Store {
        self.services().store.clone()
    }

    async fn work(&mut self) -> Result<(), Stop> {
        // What an earlier round left half done.
        self.sweep().await?;
        for removal in self.store().tenant_removals().await? {
            self.remove_tenant(removal.tenant_id).await?;
        }
        for tenant in self.store().tenants_with_executions().await? {
            let (_, retention) = self.engine.retention(tenant).await?;
            self.apply(tenant, retention).await?;
        }
        self.forget_requests().await?;
        self.forget_definitions().await?;
        self.give_back().await
    }

    /// One batch: a pause follows that is as long as the batch took, waiting for the writer included.
    async fn turn<T>(&mut self, batch: impl Future<Output = Result<T, store::Error>>) -> Result<T, Stop> {
        if self.engine.is_shutting_down() {
            return Err(Stop::Closing);
        }
        let begin = Instant::now();
        let outcome = batch.await?;
        let took = begin.elapsed();
        self.pace.learn(took);
        tokio::time::sleep(took).await;
        Ok(outcome)
    }

    async fn apply(&mut self, tenant: TenantId, retention: Retention) -> Result<(), Stop> {
        let edges = self.store().retention_edges(tenant, retention).await?;
        for status in terminal() {
            self.apply_to(tenant, edges, status).await?;
        }
        let now = self.services().clock.now();
        // What this month has cost is still counted against the limits of the tenant.
        if let Some(before) = retention.usage_before(now).map(|before| before.min(ledger::month_of(now))) {
            let store = self.store();
            while self.turn(store.forget_usage(tenant, before, self.pace.rows_limit())).await? > 0 {}
        }
        Ok(())
    }

    async fn apply_to(&mut self, tenant: TenantId, edges: Edges, status: Status) -> Result<(), Stop> {
        let store = self.store();
        let mut after = None;
        loop {
            let page = self.turn(store.due_families(tenant, edges, status, after, LOOK_AHEAD)).await?;
            let mut ids: Vec<ExecutionId> = page.families.iter().flatten().map(|execution| execution.id).collect();
            while !ids.is_empty() {
                let rest = ids.split_off(ids.len().min(self.batch()));
                self.remove(tenant, std::mem::replace(&mut ids, rest)).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Executions per batch: each is several rows in several tables.
    fn batch(&self) -> usize {
        (self.pace.rows / 10).max(1)
    }

    async fn remove(&mut self, tenant: TenantId, ids: Vec<ExecutionId>) -> Result<(), Stop> {
        let removed = self.turn(self.store().remove_executions(tenant, ids)).await?;
        let removed = u64::try_from(removed).unwrap_or(u64::MAX);
        *self.executions.entry(tenant).or_default() += removed;
        self.services().metrics.upkeep().deleted(removed);
        self.sweep().await
    }

    async fn sweep(&mut self) -> Result<(), Stop> {
        while self.turn(self.store().sweep_removed(self.pace.rows)).await?.more {}
        Ok(())
    }

    async fn forget_requests(&mut self) -> Result<(), Stop> {
        while self.turn(self.store().forget_expired_requests(self.pace.rows_limit())).await? > 0 {}
        Ok(())
    }

    async fn forget_definitions(&mut self) -> Result<(), Stop> {
        loop {
            let orphans = self.store().orphaned_definitions(self.pace.rows_limit()).await?;
            if orphans.is_empty() || self.turn(self.store().forget_definitions(orphans)).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn give_back(&mut self) -> Result<(), Stop> {
        while self.turn(self.store().give_back(self.pace.rows_limit())).await? {}
        self.turn(self.store().checkpoint()).await?;
        let space = self.store().space().await?;
        self.services().metrics.upkeep().store_size(space.size_bytes, space.free_bytes);
        Ok(())
    }

    async fn remove_tenant(&mut self, tenant: TenantId) -> Result<(), Stop> {
        tracing::info!(tenant_id = %tenant, "deleting a tenant");
        loop {
            self.cancel_all(tenant).await?;
            loop {
                let limit = u32::try_from(self.batch()).unwrap_or(u32::MAX);
                let ids = self.store().finished_executions(tenant, limit).await?;
                if ids.is_empty() {
                    break;
                }
                self.remove(tenant, ids).await?;
            }
            self.sweep_tenant(tenant).await?;
            if self.turn(self.store().finish_tenant_removal(tenant)).await? {
                tracing::info!(tenant_id = %tenant, "a tenant is deleted");
                return Ok(());
            }
        }
    }

    /// Cancels everything of a tenant that has not ended, until nothing is left: what is cancelled may take a moment, and
    /// may start children before it hears of it.
    async fn cancel_all(&mut self, tenant: TenantId) -> Result<(), Stop> {
        loop {
            let open = self.store().open_executions(tenant, LOOK_AHEAD).await?;
            if open.is_empty() {
                return Ok(());
            }
            for id in open {
                if self.engine.is_shutting_down() {
                    return Err(Stop::Closing);
                }
                let command = Command::Cancel { by: None, reason: Some("the tenant is being deleted".to_owned()) };
                match self.engine.command(tenant, id, command, None).await {
                    // What has ended by now needs no cancelling.
                    Ok(_) | Err(Refusal::WrongState { .. } | Refusal::NotFound) => {}
                    Err(refusal) => tracing::warn!(execution_id = %id, %refusal, "cannot be cancelled yet"),
                }
            }
            tokio::time::sleep(CANCEL_PAUSE).await;
        }
    }

    /// Every other table that bears the tenant's id. Where rows refer to each other, the order is found by trying.
    async fn sweep_tenant(&mut self, tenant: TenantId) -> Result<(), Stop> {
        let mut tables = self.store().tenant_tables().await?;
        while !tables.is_empty() {
            let mut held = Vec::new();
            let before = tables.len();
            for table in tables {
                match self.empty(tenant, &table).await {
                    Err(Stop::Store(error @ store::Error::Database { .. })) => held.push((table, error)),
                    outcome => outcome?,
                }
            }
            if held.len() == before {
                return Err(held.pop().map_or(Stop::Closing, |(_, error)| Stop::Store(error)));
            }
            tables = held.into_iter().map(|(table, _)| table).collect();
        }
        Ok(())
    }

    async fn empty(&mut self, tenant: TenantId, table: &str) -> Result<(), Stop> {
        while self.turn(self.store().sweep_tenant(tenant, table.to_owned(), self.pace.rows_limit())).await? > 0 {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_find_a_size_that_holds_the_writer_for_one_turn_at_most() {
        let mut pace = Pace::new();
        // A disk that takes 0.1 ms per row.
        for _ in 0..50 {
            pace.learn(Duration::from_micros(100) * pace.rows_limit());
        }
        assert!((100..=200).contains(&pace.rows), "{}", pace.rows);
        for _ in 0..50 {
            pace.learn(Duration::from_secs(1));
        }
        assert_eq!(pace.rows, FEWEST_ROWS);
    }
}
