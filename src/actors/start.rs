//! The start of the engine: actors on their arbiters, in the order in which they need each other.

use super::agents::Agents;
use super::creators::Creators;
use super::detached::{self, Detached};
use super::engine::Engine;
use super::hub::{Hub, HubState};
use super::ledger::Ledger;
use super::limits::LimitBook;
use super::listener;
use super::logs::Logs;
use super::maintenance::Maintenance;
use super::programs::Programs;
use super::recovery::{RESTARTED, TakeOver};
use super::services::Services;
use super::settings::Options;
use super::streams::Streams;
use super::supervisor::Supervisor;
use crate::clock::Clock;
use crate::domain::TenantId;
use crate::effects::Effects;
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use actix::{Actor, Arbiter};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, RwLock};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// What the engine is built from.
pub struct Parts {
    pub store: Store,
    pub vault: Vault,
    pub effects: Arc<Effects>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub options: Options,
}

impl Engine {
    /// Starts the actors and takes over every execution that is not terminal. `since` is when the process started.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn start(parts: Parts, since: Instant) -> Result<Self, store::Error> {
        let Parts { store, vault, effects, clock, metrics, options } = parts;
        let hub_state = Arc::new(HubState::default());
        hub_state.start_at(store.position());
        let (state, figures) = (Arc::clone(&hub_state), Arc::clone(&metrics));
        let (hub_options, ended) = (options.clone(), CancellationToken::new());
        let hub_ended = ended.clone();
        let (hub_thread, supervisor_thread) = (Arbiter::new().handle(), Arbiter::new().handle());
        let hub = Hub::start_in_arbiter(&hub_thread, move |_| Hub::new(&hub_options, state, figures, hub_ended));
        store.on_commit(listener::commit_listener(hub.clone(), Arc::clone(&hub_state), Arc::clone(&metrics)));
        let arbiters = (0..options.arbiters.max(1)).map(|_| Arbiter::new().handle()).collect();
        let departing = store.tenant_removals().await?.into_iter().map(|removal| removal.tenant_id).collect();
        let services = Arc::new(Services {
            programs: Programs::new(store.clone(), options.program_cache),
            agents: Agents::new(store.clone()),
            creators: Creators::new(store.clone()),
            limits: LimitBook::default(),
            ledger: Ledger::new(store.clone()),
            calls: Arc::default(),
            logs: Logs::start(store.clone(), hub.clone(), Arc::clone(&hub_state), Arc::clone(&metrics)),
            streams: Streams::default(),
            detached: Detached::default(),
            store,
            vault,
            effects,
            clock,
            metrics,
            options,
            hub,
            hub_state,
            arbiters,
            others: vec![hub_thread, supervisor_thread.clone()],
            next_arbiter: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            ended,
            departing: RwLock::new(departing),
        });
        let recovered_in_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let open = services.store.claim_open(RESTARTED, recovered_in_ms).await?;
        let tenants: HashSet<TenantId> = open.iter().map(|execution| execution.tenant_id).collect();
        let mut limits = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            limits.push((tenant, services.limits.get(&services.store, tenant).await?.limits));
        }
        let (shared, shared_metrics) = (Arc::clone(&services), Arc::clone(&services.metrics));
        let supervisor = Supervisor::start_in_arbiter(&supervisor_thread, move |_| Supervisor::new(shared));
        if !open.is_empty() {
            tracing::info!(executions = open.len(), "taking over open executions");
            shared_metrics.recovered(open.len());
        }
        // The supervisor lives as long as its address; it cannot be gone yet.
        let _ = supervisor.send(TakeOver { open, limits, since }).await;
        services.next_arbiter().spawn(detached::repeat(Arc::clone(&services), None));
        let parts = (Arc::clone(&services), supervisor.clone());
        let maintenance =
            Maintenance::start_in_arbiter(&supervisor_thread, move |_| Maintenance::new(parts.0, parts.1));
        Ok(Self { services, supervisor, maintenance })
    }
}
