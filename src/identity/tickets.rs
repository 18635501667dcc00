//! Tickets: what a browser puts into the address of a WebSocket or an event stream, where a token would end up in logs.
//!
//! Good once, for half a minute, in this process: one that a restart makes worthless is asked for again.

use super::{Error, Identity, Standing, tokens};
use crate::domain::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const LIFE_SECONDS: i64 = 30;
/// Tickets of one person (or of one key that is nobody's own) that may be out at a time.
const MAX_PER_HOLDER: usize = 200;
/// Tickets of one tenant that may be out at a time: no tenant takes those of the others.
const MAX_PER_TENANT: usize = 2_000;
/// Tickets that may be out at a time.
const CAPACITY: usize = 20_000;

/// The tickets that are out, by their digests.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<String, (Standing, Timestamp)>>);

impl Tickets {
    pub fn forget_expired(&self, now: Timestamp) {
        self.tickets().retain(|_, (_, expires_at)| *expires_at > now);
    }

    fn tickets(&self) -> MutexGuard<'_, HashMap<String, (Standing, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    /// A ticket for somebody, and when it ends.
    ///
    /// # Errors
    /// [`Error::Throttled`] when too many are out, of them, of their tenant or altogether.
    pub fn ticket(&self, standing: &Standing) -> Result<(String, Timestamp), Error> {
        let now = self.clock.now();
        let expires_at = now.plus_micros(LIFE_SECONDS * 1_000_000);
        self.tickets.forget_expired(now);
        let mut tickets = self.tickets.tickets();
        let standings = || tickets.values().map(|(standing, _)| &standing.principal);
        let of_holder = standings().filter(|other| other.owner_id == standing.principal.owner_id).count();
        let of_tenant = standings().filter(|other| other.tenant_id == standing.principal.tenant_id).count();
        if of_holder >= MAX_PER_HOLDER || of_tenant >= MAX_PER_TENANT || tickets.len() >= CAPACITY {
            return Err(Error::Throttled { retry_after_seconds: 30 });
        }
        let ticket = tokens::secret()?;
        tickets.insert(tokens::digest_of(&ticket), (standing.clone(), expires_at));
        Ok((ticket, expires_at))
    }

    /// Uses a ticket up.
    ///
    /// # Errors
    /// [`Error::InvalidCredential`] when it is unknown, used or too old, or its holder is not welcome any more.
    pub async fn redeem_ticket(&self, ticket: &str) -> Result<Standing, Error> {
        let taken = self.tickets.tickets().remove(&tokens::digest_of(ticket));
        match taken {
            Some((standing, expires_at)) if self.clock.now() < expires_at => self.confirm(&standing).await,
            Some(_) | None => Err(Error::InvalidCredential),
        }
    }
}
