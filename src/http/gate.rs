//! The gate of live sessions and streams: asks identity about the credential they were opened with.

use super::Service;
use super::caller::Caller;
use super::error::Error;
use super::seats::Seat;
use crate::actors::{Admission, Gate, Visitor};
use crate::domain::{AuditEntry, ExecutionId, TenantId};
use crate::identity::{self, Change, Identity, Standing, Writer};
use crate::wire::catalog::Code;
use crate::wire::problem::Problem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The credential of one session.
pub struct Credential {
    identity: Identity,
    standing: Arc<Mutex<Standing>>,
    address: Option<IpAddr>,
    /// Given back when the session ends.
    _seat: Seat,
}

impl Credential {
    /// The gate of a session that begins.
    ///
    /// # Errors
    /// 429 when the caller's tenant has too many open.
    pub fn of(service: &Service, caller: &Caller) -> Result<Arc<dyn Gate>, Error> {
        let seat = service.seats.take(caller.principal().tenant_id)?;
        let standing = Arc::new(Mutex::new(caller.standing.clone()));
        let identity = service.identity.clone();
        Ok(Arc::new(Self { identity, standing, address: caller.address, _seat: seat }))
    }

    fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A caller as the visitor of a session.
pub fn visitor(standing: &Standing) -> Visitor {
    Visitor { principal: standing.principal.clone(), expires_at: standing.expires_at }
}

impl Gate for Credential {
    fn confirm(&self) -> Admission {
        let (identity, standing) = (self.identity.clone(), self.standing());
        Box::pin(async move {
            let standing = identity.confirm(&standing).await.map_err(problem)?;
            Ok(visitor(&standing))
        })
    }

    fn changes(&self) -> u64 {
        self.identity.changes()
    }

    fn entry(&self, tenant: TenantId, action: &'static str, id: ExecutionId) -> AuditEntry {
        let writer = Writer { standing: Some(self.standing()), address: self.address, ..Writer::default() };
        self.identity.entry(&writer, tenant, Change::done(action, "execution", id))
    }

    fn renew(&self, token: String) -> Admission {
        let (identity, shared, known) = (self.identity.clone(), Arc::clone(&self.standing), self.standing());
        Box::pin(async move {
            let fresh = identity.authenticate(&token).await.map_err(problem)?;
            let (before, after) = (&known.principal, &fresh.principal);
            if (before.tenant_id, before.owner_id) != (after.tenant_id, after.owner_id) {
                let detail = "The token belongs to somebody else than the session.";
                return Err(Box::new(Problem::new(Code::InvalidCredentials, detail)));
            }
            let visitor = visitor(&fresh);
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
            Ok(visitor)
        })
    }
}

fn problem(error: identity::Error) -> Box<Problem> {
    Error::from(error).into_problem()
}
