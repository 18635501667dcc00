//! Who sits behind a live session or stream, and for how long: asked of whoever opened it, since actors know no credentials.

use crate::domain::{AuditEntry, ExecutionId, Principal, TenantId, Timestamp};
use crate::wire::problem::Problem;
use std::future::Future;
use std::pin::Pin;

/// Who somebody is at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub principal: Principal,
    /// When their credential ends; absent for one that does not.
    pub expires_at: Option<Timestamp>,
}

/// The answer of a [`Gate`].
pub type Admission = Pin<Box<dyn Future<Output = Result<Visitor, Box<Problem>>> + Send>>;

/// Knows the credential that a session was opened with.
pub trait Gate: Send + Sync {
    /// Whether its holder is still welcome, and as whom: keys are revoked, roles change.
    fn confirm(&self) -> Admission;
    /// Changes whenever [`Gate::confirm`] may answer differently from before. Costs next to nothing.
    fn changes(&self) -> u64;
    /// Takes another credential in its place.
    fn renew(&self, token: String) -> Admission;
    /// What the audit says when the holder does something to an execution.
    fn entry(&self, tenant: TenantId, action: &'static str, id: ExecutionId) -> AuditEntry;
}
