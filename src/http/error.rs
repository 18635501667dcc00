//! How every refusal becomes an answer: `application/problem+json` from the one catalog (`wire::catalog`).
//!
//! Handlers return [`Error`]; the door (`door.rs`) adds the path and the request id before it goes out.

use crate::actors::Refusal;
use crate::actors::refusal::{field_error, problem, store_problem};
use crate::domain::definition::{self, Severity};
use crate::identity;
use crate::store;
use crate::wire::catalog::Code;
use crate::wire::problem::{FieldError, Problem};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use std::fmt;

/// A refusal on its way out.
#[derive(Debug)]
pub struct Error {
    problem: Box<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How long callers are asked to wait when the service or its database is away.
const AWAY_RETRY_SECONDS: u64 = 2;

impl Error {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self::from(Problem::new(code, detail))
    }

    /// There is nothing with this id, or it belongs to somebody else: the two look the same.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no {what} '{id}'."))
    }

    /// A header that cannot be used.
    pub fn invalid_header(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let error = FieldError { detail: detail.clone(), header: Some(name.to_owned()), ..FieldError::default() };
        Self::from(Problem::new(Code::InvalidHeader, detail).with_errors(vec![error]))
    }

    /// Fields that cannot be used, by JSON pointer.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => match only.pointer.as_deref() {
                Some("") | None => only.detail.clone(),
                Some(pointer) => format!("{pointer}: {}", only.detail),
            },
            several => format!("{} fields are not valid.", several.len()),
        };
        Self::from(Problem::new(Code::InvalidBody, detail).with_errors(errors))
    }

    /// One field that cannot be used.
    pub fn invalid_field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldError {
            detail: detail.into(),
            pointer: Some(pointer.to_owned()),
            ..FieldError::default()
        }])
    }

    /// A definition with its problems.
    pub fn invalid_definition(problems: &[definition::Problem]) -> Self {
        let detail = match problems.iter().filter(|problem| problem.severity == Severity::Error).count() {
            1 => "The definition has one problem.".to_owned(),
            several => format!("The definition has {several} problems."),
        };
        let errors = problems.iter().map(field_error).collect();
        Self::from(Problem::new(Code::InvalidDefinition, detail).with_errors(errors))
    }

    /// A refusal of the engine that concerns the thing with this id.
    pub fn of_refusal(refusal: Refusal, what: &str, id: impl fmt::Display) -> Self {
        if matches!(refusal, Refusal::NotFound | Refusal::Store(store::Error::NotFound)) {
            return Self::not_found(what, &id.to_string());
        }
        Self::from(refusal)
    }

    /// An error of the store that concerns the thing with this id.
    pub fn of_store(error: store::Error, what: &str, id: impl fmt::Display) -> Self {
        if matches!(error, store::Error::NotFound) {
            return Self::not_found(what, &id.to_string());
        }
        Self::from(error)
    }

    /// The problem alone, for a frame.
    pub fn into_problem(self) -> Box<Problem> {
        self.problem
    }

    pub fn code(&self) -> Code {
        self.problem.code
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Tells the caller to come back where waiting helps.
    fn with_retry_after(self, seconds: Option<u64>) -> Self {
        let is_away = self.problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16();
        match seconds.or(is_away.then_some(AWAY_RETRY_SECONDS)) {
            Some(seconds) => self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1))),
            None => self,
        }
    }

    /// The answer, with the facts that only the request knows.
    pub fn to_response(&self, instance: Option<&str>, request_id: Option<&str>) -> HttpResponse {
        let problem = Problem {
            instance: instance.map(str::to_owned),
            request_id: request_id.map(str::to_owned),
            ..Problem::clone(&self.problem)
        };
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        // Every field of a problem has a JSON form.
        response.body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), headers: Vec::new() }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let seconds = refusal.retry_after_seconds();
        Self::from(problem(&refusal)).with_retry_after(seconds)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        if matches!(error, store::Error::TenantGone) {
            return Self::from(identity::Error::InvalidCredential);
        }
        Self::from(store_problem(&error)).with_retry_after(None)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem.title, self.problem.detail)
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.to_response(None, None)
    }
}
