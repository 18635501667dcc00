//! What the queue and the slots look like: the supervisor's observable state, for `GET /queue`, readiness and figures.

use super::admission::Standing;
use super::supervisor::{Presence, Supervisor};
use crate::domain::TenantId;
use actix::{Handler, Message};
use std::collections::HashMap;

/// Asks for a [`QueueView`].
#[derive(Message)]
#[rtype(result = "QueueView")]
pub struct Observe;

/// The queue and the slots of the whole service.
#[derive(Clone, Debug, Default, actix::dev::MessageResponse)]
pub struct QueueView {
    pub pending: usize,
    pub max_queued: usize,
    /// Started executions that wait for a slot to go on.
    pub woken: usize,
    pub running: usize,
    pub max_running: usize,
    /// Executions without an actor: parked or not yet due.
    pub parked: usize,
    /// Actors alive.
    pub actors: usize,
    /// Rebuilds after crashes since the start of the service.
    pub restarts: u64,
    /// Every tenant that has something waiting, running or parked, in the order of their ids.
    pub tenants: Vec<TenantQueue>,
}

/// The part of one tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantQueue {
    pub standing: Standing,
    /// Executions without an actor: parked or not yet due.
    pub parked: usize,
}

impl Handler<Observe> for Supervisor {
    type Result = QueueView;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> QueueView {
        let mut actors = 0;
        let mut parked: HashMap<TenantId, usize> = self.queue.tenants().map(|tenant| (tenant, 0)).collect();
        for entry in self.entries.values() {
            match entry.presence {
                Presence::Parked | Presence::Delayed { .. } => *parked.entry(entry.tenant).or_default() += 1,
                Presence::Live { .. } | Presence::Leaving { .. } => actors += 1,
                Presence::Pending | Presence::Waking { .. } => {}
            }
        }
        let mut tenants: Vec<TenantQueue> = parked
            .into_iter()
            .map(|(tenant, parked)| TenantQueue { standing: self.queue.standing(tenant), parked })
            .collect();
        tenants.sort_by_key(|tenant| tenant.standing.tenant_id);
        QueueView {
            pending: self.queue.pending(),
            max_queued: self.services.options.max_queued,
            woken: self.queue.woken(),
            running: self.queue.running(),
            max_running: self.services.options.max_running,
            parked: tenants.iter().map(|tenant| tenant.parked).sum(),
            actors,
            restarts: self.restarts,
            tenants,
        }
    }
}
