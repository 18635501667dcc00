//! The limits of tenants as the engine knows them: read from the store, and read again after a short while, so that a change
//! takes effect without a restart wherever it was made.

use super::command::Refusal;
use super::engine::Engine;
use super::supervisor::Supervisor;
use crate::domain::TenantId;
use crate::domain::quota::Limits;
use crate::store::{self, Store};
use actix::{Context, Handler, Message};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was read counts as true.
const FRESH: Duration = Duration::from_secs(2);

/// What was read of each tenant, and when.
#[derive(Debug, Default)]
pub struct LimitBook(Mutex<HashMap<TenantId, (Limits, Instant)>>);

/// The limits of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub limits: Limits,
    /// Whether they differ from what was known before.
    pub is_new: bool,
}

impl LimitBook {
    /// The limits of a tenant, at most a moment old. While the store cannot be read, those that were read last.
    ///
    /// # Errors
    /// When they have never been read and cannot be read now.
    pub async fn get(&self, store: &Store, tenant: TenantId) -> Result<Known, store::Error> {
        let known = self.lock().get(&tenant).copied();
        if let Some((limits, at)) = known
            && at.elapsed() < FRESH
        {
            return Ok(Known { limits, is_new: false });
        }
        let limits = match (store.limits(tenant).await, known) {
            (Ok(limits), _) => limits,
            (Err(error), Some((limits, _))) if error.is_retryable() => limits,
            (Err(error), _) => return Err(error),
        };
        self.lock().insert(tenant, (limits, Instant::now()));
        Ok(Known { limits, is_new: known.is_none_or(|(before, _)| before != limits) })
    }

    fn forget(&self, tenant: TenantId) {
        // What was known stays as a fallback; it only counts as old.
        if let Some((_, at)) = self.lock().get_mut(&tenant) {
            *at = at.checked_sub(FRESH).unwrap_or(*at);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, (Limits, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Reads the limits of a tenant and tells the supervisor when they have changed.
    pub(super) async fn refresh_limits(&self, tenant: TenantId) -> Result<Limits, Refusal> {
        let Known { limits, is_new } = self.services.limits.get(&self.services.store, tenant).await?;
        if is_new {
            self.supervisor.send(SetLimits { tenant, limits }).await.map_err(|_| Refusal::ShuttingDown)?;
        }
        Ok(limits)
    }

    /// To be called after the limits of a tenant have been changed: they are in force when it returns.
    ///
    /// # Errors
    /// When they cannot be read, or the service is shutting down.
    pub async fn limits_changed(&self, tenant: TenantId) -> Result<Limits, Refusal> {
        self.services.limits.forget(tenant);
        self.refresh_limits(tenant).await
    }
}

/// A tenant may take so much from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetLimits {
    pub tenant: TenantId,
    pub limits: Limits,
}

impl Handler<SetLimits> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: SetLimits, ctx: &mut Context<Self>) {
        self.queue.set_limits(message.tenant, message.limits);
        self.pump(ctx);
    }
}
