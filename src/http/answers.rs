//! Answers that are kept for 24 hours and given once more to whoever repeats a request with its `Idempotency-Key`.
//!
//! An answer is stored in the transaction that makes what it is about: neither is there without the other, whatever becomes of
//! the process or of whoever asked. It is sealed by the vault together with the digest of its request, since answers hold fresh
//! keys and links, and requests passwords. A handler first asks whether the caller may do it, then [`begin`]s, so that nobody is
//! given an answer that they would not get anew.

use super::Service;
use super::caller::Caller;
use super::error::{Error, Result};
use super::idempotency::{self, InFlight};
use crate::domain::TenantId;
use crate::store::{Idempotency, Kept, KeptAnswer, Store};
use crate::vault::Answered;
use crate::wire::catalog::Code;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

/// What the key of a request tells about it.
pub enum Asked {
    /// It was answered before; this is that answer.
    Before(HttpResponse),
    /// It is to be done now.
    Now(Asking),
}

/// A request that is being done.
pub struct Asking {
    service: web::Data<Service>,
    tenant_id: TenantId,
    request_digest: String,
    /// Absent without a key.
    key: Option<InFlight>,
}

/// What will be answered when it has been done.
pub struct Answer {
    status: StatusCode,
    body: String,
    kept: Option<KeptAnswer>,
    /// Taken until the answer is on its way.
    _key: Option<InFlight>,
}

/// Looks for the answer to an earlier request with the same key, of the same principal.
///
/// Keys belong to the very principal that sends them: what a person was told is not repeated to a key of theirs that is
/// narrowed to less.
///
/// # Errors
/// When the key belongs to another request, or to one that is still being done; when its answer cannot be opened any more.
pub async fn begin(service: &web::Data<Service>, caller: &Caller, request: &HttpRequest, body: &[u8]) -> Result<Asked> {
    let tenant_id = caller.tenant_id;
    let asking = |request_digest, key| Asking { service: service.clone(), tenant_id, request_digest, key };
    let Some(shown) = idempotency::key(request)? else { return Ok(Asked::Now(asking(String::new(), None))) };
    let key = Idempotency::stored_key(&caller.principal().id.to_string(), shown);
    let in_flight = InFlight::begin(request, tenant_id, key.clone(), shown)?;
    let request_digest = idempotency::digest(request, body);
    let kept = match service.engine.store().kept_answer(tenant_id, key).await? {
        None => return Ok(Asked::Now(asking(request_digest, Some(in_flight)))),
        Some(Kept::Other { execution_id: Some(id) }) => return Err(idempotency::used_for_execution(shown, id)),
        Some(Kept::Other { execution_id: None }) => return Err(idempotency::used(shown, None)),
        Some(Kept::Answer(kept)) => kept,
    };
    match service.vault.open_answer(&kept) {
        Some(known) if known.request_digest == request_digest => {
            Ok(Asked::Before(idempotency::replay(request, kept.status, known.body)))
        }
        Some(_) => Err(idempotency::used(shown, kept.made_id.as_deref())),
        None => Err(unreadable(shown, kept.made_id.as_deref())),
    }
}

impl Asking {
    /// What will be answered, to be made known to the store before the work is done.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn answer<T: Serialize>(self, status: StatusCode, value: &T) -> Result<Answer> {
        let internal = |error: String| Error::new(Code::Internal, error);
        let body = serde_json::to_string(value).map_err(|error| internal(error.to_string()))?;
        let Self { service, tenant_id, request_digest, key } = self;
        let Some(key) = key else { return Ok(Answer { status, body, kept: None, _key: None }) };
        let answered = Answered { request_digest, body };
        let sealed = service.vault.seal_answer(tenant_id, key.key(), &answered);
        let sealed = sealed.map_err(|error| internal(error.to_string()))?;
        let body = answered.body;
        let made_id = idempotency::made(&body);
        let kept = KeptAnswer { tenant_id, key: key.key().to_owned(), status: status.as_u16(), made_id, sealed };
        Ok(Answer { status, body, kept: Some(kept), _key: Some(key) })
    }
}

impl Answer {
    /// The store for the one write that does what is answered.
    pub fn keeping(&self, store: &Store) -> Store {
        store.keeping(self.kept.clone())
    }

    /// The answer itself, once that is done.
    pub fn send(self, request: &HttpRequest) -> HttpResponse {
        idempotency::created(request, self.status, self.body, false)
    }
}

fn unreadable(key: &str, made: Option<&str>) -> Error {
    let made = made.map(|id| format!(" It has made {id}.")).unwrap_or_default();
    let detail = format!("The key '{key}' was used, and what was answered can no longer be decrypted.{made}");
    Error::new(Code::IdempotencyConflict, detail)
}
