//! `Idempotency-Key`: a request that creates something may be repeated without creating it twice.

use super::error::{Error, Result};
use crate::store::{self, Idempotency};
use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

const KEY: &str = "Idempotency-Key";
/// Says that the answer is the first one once more.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY_CHARACTERS: usize = 255;

/// The key of a request, with the digest by which a repetition is told from another request: method, path and body.
///
/// # Errors
/// When the key is empty, too long or contains anything but visible ASCII characters.
pub fn of(request: &HttpRequest, body: &[u8]) -> Result<Option<Idempotency>> {
    let Some(value) = request.headers().get(KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    if !(1..=MAX_KEY_CHARACTERS).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!("{KEY} must be 1 to {MAX_KEY_CHARACTERS} visible ASCII characters.");
        return Err(Error::invalid_header(KEY, detail));
    }
    let mut text = Vec::with_capacity(body.len() + request.path().len() + 8);
    text.extend_from_slice(request.method().as_str().as_bytes());
    text.push(b' ');
    text.extend_from_slice(request.path().as_bytes());
    text.push(b'\n');
    text.extend_from_slice(body);
    Ok(Some(Idempotency { key: key.to_owned(), request_digest: store::digest(&text) }))
}
