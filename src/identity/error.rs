//! Why somebody was not let in.

use crate::store;

/// Why identity did not do what it was asked. Texts never hold credentials.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not known, not well formed, revoked, or its owner is not active. Which of these is not told.
    #[error("the credential is not valid")]
    InvalidCredential,
    #[error("the credential has expired")]
    TokenExpired,
    /// A refresh token came a second time; its session has been ended.
    #[error("the refresh token was used before")]
    TokenReused,
    /// Address or password are wrong. Which of the two is not told.
    #[error("address or password are wrong")]
    WrongPassword,
    /// Too many attempts.
    #[error("too many attempts")]
    Throttled { retry_after_seconds: u64 },
    /// What was asked for goes beyond what the one who asks may do.
    #[error("{reason}")]
    Beyond { reason: String },
    /// A field that cannot be used.
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("the signing key: {reason}")]
    SigningKey { reason: String },
    #[error("{what}: {reason}")]
    File { what: &'static str, reason: String },
    #[error("providers cannot be asked: {reason}")]
    Client { reason: String },
    #[error("passwords cannot be hashed: {reason}")]
    Hashing { reason: String },
    #[error(transparent)]
    Store(#[from] store::Error),
}
