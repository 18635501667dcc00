//! Refusals as problem details: the same over HTTP and in `error` frames.

use super::command::Refusal;
use crate::domain::{Denial, definition};
use crate::store;
use crate::wire::catalog::Code;
use crate::wire::problem::{FieldError, Problem};

/// What a caller is told.
pub fn problem(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::NotFound => Problem::new(Code::NotFound, detail),
        Refusal::UnknownReference { .. } => Problem::new(Code::NotFound, detail),
        Refusal::WrongState { .. } => Problem::new(Code::WrongState, detail),
        Refusal::QueueFull { .. } => Problem::new(Code::QueueFull, detail),
        Refusal::TenantQueueFull { .. } => Problem::new(Code::TenantQueueFull, detail),
        Refusal::ShuttingDown => Problem::new(Code::ShuttingDown, detail),
        Refusal::Crashed => Problem::new(Code::Internal, detail),
        Refusal::Invalid(problems) => {
            Problem::new(Code::InvalidDefinition, detail).with_errors(problems.iter().map(field_error).collect())
        }
        Refusal::IdempotencyConflict { .. } | Refusal::Replayed(_) => Problem::new(Code::IdempotencyConflict, detail),
        Refusal::Store(error) => store_problem(error),
    }
}

/// A store error as problem details. Its text goes to the log, not to the caller, unless the caller can act on it.
pub fn store_problem(error: &store::Error) -> Problem {
    match error {
        store::Error::NotFound => Problem::new(Code::NotFound, error.to_string()),
        store::Error::Terminal { .. } => Problem::new(Code::WrongState, error.to_string()),
        store::Error::Conflict { .. } | store::Error::AlreadyExists { .. } => {
            Problem::new(Code::AlreadyExists, error.to_string())
        }
        store::Error::Obstacle { .. } => Problem::new(Code::Conflict, error.to_string()),
        store::Error::TenantGone => Problem::new(Code::InvalidCredentials, error.to_string()),
        store::Error::LimitReached { .. } => Problem::new(Code::LimitReached, error.to_string()),
        store::Error::IdempotencyKeyUsed { .. } => Problem::new(Code::IdempotencyConflict, error.to_string()),
        store::Error::InvalidCursor => {
            let detail = error.to_string();
            let field =
                FieldError { detail: detail.clone(), parameter: Some("cursor".to_owned()), ..FieldError::default() };
            Problem::new(Code::InvalidQuery, detail)
                .with_errors(vec![field])
                .with_suggestion("Give back `next_cursor` as it came, or begin again without a cursor.")
        }
        store::Error::Unavailable { .. }
        | store::Error::Unexplained { .. }
        | store::Error::Closed
        | store::Error::Occupied { .. } => {
            tracing::warn!(%error, "the store did not answer");
            Problem::new(Code::StoreUnavailable, "the database cannot be reached right now")
        }
        store::Error::StaleEpoch { .. }
        | store::Error::OutOfSequence { .. }
        | store::Error::Configuration { .. }
        | store::Error::Migration { .. }
        | store::Error::Corrupt { .. }
        | store::Error::NotTaken { .. }
        | store::Error::Database { .. } => {
            tracing::error!(%error, "the store made a mistake");
            Problem::new(Code::Internal, "the request could not be served")
        }
    }
}

/// Why somebody may not do something.
pub fn denied(denial: Denial) -> Problem {
    match denial {
        Denial::Foreign => Problem::new(Code::NotFound, "There is nothing with this id."),
        Denial::Role { .. } | Denial::Scope { .. } | Denial::NotOwn { .. } => {
            let mut detail = denial.to_string();
            if let Some(first) = detail.get(..1).map(str::to_uppercase) {
                detail.replace_range(..1, &first);
            }
            Problem::new(Code::Forbidden, format!("{detail}."))
        }
    }
}

/// One problem of a definition.
pub fn field_error(problem: &definition::Problem) -> FieldError {
    let severity = match problem.severity {
        definition::Severity::Error => "error",
        definition::Severity::Warning => "warning",
    };
    FieldError {
        detail: problem.message.clone(),
        pointer: Some(problem.pointer.clone()),
        code: Some(problem.code.to_owned()),
        severity: Some(severity.to_owned()),
        line: problem.line,
        column: problem.column,
        suggestion: problem.suggestion.clone(),
        ..FieldError::default()
    }
}
