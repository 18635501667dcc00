//! Who asks: tenants, people, keys, and the principal that a request acts as.
//!
//! What a principal may do stands in [`super::permission`].

use super::quota::Limits;
use super::words::words;
use super::{ApiKeyId, AuditId, Authority, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use uuid::Uuid;

/// What somebody is in their tenant. Later ones may do more; see the table in [`super::permission`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Runs and edits own things.
    Member,
    /// Everything in the tenant.
    Admin,
    /// The platform: all tenants and the engine.
    Operator,
}

words!(Role { Viewer = "viewer", Member = "member", Admin = "admin", Operator = "operator" });

/// A part of the interface to which a key can be narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    #[serde(rename = "executions:read")]
    ExecutionsRead,
    #[serde(rename = "executions:write")]
    ExecutionsWrite,
    #[serde(rename = "workflows:read")]
    WorkflowsRead,
    #[serde(rename = "workflows:write")]
    WorkflowsWrite,
    #[serde(rename = "agents:read")]
    AgentsRead,
    #[serde(rename = "agents:write")]
    AgentsWrite,
    #[serde(rename = "agents:use")]
    AgentsUse,
    #[serde(rename = "views:read")]
    ViewsRead,
    #[serde(rename = "views:write")]
    ViewsWrite,
    #[serde(rename = "secrets:read")]
    SecretsRead,
    #[serde(rename = "secrets:write")]
    SecretsWrite,
    #[serde(rename = "secrets:use")]
    SecretsUse,
    #[serde(rename = "people:read")]
    PeopleRead,
    #[serde(rename = "people:write")]
    PeopleWrite,
    #[serde(rename = "keys:read")]
    KeysRead,
    #[serde(rename = "keys:write")]
    KeysWrite,
    #[serde(rename = "tenants:read")]
    TenantsRead,
    #[serde(rename = "tenants:write")]
    TenantsWrite,
    #[serde(rename = "audit:read")]
    AuditRead,
}

words!(Scope {
    ExecutionsRead = "executions:read", ExecutionsWrite = "executions:write",
    WorkflowsRead = "workflows:read", WorkflowsWrite = "workflows:write",
    AgentsRead = "agents:read", AgentsWrite = "agents:write", AgentsUse = "agents:use",
    ViewsRead = "views:read", ViewsWrite = "views:write",
    SecretsRead = "secrets:read", SecretsWrite = "secrets:write", SecretsUse = "secrets:use",
    PeopleRead = "people:read", PeopleWrite = "people:write",
    KeysRead = "keys:read", KeysWrite = "keys:write",
    TenantsRead = "tenants:read", TenantsWrite = "tenants:write",
    AuditRead = "audit:read",
});

/// To which parts of the interface a key is narrowed; an empty set does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(pub BTreeSet<Scope>);

impl Scopes {
    pub fn is_unlimited(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they leave room for a scope.
    pub fn allow(&self, scope: Scope) -> bool {
        self.is_unlimited() || self.0.contains(&scope)
    }

    /// Whether everything that these allow is allowed by `others` too.
    pub fn are_within(&self, others: &Self) -> bool {
        others.is_unlimited() || (!self.is_unlimited() && self.0.is_subset(&others.0))
    }
}

/// What a tenant may use. Where a limit is absent, that of the settings holds; 0 does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantLimits {
    /// Executions that run at the same time.
    pub max_running_executions: Option<u64>,
    /// Executions that wait for a slot.
    pub max_queued_executions: Option<u64>,
    /// Tokens of all model calls in a calendar month (UTC).
    pub max_tokens_per_month: Option<u64>,
    /// US dollars of all model calls in a calendar month (UTC).
    pub max_cost_per_month: Option<f64>,
}

impl TenantLimits {
    /// The limits in force, with those of the settings in place of absent ones.
    pub fn over(&self, defaults: Limits) -> Limits {
        let count = |own: Option<u64>, default| own.map_or(default, |limit| (limit > 0).then_some(limit));
        let cost = |own: Option<f64>, default| own.map_or(default, |limit| (limit > 0.0).then_some(limit));
        Limits {
            max_running_executions: count(self.max_running_executions, defaults.max_running_executions),
            max_queued_executions: count(self.max_queued_executions, defaults.max_queued_executions),
            max_tokens_per_month: count(self.max_tokens_per_month, defaults.max_tokens_per_month),
            max_cost_per_month: cost(self.max_cost_per_month, defaults.max_cost_per_month),
        }
    }
}

/// A customer of the installation: nothing of one is visible to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    pub id: TenantId,
    /// Unique; lower-case letters, digits and hyphens.
    pub slug: String,
    pub name: String,
    /// Nobody of an inactive tenant gets in.
    pub is_active: bool,
    pub limits: TenantLimits,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A person.
#[derive(Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub tenant_id: TenantId,
    /// Lower case; unique in the tenant.
    pub email: String,
    pub display_name: String,
    /// A PHC string of argon2id; absent until the person has chosen a password.
    pub password_hash: Option<String>,
    pub role: Role,
    /// Somebody who is not active does not get in.
    pub is_active: bool,
    /// A BCP 47 language tag, as in `en-GB`.
    pub locale: Option<String>,
    pub last_sign_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl fmt::Debug for User {
    /// Without the hash of the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .field("email", &self.email)
            .field("role", &self.role)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// What a program signs in with: `cb_<prefix>_<secret>`. Only a digest of the secret is kept.
#[derive(Clone, PartialEq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub tenant_id: TenantId,
    /// The person it acts for: what is made with it is theirs, and it is worth nothing without them. Absent for a key of
    /// the tenant itself.
    pub user_id: Option<UserId>,
    pub name: String,
    /// Names the key; unique and not secret.
    pub prefix: String,
    /// Lower-case hex SHA-256 of the secret.
    pub secret_hash: String,
    pub role: Role,
    pub scopes: Scopes,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ApiKey {
    /// Whether it opens anything at an instant.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

impl fmt::Debug for ApiKey {
    /// Without the digest of the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .field("prefix", &self.prefix)
            .field("role", &self.role)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Whether a person or a key asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    User,
    Key,
}

words!(PrincipalKind { User = "user", Key = "key" });

/// Somebody who has shown who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub kind: PrincipalKind,
    /// Of the user or the key.
    pub id: Uuid,
    /// Where they are at home.
    pub tenant_id: TenantId,
    /// Whose things they make and see as their own: the person, or a key that belongs to nobody.
    pub owner_id: Uuid,
    pub role: Role,
    pub scopes: Scopes,
    /// For people to read: the display name, or the name of the key.
    pub name: String,
}

impl Principal {
    /// What `created_by` of their things says.
    pub fn owner(&self) -> String {
        self.owner_id.hyphenated().to_string()
    }

    /// What an execution that they start may do.
    pub fn authority(&self) -> Authority {
        let key_id = (self.kind == PrincipalKind::Key).then_some(ApiKeyId(self.id));
        Authority { name: self.name.clone(), role: self.role, scopes: self.scopes.clone(), key_id }
    }
}

/// One write by a person or a key. It says what was changed, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub tenant_id: TenantId,
    /// Absent for the command line on the database itself and for sign-ins that failed.
    pub actor_kind: Option<PrincipalKind>,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    /// A word such as `user_created`.
    pub action: String,
    /// What kind of thing was written: `user`, `execution`, ….
    pub target_kind: String,
    pub target_id: String,
    /// The request, as its log lines name it.
    pub request_id: Option<String>,
    /// SHA-256 of what the thing looked like before, without secrets; absent when there was nothing.
    pub before_digest: Option<String>,
    pub after_digest: Option<String>,
    pub at: Timestamp,
    /// Where the request came from; absent for what the service and the command line on the database do.
    pub address: Option<IpAddr>,
    /// The provider of sign-ins with which the actor was coming in, by its name in the settings; absent for everything else.
    pub provider: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(scopes: &[Scope]) -> Scopes {
        Scopes(scopes.iter().copied().collect())
    }

    #[test]
    fn no_scopes_are_all_scopes() {
        let (all, read) = (Scopes::default(), scopes(&[Scope::ExecutionsRead]));
        assert!(all.allow(Scope::AuditRead) && read.allow(Scope::ExecutionsRead) && !read.allow(Scope::AuditRead));
        assert!(read.are_within(&all) && all.are_within(&all) && read.are_within(&read));
        assert!(!all.are_within(&read), "everything does not fit into a part");
        assert!(!scopes(&[Scope::ExecutionsRead, Scope::AuditRead]).are_within(&read));
    }

    #[test]
    fn words_on_the_wire_and_in_settings_agree() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }

    #[test]
    fn nothing_secret_is_shown_in_debug_texts() {
        let at = Timestamp::default();
        let key = ApiKey {
            id: ApiKeyId(Uuid::nil()),
            tenant_id: TenantId::DEFAULT,
            user_id: None,
            name: "ci".to_owned(),
            prefix: "abc".to_owned(),
            secret_hash: "digest-of-it".to_owned(),
            role: Role::Member,
            scopes: Scopes::default(),
            expires_at: Some(at.plus_millis(1)),
            last_used_at: None,
            revoked_at: None,
            created_by: None,
            created_at: at,
            updated_at: at,
        };
        assert!(!format!("{key:?}").contains("digest-of-it"));
        assert!(key.is_valid_at(at) && !key.is_valid_at(at.plus_millis(1)));
        assert!(!ApiKey { revoked_at: Some(at), ..key }.is_valid_at(at));
    }
}
