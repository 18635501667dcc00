//! Who may pass a route: finds the credential of a request, asks identity who that is, counts the request against their
//! limit, and asks the table whether they may.
//!
//! The route table names an [`Access`] per address and method; what passes carries its [`Caller`]. Whether a thing is the
//! caller's own is asked by the handler that reads it.

use super::Service;
use super::caller::Caller;
use super::client_address;
use super::door::RequestId;
use super::error::{Error, Result};
use crate::actors::refusal::denied;
use crate::domain::{Action, Denial, Reach, TenantId};
use crate::identity::{self, Standing};
use crate::wire::catalog::Code;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

/// Where a key may stand instead of `Authorization`.
pub const API_KEY: &str = "x-api-key";
/// Where an operator names another tenant.
pub const TENANT: &str = "x-tenant-id";
/// The parameters by which those who cannot send headers say who they are; live routes only.
pub const LIVE_PARAMETERS: [&str; 3] = ["ticket", "token", "tenant_id"];
/// The word before a token in `Sec-WebSocket-Protocol`.
pub const PROTOCOL: &str = "bearer";

/// What a route asks of whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// To be allowed an action.
    Needs(Action),
    /// The same, and the credential may stand in the address: browsers cannot send headers with these.
    Live(Action),
}

impl From<Action> for Access {
    fn from(action: Action) -> Self {
        Self::Needs(action)
    }
}

impl Access {
    pub fn action(self) -> Option<Action> {
        match self {
            Self::Open => None,
            Self::Needs(action) | Self::Live(action) => Some(action),
        }
    }
}

/// The accesses of an address, by method.
pub type Accesses = Vec<(Method, Access)>;

/// The middleware of every address.
pub async fn pass<B: MessageBody + 'static>(
    accesses: &Accesses,
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    // Another method is answered with 405, whoever asks.
    let access = accesses.iter().find(|(known, _)| known == method).map_or(Access::Open, |(_, access)| *access);
    if let Some(action) = access.action() {
        match caller(&request, action, matches!(access, Access::Live(_))).await {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
            }
            Err(error) => return Ok(request.error_response(error).map_into_right_body()),
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}

async fn caller(request: &ServiceRequest, action: Action, is_live: bool) -> Result<Caller> {
    let service = request.app_data::<web::Data<Service>>();
    let service = service.ok_or_else(|| Error::new(Code::Internal, "the application has no service"))?;
    let shown = shown(request.headers(), request.query_string(), is_live)?;
    let standing = match shown {
        Shown::Nothing => return Err(unauthenticated()),
        Shown::Credential(text) => service.identity.authenticate(&text).await?,
        Shown::Ticket(text) => service.identity.redeem_ticket(&text).await?,
    };
    service.throttle.count_principal(request, &standing.principal)?;
    let reach = standing.principal.reach(action);
    let tenant_id = tenant(request, service, &standing, reach, is_live).await?;
    let reach = reach?;
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    Ok(Caller { tenant_id, standing, reach, request_id, address: client_address::of(request) })
}

/// The tenant in which a request works.
async fn tenant(
    request: &ServiceRequest,
    service: &Service,
    standing: &Standing,
    reach: std::result::Result<Reach, Denial>,
    is_live: bool,
) -> Result<TenantId> {
    let own = standing.principal.tenant_id;
    let in_header = request.headers().get(TENANT).map(|value| value.to_str().unwrap_or_default().to_owned());
    let named = in_header.or_else(|| if is_live { parameter(request.query_string(), "tenant_id") } else { None });
    let Some(named) = named else { return Ok(own) };
    let unknown = || Error::not_found("tenant", &named);
    let id: TenantId = named.parse().map_err(|_| unknown())?;
    if id == own {
        return Ok(own);
    }
    if reach != Ok(Reach::Platform) {
        return Err(unknown());
    }
    let tenant = service.engine.store().tenant(id).await;
    tenant.map(|tenant| tenant.id).map_err(|error| Error::of_store(error, "tenant", id))
}

/// What a request shows.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    /// A key or an access token.
    Credential(String),
    Ticket(String),
}

/// The credential of a request.
///
/// # Errors
/// For an `Authorization` that is not understood.
fn shown(headers: &HeaderMap, query: &str, is_live: bool) -> Result<Shown> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.contains_key(header::AUTHORIZATION) {
        let bearer = text(header::AUTHORIZATION).and_then(bearer).ok_or_else(|| {
            Error::new(Code::InvalidCredentials, "Authorization must be `Bearer` and a token or an API key.")
                .with_header(header::WWW_AUTHENTICATE, challenge(Some("invalid_request")))
        })?;
        return Ok(Shown::Credential(bearer.to_owned()));
    }
    if let Some(key) = text(HeaderName::from_static(API_KEY)) {
        return Ok(Shown::Credential(key.trim().to_owned()));
    }
    if is_live {
        if let Some(token) = text(header::SEC_WEBSOCKET_PROTOCOL).and_then(after_protocol) {
            return Ok(Shown::Credential(token.to_owned()));
        }
        if let Some(ticket) = parameter(query, "ticket") {
            return Ok(Shown::Ticket(ticket));
        }
        if let Some(token) = parameter(query, "token") {
            return Ok(Shown::Credential(token));
        }
    }
    Ok(Shown::Nothing)
}

/// The token of `Bearer <token>`; the scheme is not case-sensitive.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case(PROTOCOL) && !token.is_empty()).then_some(token)
}

/// The token of `Sec-WebSocket-Protocol: bearer, <token>`.
fn after_protocol(value: &str) -> Option<&str> {
    let mut protocols = value.split(',').map(str::trim);
    protocols.find(|protocol| *protocol == PROTOCOL)?;
    protocols.next().filter(|token| !token.is_empty())
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.into_iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

fn challenge(error: Option<&'static str>) -> HeaderValue {
    match error {
        Some("invalid_request") => HeaderValue::from_static("Bearer realm=\"callboard\", error=\"invalid_request\""),
        Some(_) => HeaderValue::from_static("Bearer realm=\"callboard\", error=\"invalid_token\""),
        None => HeaderValue::from_static("Bearer realm=\"callboard\""),
    }
}

fn unauthenticated() -> Error {
    let detail = "The request carries no credential.";
    Error::new(Code::Unauthenticated, detail).with_header(header::WWW_AUTHENTICATE, challenge(None))
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        Self::from(denied(denial))
    }
}

impl From<identity::Error> for Error {
    fn from(error: identity::Error) -> Self {
        use identity::Error as Identity;
        let refused = |code, detail: &str| {
            Self::new(code, detail).with_header(header::WWW_AUTHENTICATE, challenge(Some("invalid_token")))
        };
        match error {
            Identity::InvalidCredential => {
                refused(Code::InvalidCredentials, "The credential is unknown, revoked, or its owner is not active.")
            }
            Identity::TokenExpired => refused(Code::TokenExpired, "The credential has expired."),
            Identity::TokenReused => refused(
                Code::InvalidCredentials,
                "The refresh token was used before; its session has been ended on every device.",
            ),
            Identity::WrongPassword => refused(Code::InvalidCredentials, "The address or the password is wrong."),
            Identity::Throttled { retry_after_seconds } => {
                let detail = format!("Too many attempts; the next one is welcome in {retry_after_seconds} seconds.");
                Self::new(Code::TooManyAttempts, detail)
                    .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
            }
            Identity::Beyond { reason } => Self::new(Code::Forbidden, reason),
            Identity::Invalid { field, reason } => Self::invalid_field(field, reason),
            Identity::Store(error) => Self::from(error),
            Identity::SigningKey { .. }
            | Identity::File { .. }
            | Identity::Hashing { .. }
            | Identity::Client { .. } => Self::new(Code::Internal, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(pairs: &[(&'static str, &'static str)], query: &str, is_live: bool) -> Shown {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        shown(&headers, query, is_live).unwrap_or(Shown::Nothing)
    }

    #[test]
    fn every_place_of_a_credential_is_looked_at() {
        let credential = |text: &str| Shown::Credential(text.to_owned());
        assert_eq!(shows(&[("authorization", "bEARER  abc ")], "", false), credential("abc"));
        assert_eq!(shows(&[("x-api-key", "cb_1_2")], "", false), credential("cb_1_2"));
        assert_eq!(shows(&[("sec-websocket-protocol", "bearer, abc")], "", true), credential("abc"));
        assert_eq!(shows(&[], "after=1&ticket=a%2Bb", true), Shown::Ticket("a+b".to_owned()));
        assert_eq!(shows(&[], "token=abc", true), credential("abc"));
    }

    #[test]
    fn addresses_of_ordinary_routes_carry_no_credentials() {
        assert_eq!(shows(&[("sec-websocket-protocol", "bearer, abc")], "token=abc&ticket=def", false), Shown::Nothing);
        assert_eq!(shows(&[("authorization", "Basic YTpi")], "token=abc", true), Shown::Nothing);
    }
}
