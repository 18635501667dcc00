//! Tenants, people and keys as they cross the boundary. Only bodies with passwords and answers with fresh keys and links hold
//! secrets.

use crate::domain::quota::Limits;
use crate::domain::{ApiKey, ApiKeyId, Role, Scope, Tenant, TenantId, TenantLimits, Timestamp, User, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    pub id: UserId,
    pub tenant_id: TenantId,
    pub email: String,
    pub display_name: String,
    pub role: Role,
    pub is_active: bool,
    /// Whether they have chosen a password; until then they need a link.
    pub has_password: bool,
    #[schema(required)]
    pub locale: Option<String>,
    #[schema(required)]
    pub last_sign_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            tenant_id: user.tenant_id,
            email: user.email,
            display_name: user.display_name,
            role: user.role,
            is_active: user.is_active,
            has_password: user.password_hash.is_some(),
            locale: user.locale,
            last_sign_in_at: user.last_sign_in_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// The body that adds a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Unique in the tenant; kept in lower case.
    #[schema(max_length = 254)]
    pub email: String,
    #[schema(min_length = 1, max_length = 120)]
    pub display_name: String,
    /// Not above the own one.
    pub role: Role,
    /// 10 to 256 characters. Without it the answer carries a link with which the person chooses one.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 256)]
    pub password: Option<String>,
    /// A language tag such as `en-GB`.
    #[serde(default)]
    #[schema(max_length = 35)]
    pub locale: Option<String>,
}

/// The body that changes a person. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    #[serde(default)]
    #[schema(max_length = 254)]
    pub email: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub is_active: Option<bool>,
    #[serde(default)]
    #[schema(max_length = 35)]
    pub locale: Option<String>,
}

/// A person who was added, with the way in.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CreatedUser {
    #[serde(flatten)]
    pub user: UserView,
    /// For somebody without a password: shown once, good for a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_token: Option<String>,
}

/// A link for somebody who has forgotten their password.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ResetView {
    /// Shown once; exchanged at `/api/v1/auth/first-sign-in`.
    pub sign_in_token: String,
    pub expires_at: Timestamp,
}

/// One API key, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyView {
    pub id: ApiKeyId,
    pub tenant_id: TenantId,
    /// The person it acts for; null for a key of the tenant itself.
    #[schema(required)]
    pub user_id: Option<UserId>,
    pub name: String,
    /// The part of the key that is not secret.
    pub prefix: String,
    pub role: Role,
    /// What it is narrowed to; empty is everything that the role allows.
    pub scopes: Vec<Scope>,
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// Up to half a minute old.
    #[schema(required)]
    pub last_used_at: Option<Timestamp>,
    #[schema(required)]
    pub revoked_at: Option<Timestamp>,
    #[schema(required)]
    pub created_by: Option<String>,
    pub created_at: Timestamp,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            tenant_id: key.tenant_id,
            user_id: key.user_id,
            name: key.name,
            prefix: key.prefix,
            role: key.role,
            scopes: key.scopes.0.into_iter().collect(),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
            created_by: key.created_by,
            created_at: key.created_at,
        }
    }
}

/// The body that makes a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// Not above the own one, which is the default; in another tenant than the own one `admin` is.
    #[serde(default)]
    pub role: Option<Role>,
    /// What it is narrowed to; everything that the role allows when empty. Not wider than the own ones.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// Never when absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Whether it belongs to the tenant and not to whoever makes it: it then outlives them, and owns what it makes. For
    /// those who may write the keys of the tenant.
    #[serde(default)]
    pub is_shared: bool,
}

/// A fresh key. Its text is not to be had again.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CreatedApiKey {
    #[serde(flatten)]
    pub api_key: ApiKeyView,
    /// What goes into `X-API-Key`.
    pub key: String,
}

/// What a tenant may use; where a limit is absent, that of the settings holds, and 0 does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsView {
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    pub max_running_executions: Option<u64>,
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    pub max_queued_executions: Option<u64>,
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    pub max_tokens_per_month: Option<u64>,
    /// US dollars.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub max_cost_per_month: Option<f64>,
}

impl From<TenantLimits> for LimitsView {
    fn from(limits: TenantLimits) -> Self {
        Self {
            max_running_executions: limits.max_running_executions,
            max_queued_executions: limits.max_queued_executions,
            max_tokens_per_month: limits.max_tokens_per_month,
            max_cost_per_month: limits.max_cost_per_month,
        }
    }
}

impl From<Limits> for LimitsView {
    fn from(limits: Limits) -> Self {
        let Limits { max_running_executions, max_queued_executions, max_tokens_per_month, max_cost_per_month } = limits;
        Self { max_running_executions, max_queued_executions, max_tokens_per_month, max_cost_per_month }
    }
}

impl From<LimitsView> for TenantLimits {
    fn from(limits: LimitsView) -> Self {
        Self {
            max_running_executions: limits.max_running_executions,
            max_queued_executions: limits.max_queued_executions,
            max_tokens_per_month: limits.max_tokens_per_month,
            max_cost_per_month: limits.max_cost_per_month,
        }
    }
}

/// One tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub is_active: bool,
    /// What was decided for it; `null` is left to the settings of the service, 0 is no limit.
    pub limits: LimitsView,
    /// What holds: its own limits, with those of the settings in place of the ones that are not decided; `null` is no limit.
    pub limits_in_force: LimitsView,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl TenantView {
    /// `in_force` are the limits that hold for it.
    pub fn new(tenant: Tenant, in_force: Limits) -> Self {
        let Tenant { id, slug, name, is_active, limits, created_at, updated_at } = tenant;
        let limits_in_force = in_force.into();
        Self { id, slug, name, is_active, limits: limits.into(), limits_in_force, created_at, updated_at }
    }
}

/// The body that makes a tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// Unique: lower-case letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 63)]
    pub slug: String,
    #[serde(default)]
    pub limits: LimitsView,
}

/// The body that changes a tenant. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTenant {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub name: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 63)]
    pub slug: Option<String>,
    #[serde(default)]
    pub is_active: Option<bool>,
    /// All of them at once.
    #[serde(default)]
    pub limits: Option<LimitsView>,
}
