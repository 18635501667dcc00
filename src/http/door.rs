//! What every request passes on its way in and out: which host and origin it may come from, whose address it has, its id, its
//! span, its figures, and the missing facts of a problem.

use super::Service;
use super::error::Error;
use super::headers;
use super::origins::{self, Origins};
use super::routing::Pattern;
use super::throttle;
use crate::clock;
use crate::settings::{Origin, Scheme};
use crate::telemetry::{field, request_span};
use crate::wire::catalog::Code;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use std::time::Instant;
use tracing::Instrument;

/// The header under which a request's id travels.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, for what happens inside.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The longest request id that is taken over from the caller.
const MAX_REQUEST_ID_CHARACTERS: usize = 128;

/// The middleware.
pub async fn pass(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let began = Instant::now();
    let request_id = request_id(request.headers());
    let span = request_span(request_id.to_str().unwrap_or_default(), request.method().as_str(), request.path());
    let admitted = admit(&request);
    let mut response = match admitted {
        Err(error) => {
            let (request, _) = request.into_parts();
            let response = error.to_response(Some(request.path()), request_id.to_str().ok());
            ServiceResponse::new(request, response).map_into_right_body()
        }
        Ok(()) => {
            trim_slashes(&mut request);
            let id = RequestId(request_id.to_str().unwrap_or_default().to_owned());
            request.extensions_mut().insert(id);
            let response = next.call(request).instrument(span.clone()).await?;
            complete_problem(response, &request_id)
        }
    };
    for (name, value) in limits(response.request()) {
        response.headers_mut().insert(name, value);
    }
    span.record(field::STATUS, response.status().as_u16());
    count(&response, began);
    response.headers_mut().insert(REQUEST_ID, request_id);
    headers::protect(response.headers_mut());
    Ok(response)
}

/// Asks whether the request may come at all: where it is sent, from which page, and how many its address sends.
fn admit(request: &ServiceRequest) -> Result<(), Error> {
    let service = request.app_data::<web::Data<Service>>();
    let service = service.ok_or_else(|| Error::new(Code::Internal, "the application has no service"))?;
    service.proxies.note(request, request.peer_addr());
    refuse_strangers(request, &service.origins)?;
    service.throttle.count_address(request)
}

/// What the answer says about the limits.
fn limits(request: &HttpRequest) -> throttle::Headers {
    let service = request.app_data::<web::Data<Service>>();
    service.map_or_else(Vec::new, |service| service.throttle.headers(request))
}

/// The caller's id when it is a plain word, else a fresh one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        (1..=MAX_REQUEST_ID_CHARACTERS).contains(&bytes.len()) && bytes.iter().all(is_plain)
    };
    headers.get(REQUEST_ID).filter(is_plain).cloned().unwrap_or_else(|| {
        let mut text = uuid::Uuid::encode_buffer();
        let text = clock::new_id().simple().encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
    })
}

/// What probes and scrapers ask for. They address machines, which have no public name.
const OF_THE_MACHINE: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Refuses requests under foreign names and those that pages of other origins send; see `origins`.
fn refuse_strangers(request: &ServiceRequest, origins: &Origins) -> Result<(), Error> {
    let host = origins::host(request.uri(), request.headers());
    let own = origins.of_host(host);
    let is_probe = || {
        let is_address = Origin::of_host(Scheme::Http, host).is_some_and(|origin| origin.is_address());
        is_address && OF_THE_MACHINE.contains(&request.path())
    };
    if own.is_empty() && !host.is_empty() && !is_probe() {
        return Err(Error::new(Code::HostNotAllowed, format!("The request is addressed to '{host}'.")));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if (changes || upgrades)
        && let Some(origin) = request.headers().get(header::ORIGIN)
    {
        let origin = origin.to_str().unwrap_or_default();
        if !Origin::parse(origin).is_some_and(|origin| own.contains(&origin)) {
            return Err(Error::new(Code::OriginNotAllowed, format!("The request comes from a page of '{origin}'.")));
        }
    }
    Ok(())
}

/// `/executions/` is `/executions`. The folder of the documentation keeps its slash, since its pages are relative to it.
fn trim_slashes(request: &mut ServiceRequest) {
    let path = request.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() || path == super::openapi::DOCS_FOLDER {
        return;
    }
    let path_and_query = match request.uri().query() {
        Some(query) => PathAndQuery::try_from(format!("{trimmed}?{query}")),
        None => PathAndQuery::try_from(trimmed),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = path_and_query.ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

/// Puts the path and the request id into a problem that a handler has answered with.
fn complete_problem<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    request_id: &HeaderValue,
) -> ServiceResponse<actix_web::body::EitherBody<B>> {
    let problem = response.response().error().and_then(|error| error.as_error::<Error>());
    let Some(error) = problem else { return response.map_into_left_body() };
    let completed = error.to_response(Some(response.request().path()), request_id.to_str().ok());
    response.into_response(completed).map_into_right_body()
}

fn count<B>(response: &ServiceResponse<B>, began: Instant) {
    let request = response.request();
    let Some(service) = request.app_data::<web::Data<Service>>() else { return };
    let route = request.app_data::<Pattern>().map_or("none", |pattern| pattern.0);
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    service.metrics.request(method, route, response.status().as_u16(), began.elapsed());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Origins as PublicUrls;
    use actix_web::test::TestRequest;

    fn verdict(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Option<Code> {
        let mut request = TestRequest::with_uri(path).method(method);
        for header in headers {
            request = request.insert_header(*header);
        }
        let public = PublicUrls(vec![Origin::parse("https://callboard.example.com").unwrap()]);
        refuse_strangers(&request.to_srv_request(), &Origins::new(&public)).err().map(|error| error.code())
    }

    #[test]
    fn only_own_names_are_answered() {
        for host in ["localhost:8080", "127.0.0.1:1", "[::1]", "callboard.example.com", "CallBoard.example.com.:443"] {
            assert_eq!(verdict(Method::GET, "/", &[("host", host)]), None, "{host}");
        }
        for host in ["example.com", "callboard.example.com:8080", "10.0.0.1", "callboard.example.com@evil.example"] {
            assert_eq!(verdict(Method::GET, "/", &[("host", host)]), Some(Code::HostNotAllowed), "{host}");
        }
    }

    #[test]
    fn probes_may_address_the_machine() {
        assert_eq!(verdict(Method::GET, "/readyz", &[("host", "10.0.0.1:8080")]), None);
        assert_eq!(verdict(Method::GET, "/readyz", &[("host", "rebound.example")]), Some(Code::HostNotAllowed));
        assert_eq!(verdict(Method::GET, "/api/v1/agents", &[("host", "10.0.0.1:8080")]), Some(Code::HostNotAllowed));
    }

    #[test]
    fn pages_of_other_origins_may_look_but_not_touch() {
        let (local, public) = (("host", "localhost:8080"), ("host", "callboard.example.com"));
        let other = ("origin", "http://localhost:9090");
        assert_eq!(verdict(Method::GET, "/", &[local, other]), None);
        assert_eq!(verdict(Method::GET, "/", &[local, other, ("upgrade", "websocket")]), Some(Code::OriginNotAllowed));
        for (host, origin, is_own) in [
            (local, "http://localhost:8080", true),
            (local, "http://LOCALHOST:8080", true),
            (local, "http://localhost:9090", false),
            (local, "https://localhost:8080", false),
            (local, "https://callboard.example.com", false),
            (local, "null", false),
            (public, "https://callboard.example.com", true),
            (public, "https://callboard.example.com:443", true),
            (public, "http://callboard.example.com", false),
            (public, "https://callboard.example.com:8443", false),
            (public, "https://callboard.example.com.evil.example", false),
        ] {
            let verdict = verdict(Method::POST, "/", &[host, ("origin", origin)]);
            assert_eq!(verdict, (!is_own).then_some(Code::OriginNotAllowed), "{origin} on {host:?}");
        }
        assert_eq!(verdict(Method::POST, "/", &[local]), None);
    }

    #[test]
    fn a_request_id_is_taken_over_only_when_it_is_plain() {
        let given = |id: &'static str| {
            let request = TestRequest::default().insert_header((REQUEST_ID, id)).to_srv_request();
            request_id(request.headers()) == id
        };
        assert!(given("abc-1.2:3_4"));
        assert!(!given("a b"));
        assert!(!given("\"><script>"));
        assert!(!given(""));
    }
}
