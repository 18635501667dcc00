//! Sign-ins, who one is, and the audit as they cross the boundary. Only answers to sign-ins hold secrets.

use super::identity::UserView;
use crate::domain::{AuditEntry, AuditId, Principal, PrincipalKind, Role, Scope, TenantId, Timestamp, User};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;
use uuid::Uuid;

/// The body of a sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    #[schema(max_length = 254)]
    pub email: String,
    #[schema(max_length = 256)]
    pub password: String,
    /// The slug of the tenant; needed only where the same address is known in several.
    #[serde(default)]
    #[schema(max_length = 63)]
    pub tenant: Option<String>,
}

/// The body that exchanges a one-time link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstSignIn {
    #[schema(max_length = 256)]
    pub token: String,
    /// 10 to 256 characters.
    #[schema(min_length = 10, max_length = 256)]
    pub password: String,
    /// Chosen by the first operator; for everybody else the one they were added with, and needless.
    #[serde(default)]
    #[schema(max_length = 254)]
    pub email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub display_name: Option<String>,
}

/// The body of a refresh and of signing out; browsers leave the token out, their cookie carries it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// What somebody gets who has signed in.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// What goes behind `Authorization: Bearer`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds for which the access token is good.
    pub expires_in: u64,
    /// Good once, for the next access token. The cookie holds the same.
    pub refresh_token: String,
    /// When the password will be asked for again.
    pub session_expires_at: Timestamp,
    pub user: UserView,
}

/// The providers that people may sign in with.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ProviderList {
    pub items: Vec<ProviderView>,
}

/// A provider that people may sign in with.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ProviderView {
    /// Names it in addresses: `/api/v1/auth/oidc/{provider}/start`.
    pub id: String,
    /// What people read.
    pub label: String,
}

/// Who asks, as the service sees them.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub kind: PrincipalKind,
    #[schema(value_type = String, format = "uuid")]
    pub id: Uuid,
    /// What `created_by` of own things says.
    #[schema(value_type = String, format = "uuid")]
    pub owner_id: Uuid,
    pub tenant_id: TenantId,
    pub role: Role,
    pub scopes: Vec<Scope>,
    pub name: String,
    /// When the credential ends.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// The person; null for a key of the tenant itself.
    #[schema(required)]
    pub user: Option<UserView>,
}

impl Me {
    pub fn new(principal: &Principal, expires_at: Option<Timestamp>, user: Option<User>) -> Self {
        Self {
            kind: principal.kind,
            id: principal.id,
            owner_id: principal.owner_id,
            tenant_id: principal.tenant_id,
            role: principal.role,
            scopes: principal.scopes.0.iter().copied().collect(),
            name: principal.name.clone(),
            expires_at,
            user: user.map(UserView::from),
        }
    }
}

/// The body that changes oneself. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMe {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub display_name: Option<String>,
    #[serde(default)]
    #[schema(max_length = 35)]
    pub locale: Option<String>,
    /// 10 to 256 characters; ends all sessions. Needs `current_password`.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 256)]
    pub password: Option<String>,
    #[serde(default)]
    #[schema(max_length = 256)]
    pub current_password: Option<String>,
}

/// What goes into the address of a WebSocket or an event stream.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TicketView {
    /// Good once, as `?ticket=`.
    pub ticket: String,
    pub expires_at: Timestamp,
}

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    pub id: AuditId,
    pub at: Timestamp,
    #[schema(required)]
    pub actor_kind: Option<PrincipalKind>,
    /// Null for the service itself and the command line on its database.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub action: String,
    pub target_kind: String,
    pub target_id: String,
    #[schema(required)]
    pub request_id: Option<String>,
    /// SHA-256 of what the thing looked like, without secrets.
    #[schema(required)]
    pub before_digest: Option<String>,
    #[schema(required)]
    pub after_digest: Option<String>,
    /// The IP address that the request came from; null for what the service itself and the command line do.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// The provider with which the actor was coming in, by its name in the settings: of sign-ins with one, and of what they change.
    /// Null for everything else.
    #[schema(required)]
    pub provider: Option<String>,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            actor_name: entry.actor_name,
            action: entry.action,
            target_kind: entry.target_kind,
            target_id: entry.target_id,
            request_id: entry.request_id,
            before_digest: entry.before_digest,
            after_digest: entry.after_digest,
            address: entry.address,
            provider: entry.provider,
        }
    }
}
