//! What can go wrong in the store. Texts never hold credentials.

use crate::domain::{ExecutionId, Status};
use crate::failure_points::Injected;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached or written right now. Nothing was acknowledged; whether the last write arrived is
    /// told by reading. Worth trying again.
    #[error("the database is not available: {reason}")]
    Unavailable { reason: String },
    /// The database answered with an error that does not tell whether it is about this write or about the database. Nothing
    /// was acknowledged. Whether it takes anything else is told by [`Store::try_write`](super::Store::try_write).
    #[error("the database did not take a statement: {reason}")]
    Unexplained { reason: String },
    /// The database takes other writes and, after many tries, not this one. Nothing of it is stored.
    #[error("the database takes other writes and not this one: {reason}")]
    NotTaken { reason: String },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The writer of these events no longer owns the execution.
    #[error("epoch {given} no longer owns the execution, epoch {current} does")]
    StaleEpoch { given: u32, current: u32 },
    /// A terminal status never changes.
    #[error("the execution is already {status}")]
    Terminal { status: Status },
    /// The first event of an append does not follow the last one stored.
    #[error("the append starts at event {given}, the journal ends at {last_seq}")]
    OutOfSequence { given: u64, last_seq: u64 },
    #[error("not found")]
    NotFound,
    #[error("execution {id} exists already")]
    AlreadyExists { id: ExecutionId },
    /// The idempotency key has been used before, within its life, for this execution.
    #[error("the idempotency key was used for execution {execution_id}")]
    IdempotencyKeyUsed {
        execution_id: ExecutionId,
        /// Whether the earlier request was the same one; if so, its answer may be replayed.
        same_request: bool,
    },
    /// The write contradicts what is stored, for example another text under a registered version.
    #[error("{message}")]
    Conflict { message: String },
    /// What is asked for cannot be as things are now: somebody else has changed the same, or it is the last of its kind.
    #[error("{message}")]
    Obstacle { message: String },
    /// The tenant of the write is gone, or is being deleted.
    #[error("the tenant is being deleted")]
    TenantGone,
    /// There are as many of these as there may be.
    #[error("{message}")]
    LimitReached { message: String },
    /// A cursor that this store did not hand out.
    #[error("the cursor is not valid")]
    InvalidCursor,
    /// Another process works on this database.
    #[error("{message}")]
    Occupied { message: String },
    /// The settings of the store are wrong.
    #[error("{message}")]
    Configuration { message: String },
    #[error("migration failed: {reason}")]
    Migration { reason: String },
    /// A stored row cannot be read back.
    #[error("stored {what} cannot be read: {reason}")]
    Corrupt { what: &'static str, reason: String },
    /// The database refused a statement. Trying again does not help.
    #[error("the database refused a statement: {reason}")]
    Database { reason: String },
}

impl Error {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unexplained { .. })
    }

    pub(super) fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }

    pub(super) fn corrupt(what: &'static str, reason: impl ToString) -> Self {
        Self::Corrupt { what, reason: reason.to_string() }
    }
}

/// What databases say when it is they that are in trouble. SQLite always uses these words; PostgreSQL may translate its own.
const TROUBLES: [&str; 13] = [
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "database disk image is malformed",
    "out of memory",
    "interrupted",
    "No space left on device",
    "could not extend file",
    "could not write to file",
];

fn is_of_the_database(reason: &str) -> bool {
    TROUBLES.iter().any(|trouble| reason.contains(trouble))
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        Self::unavailable(injected)
    }
}

impl From<diesel::result::Error> for Error {
    #[expect(clippy::wildcard_enum_match_arm, reason = "diesel's errors may grow; what is not known may pass")]
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as Kind, Error as Diesel};
        let reason = error.to_string();
        match error {
            Diesel::NotFound => Self::NotFound,
            Diesel::DatabaseError(
                Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::NotNullViolation
                | Kind::CheckViolation
                | Kind::RestrictViolation
                | Kind::ExclusionViolation,
                _,
            )
            | Diesel::InvalidCString(_)
            | Diesel::SerializationError(_)
            | Diesel::QueryBuilderError(_) => Self::Database { reason },
            Diesel::DeserializationError(_) => Self::Corrupt { what: "row", reason },
            // A trigger, a row that is too large, a full disk: neither database tells these apart by kind.
            Diesel::DatabaseError(Kind::Unknown, _) if !is_of_the_database(&reason) => Self::Unexplained { reason },
            _ => Self::Unavailable { reason },
        }
    }
}
