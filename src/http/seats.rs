//! How many sockets and streams each tenant has open: a socket costs memory for as long as it lives, and nobody takes those of
//! the others.
//!
//! A seat is taken before a session or stream begins and given back when it ends, however that happens.

use super::error::{Error, Result};
use crate::domain::TenantId;
use crate::wire::catalog::Code;
use actix_web::http::header::{self, HeaderValue};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When somebody who was refused may look again whether a seat is free.
const RETRY_AFTER_SECONDS: u64 = 30;

/// The seats of a service.
pub struct Seats {
    taken: Taken,
    per_tenant: usize,
}

#[derive(Clone, Default)]
struct Taken(Arc<Mutex<HashMap<TenantId, usize>>>);

impl Taken {
    fn each(&self) -> MutexGuard<'_, HashMap<TenantId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat, for as long as it lives.
pub struct Seat {
    taken: Taken,
    tenant: TenantId,
}

impl Seats {
    pub fn new(per_tenant: usize) -> Self {
        Self { taken: Taken::default(), per_tenant }
    }

    /// Takes a seat for somebody of a tenant.
    ///
    /// # Errors
    /// 429 when all of the tenant's are taken.
    pub fn take(&self, tenant: TenantId) -> Result<Seat> {
        let mut each = self.taken.each();
        let count = each.entry(tenant).or_default();
        if *count >= self.per_tenant {
            let detail = format!("{} sockets and streams of the tenant are open, which is the most.", self.per_tenant);
            let error = Error::new(Code::RateLimited, detail);
            return Err(error.with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS)));
        }
        *count += 1;
        Ok(Seat { taken: self.taken.clone(), tenant })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut each = self.taken.each();
        let Some(count) = each.get_mut(&self.tenant) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            each.remove(&self.tenant);
        }
    }
}
