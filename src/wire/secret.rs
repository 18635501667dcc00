//! Secrets as they are shown: everything but the value.

use crate::domain::redaction::too_short;
use crate::domain::{Secret, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One secret, without its value, which is never shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// Unique in its tenant; what `use.secrets` lists.
    pub name: String,
    #[schema(required)]
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    /// When its value was given last.
    pub updated_at: Timestamp,
    /// The key that it is encrypted with.
    pub key_id: String,
    /// Whether the service has that key. Otherwise executions that read it fail.
    pub is_readable: bool,
}

impl SecretView {
    pub fn new(secret: Secret, is_readable: bool) -> Self {
        let Secret { tenant_id: _, name, created_by, created_at, updated_at, sealed } = secret;
        Self { name, created_by, created_at, updated_at, key_id: sealed.key_id, is_readable }
    }
}

/// The body that stores a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecret {
    /// A text of at least 6 bytes, or an object; at most 64 KiB.
    #[schema(value_type = SecretValue)]
    pub value: Value,
}

/// What a secret may be.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum SecretValue {
    Text(String),
    Object(serde_json::Map<String, Value>),
}

/// A secret that was stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoredSecret {
    #[serde(flatten)]
    pub secret: SecretView,
    /// JSON pointers of parts of the value that are too short to be recognized: they are used like the others, but are not kept out
    /// of journals and logs.
    pub unprotected: Vec<String>,
}

impl StoredSecret {
    /// `value` is what was stored.
    pub fn unprotected(value: &Value) -> Vec<String> {
        too_short(value)
    }
}

/// What a rotation has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotationView {
    /// Secrets that were encrypted with an older key and are now encrypted with the current one.
    pub rotated: u64,
    /// Secrets that are encrypted with a key the service does not have; they were left as they are.
    pub unreadable: u64,
}
