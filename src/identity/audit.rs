//! Entries of the audit: who wrote what. They hold digests of facts, never values.
//!
//! Here they are only made. Each is stored in the transaction of what it is about, so that neither is there without the other,
//! whatever becomes of the process or of whoever asked.

use super::Standing;
use crate::clock;
use crate::domain::{AuditEntry, AuditId, PrincipalKind, TenantId, Timestamp};
use crate::store;
use serde_json::Value;
use std::fmt::Display;
use std::net::IpAddr;

/// Who writes.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// Absent for the command line on the database itself, and for whoever is not signed in yet.
    pub standing: Option<Standing>,
    /// What an entry says when there is no principal.
    pub name: String,
    pub request_id: Option<String>,
    /// Where the request comes from.
    pub address: Option<IpAddr>,
    /// The provider with which somebody is signing in.
    pub provider: Option<String>,
}

impl Writer {
    /// The command line on the database itself: whoever may read the database may do everything.
    pub fn command_line() -> Self {
        Self { name: "command line".to_owned(), ..Self::default() }
    }

    /// The service itself.
    pub fn service() -> Self {
        Self { name: "service".to_owned(), ..Self::default() }
    }

    /// The entry about a change of something that belongs to a tenant.
    pub fn entry(&self, tenant_id: TenantId, change: Change, at: Timestamp) -> AuditEntry {
        let principal = self.standing.as_ref().map(|standing| &standing.principal);
        AuditEntry {
            id: AuditId(clock::new_id()),
            tenant_id,
            actor_kind: principal.map(|principal| principal.kind),
            actor_id: principal.map(|principal| principal.id),
            actor_name: principal.map_or_else(|| self.name.clone(), |principal| principal.name.clone()),
            action: change.action.to_owned(),
            target_kind: change.target_kind.to_owned(),
            target_id: change.target_id,
            request_id: self.request_id.clone(),
            before_digest: change.before_digest,
            after_digest: change.after_digest,
            at,
            address: self.address,
            provider: self.provider.clone(),
        }
    }

    /// The entry about something that a person does before there is a principal: a sign-in.
    pub(super) fn entry_of(&self, user: &crate::domain::User, change: Change, at: Timestamp) -> AuditEntry {
        AuditEntry {
            actor_kind: Some(PrincipalKind::User),
            actor_id: Some(user.id.0),
            actor_name: user.display_name.clone(),
            ..self.entry(user.tenant_id, change, at)
        }
    }
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Change {
    action: &'static str,
    target_kind: &'static str,
    target_id: String,
    before_digest: Option<String>,
    after_digest: Option<String>,
}

impl Change {
    /// Something that has no before and after: a command, a sign-in.
    pub fn done(action: &'static str, target_kind: &'static str, target_id: impl Display) -> Self {
        Self { action, target_kind, target_id: target_id.to_string(), before_digest: None, after_digest: None }
    }

    /// Something new. `facts` must not hold secrets.
    pub fn created(action: &'static str, target_kind: &'static str, target_id: impl Display, facts: &Value) -> Self {
        Self { after_digest: Some(digest(facts)), ..Self::done(action, target_kind, target_id) }
    }

    /// Something that is different now.
    pub fn changed(
        action: &'static str,
        target_kind: &'static str,
        target_id: impl Display,
        before: &Value,
        after: &Value,
    ) -> Self {
        Self { before_digest: Some(digest(before)), ..Self::created(action, target_kind, target_id, after) }
    }

    /// Something that is gone.
    pub fn removed(action: &'static str, target_kind: &'static str, target_id: impl Display, facts: &Value) -> Self {
        Self { before_digest: Some(digest(facts)), ..Self::done(action, target_kind, target_id) }
    }
}

fn digest(facts: &Value) -> String {
    store::digest(facts.to_string().as_bytes())
}
