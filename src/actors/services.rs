//! What every execution actor shares: the store, the hands, the clock, compiled programs, the arbiters.

use super::agents::Agents;
use super::calls::Calls;
use super::creators::Creators;
use super::detached::Detached;
use super::hub::{Hub, HubState};
use super::ledger::Ledger;
use super::limits::LimitBook;
use super::logs::Logs;
use super::programs::Programs;
use super::settings::Options;
use super::streams::Streams;
use crate::clock::Clock;
use crate::domain::TenantId;
use crate::effects::Effects;
use crate::machine::Moment;
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use actix::{Addr, Arbiter, ArbiterHandle};
use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two tries to read what has to be read while the store cannot be reached.
pub const READ_PAUSE: Duration = Duration::from_millis(500);

/// Shared by all actors of one engine.
pub struct Services {
    pub store: Store,
    pub vault: Vault,
    pub effects: Arc<Effects>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub programs: Programs,
    pub agents: Agents,
    pub creators: Creators,
    pub limits: LimitBook,
    pub ledger: Arc<Ledger>,
    pub calls: Arc<Calls>,
    pub options: Options,
    pub hub: Addr<Hub>,
    pub hub_state: Arc<HubState>,
    pub streams: Streams,
    pub logs: Logs,
    pub detached: Detached,
    /// The threads of execution actors.
    pub arbiters: Vec<ArbiterHandle>,
    /// The threads of the supervisor and of the hub.
    pub others: Vec<ArbiterHandle>,
    pub next_arbiter: AtomicUsize,
    /// The service has begun to stop.
    pub closing: AtomicBool,
    /// Cancelled when the supervisor or the hub has ended: both live as long as the service.
    pub ended: CancellationToken,
    /// Tenants that are being deleted; an id is never used again, so they stay here until the service ends.
    pub departing: RwLock<HashSet<TenantId>>,
}

impl Services {
    /// Time and randomness of one step.
    pub fn moment(&self) -> Moment {
        Moment { at: self.clock.now(), seed: fastrand::u64(..) }
    }

    /// The arbiters in turn.
    pub fn next_arbiter(&self) -> ArbiterHandle {
        let turn = self.next_arbiter.fetch_add(1, Ordering::Relaxed);
        let index = turn.checked_rem(self.arbiters.len()).unwrap_or(0);
        self.arbiters.get(index).cloned().unwrap_or_else(Arbiter::current)
    }

    /// Whether the tenant is being deleted: nothing new is accepted for it.
    pub fn is_departing(&self, tenant: TenantId) -> bool {
        self.departing.read().unwrap_or_else(PoisonError::into_inner).contains(&tenant)
    }

    /// Reads until the store answers. `None` when what was looked for is not there.
    pub async fn read_again<T, F>(&self, read: impl Fn(Store) -> F) -> Option<T>
    where
        F: Future<Output = Result<T, store::Error>>,
    {
        loop {
            match read(self.store.clone()).await {
                Ok(value) => return Some(value),
                Err(error) if error.is_retryable() => tokio::time::sleep(READ_PAUSE).await,
                Err(store::Error::NotFound) => return None,
                Err(error) => {
                    tracing::error!(%error, "the store cannot be read");
                    return None;
                }
            }
        }
    }
}
