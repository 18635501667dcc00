//! Answers of the interface that are long and come as JSON or as text are compressed for whoever accepts that. Streams are not: each of their
//! frames is to arrive at once. Nor is what carries credentials: its length would tell something about them.

use super::dashboard::accepts;
use actix_http::encoding::Encoder;
use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::middleware::Next;

/// Shorter answers fit into a packet or two anyway.
const MIN_BYTES: u64 = 1_400;
/// What answers with keys, tokens and links, or takes them.
const CREDENTIALS: [&str; 4] = ["/api/v1/auth", "/api/v1/api-keys", "/api/v1/users", "/api/v1/secrets"];

/// The middleware.
pub async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let encoding = if is_worth_it(&response) { ContentEncoding::Gzip } else { ContentEncoding::Identity };
    Ok(response.map_body(|head, body| Encoder::response(encoding, head, body)))
}

fn is_worth_it<B: MessageBody>(response: &ServiceResponse<B>) -> bool {
    let BodySize::Sized(bytes) = response.response().body().size() else { return false };
    let request = response.request();
    let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_text = media_type.is_some_and(|it| it.starts_with("application/json") || it.starts_with("text/"));
    bytes >= MIN_BYTES
        && is_text
        && request.method() == Method::GET
        && !CREDENTIALS.iter().any(|prefix| request.path().starts_with(prefix))
        && accepts(request.headers(), &header::ACCEPT_ENCODING, "gzip")
}
