//! `Idempotency-Key`: a request that creates something may be repeated without creating it twice.
//!
//! Here are the header, the keys that are in use right now, and the requests whose answer is known only when they are done. What is
//! known before it is stored goes through `answers`.

use super::Service;
use super::caller::Caller;
use super::error::{Error, Result};
use crate::domain::{ExecutionId, TenantId};
use crate::store::{self, Idempotency};
use crate::wire::catalog::Code;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The header.
pub const KEY: &str = "Idempotency-Key";
/// Says that the answer is the first one once more.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key.
pub const MAX_KEY_CHARACTERS: usize = 255;

/// The key of a request, with the digest by which a repetition is told from another request.
///
/// # Errors
/// As [`key`].
pub fn of(request: &HttpRequest, body: &[u8]) -> Result<Option<Idempotency>> {
    let Some(key) = key(request)? else { return Ok(None) };
    // Each person has keys of their own, whatever credential they use. A key has no space.
    let owner = request.extensions().get::<Caller>().map(Caller::owner).unwrap_or_default();
    Ok(Some(Idempotency { key: Idempotency::stored_key(&owner, key), request_digest: digest(request, body) }))
}

/// The key of a request.
///
/// # Errors
/// When it is empty, too long or contains anything but visible ASCII characters.
pub fn key(request: &HttpRequest) -> Result<Option<&str>> {
    let Some(value) = request.headers().get(KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if !(1..=MAX_KEY_CHARACTERS).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!("{KEY} must be 1 to {MAX_KEY_CHARACTERS} visible ASCII characters.");
        return Err(Error::invalid_header(KEY, detail));
    }
    Ok(Some(key))
}

/// The digest of method, path and body.
pub fn digest(request: &HttpRequest, body: &[u8]) -> String {
    let mut text = Vec::with_capacity(body.len() + request.path().len() + 8);
    text.extend_from_slice(request.method().as_str().as_bytes());
    text.push(b' ');
    text.extend_from_slice(request.path().as_bytes());
    text.push(b'\n');
    text.extend_from_slice(body);
    store::digest(&text)
}

/// What a key tells about a request that makes something else than an execution. (An execution's key is taken in the very
/// transaction that creates it.)
pub enum Once {
    /// It was answered before; this is that answer.
    Answered(HttpResponse),
    /// It is to be done now.
    Begun(Box<Begun>),
}

/// A request that is being done. Whoever begins it finishes it.
pub struct Begun {
    service: web::Data<Service>,
    tenant_id: TenantId,
    key: Option<InFlight>,
}

/// Takes the key of a request, when it has one.
///
/// # Errors
/// When the key belongs to another request, or to the same one that is still being done.
pub async fn begin(service: &web::Data<Service>, caller: &Caller, request: &HttpRequest, body: &[u8]) -> Result<Once> {
    let tenant_id = caller.tenant_id;
    let begun = |key| Once::Begun(Box::new(Begun { service: service.clone(), tenant_id, key }));
    let Some(idempotency) = of(request, body)? else { return Ok(begun(None)) };
    let key = idempotency.shown().to_owned();
    let stored = idempotency.key.clone();
    let in_flight = InFlight::begin(request, tenant_id, stored, &key)?;
    match service.engine.store().begin_request(tenant_id, idempotency).await? {
        // One that was in progress when the process died is done again.
        store::Begun::New | store::Begun::InProgress => Ok(begun(Some(in_flight))),
        store::Begun::Answered { status, body } => Ok(Once::Answered(replay(request, status, body))),
        store::Begun::Execution { execution_id, .. } => Err(used_for_execution(&key, execution_id)),
        store::Begun::OtherRequest { body } => {
            let made = body.and_then(|body| made(&body));
            Err(used(&key, made.as_deref()))
        }
    }
}

/// The refusal of a key that was used for another request, which has made something, as far as that is known.
pub fn used(key: &str, made: Option<&str>) -> Error {
    let detail = match made {
        Some(id) => format!("The key '{key}' was used for another request, which has made {id}."),
        None => format!("The key '{key}' was used for another request."),
    };
    Error::new(Code::IdempotencyConflict, detail)
}

/// The refusal of a key that was used for an execution.
pub fn used_for_execution(key: &str, id: ExecutionId) -> Error {
    Error::new(Code::IdempotencyConflict, format!("The key '{key}' was used for execution {id}."))
}

impl Begun {
    /// Answers with what was made, and keeps the answer for repetitions. A refusal gives the key back.
    pub async fn finish<T: Serialize>(
        self,
        request: &HttpRequest,
        answer: Result<(StatusCode, T)>,
    ) -> Result<HttpResponse> {
        let store = self.service.engine.store();
        let key = self.key.as_ref().map(|in_flight| in_flight.key.clone());
        match answer {
            Ok((status, value)) => {
                let body =
                    serde_json::to_string(&value).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
                if let Some(key) = key {
                    store.finish_request(self.tenant_id, key, status.as_u16(), body.clone()).await?;
                }
                Ok(created(request, status, body, false))
            }
            Err(error) => {
                if let Some(key) = key {
                    store.abandon_request(self.tenant_id, key).await?;
                }
                Err(error)
            }
        }
    }
}

/// An answer once more.
pub fn replay(request: &HttpRequest, status: u16, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    created(request, status, body, true)
}

/// The answer about something that was made: `Location` is its own address.
pub fn created(request: &HttpRequest, status: StatusCode, body: String, is_replayed: bool) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.content_type("application/json");
    if let Some(id) = made(&body) {
        response.insert_header((header::LOCATION, format!("{}/{id}", request.path())));
    }
    if is_replayed {
        response.insert_header((REPLAYED, "true"));
    }
    response.body(body)
}

/// The id of the thing that an answer is about.
pub fn made(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Made {
        id: Uuid,
    }
    serde_json::from_str(body).ok().map(|Made { id }| id.to_string())
}

/// The keys of requests that are being served right now. Only one process works on a database, so memory is enough.
pub type Keys = Arc<Mutex<HashSet<(TenantId, String)>>>;

/// A key in [`Keys`], for as long as it lives.
pub struct InFlight {
    keys: Keys,
    tenant_id: TenantId,
    key: String,
}

impl InFlight {
    /// Takes a key for as long as a request is being served. `shown` is the key as its sender wrote it.
    ///
    /// # Errors
    /// When it is taken.
    pub fn begin(request: &HttpRequest, tenant_id: TenantId, key: String, shown: &str) -> Result<Self> {
        let keys = request.app_data::<Keys>().cloned().unwrap_or_default();
        if keys.lock().unwrap_or_else(PoisonError::into_inner).insert((tenant_id, key.clone())) {
            return Ok(Self { keys, tenant_id, key });
        }
        Err(Error::new(Code::RequestInProgress, format!("The request with the key '{shown}' is being served.")))
    }

    /// The key as it is stored.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let key = (self.tenant_id, std::mem::take(&mut self.key));
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}
