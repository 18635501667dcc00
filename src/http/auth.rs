//! Signing in and out, and who one is.
//!
//! The refresh token travels in the answer and in a cookie that only these addresses get, so that a page survives a reload
//! without keeping it where scripts can read it.

use super::Service;
use super::body::{Json, OptionalJson};
use super::caller::Caller;
use super::client_address;
use super::door::RequestId;
use super::error::{Error, Result};
use super::query::Query;
use crate::domain::{PrincipalKind, User, UserId};
use crate::identity::{Change, Profile, SignedIn, Writer, checked_name};
use crate::wire::catalog::Code;
use crate::wire::identity::UserView;
use crate::wire::sign_in::{ChangeMe, FirstSignIn, Login, Me, RefreshBody, TicketView, Tokens};
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde_json::json;

const COOKIE: &str = "callboard_refresh";
const COOKIE_PATH: &str = "/api/v1/auth";
const MAX_LOCALE_CHARACTERS: usize = 35;

/// Sign in with e-mail address and password.
///
/// The refresh token is in the answer and in the cookie `callboard_refresh`. After a few wrong attempts the next one has to
/// wait.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "identity",
    request_body = Login,
    responses((status = 200, body = Tokens, headers(("Set-Cookie" = String)))),
)]
pub async fn login(service: web::Data<Service>, request: HttpRequest, body: Json<Login>) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let Login { email, password, tenant } = body.value;
    let writer = writer(&request);
    let signed_in = service.identity.sign_in(tenant, &email, password, client_address::of(&request), &writer).await?;
    Ok(answer(&service, &request, signed_in))
}

/// Choose a password with a one-time link, and sign in.
#[utoipa::path(post, path = "/api/v1/auth/first-sign-in", tag = "identity",
    request_body = FirstSignIn,
    responses((status = 200, body = Tokens, headers(("Set-Cookie" = String)))),
)]
pub async fn first_sign_in(
    service: web::Data<Service>,
    request: HttpRequest,
    body: Json<FirstSignIn>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let FirstSignIn { token, password, email, display_name } = body.value;
    let profile = Profile { email, display_name, password };
    let signed_in = service.identity.redeem(&token, profile, &writer(&request)).await?;
    Ok(answer(&service, &request, signed_in))
}

/// Get a fresh access token for a refresh token, which is used up: the answer has the next one.
///
/// A refresh token that comes a second time has been stolen; its session is ended on every device.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "identity",
    request_body(content = RefreshBody, description = "May be left out by browsers, whose cookie carries the token."),
    responses((status = 200, body = Tokens, headers(("Set-Cookie" = String)))),
)]
pub async fn refresh(
    service: web::Data<Service>,
    request: HttpRequest,
    body: OptionalJson<RefreshBody>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let Some(token) = refresh_token(&request, body.value) else {
        return Err(Error::new(Code::Unauthenticated, "The request carries no refresh token."));
    };
    let signed_in = service.identity.refresh(&token).await?;
    Ok(answer(&service, &request, signed_in))
}

/// Sign out: the session of the refresh token is ended, and its access tokens are worth nothing any more.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "identity",
    request_body(content = RefreshBody, description = "May be left out by browsers, whose cookie carries the token."),
    responses((status = 204, description = "Signed out, or nobody was signed in.", headers(("Set-Cookie" = String)))),
)]
pub async fn logout(
    service: web::Data<Service>,
    request: HttpRequest,
    body: OptionalJson<RefreshBody>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    if let Some(token) = refresh_token(&request, body.value) {
        service.identity.sign_out_with(&token, &writer(&request)).await?;
    }
    Ok(HttpResponse::NoContent().insert_header((header::SET_COOKIE, cookie(&service, &request, "", 0))).finish())
}

/// Who one is: a person or a key, with role and scopes.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "identity", responses((status = 200, body = Me)))]
pub async fn me(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let user = own_user(&service, &caller).await?;
    Ok(HttpResponse::Ok().json(Me::new(caller.principal(), caller.standing.expires_at, user)))
}

/// Change the own name, language or password.
#[utoipa::path(put, path = "/api/v1/auth/me", tag = "identity",
    request_body = ChangeMe,
    responses((status = 200, body = UserView)),
)]
pub async fn change_me(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeMe>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    if caller.principal().kind != PrincipalKind::User {
        return Err(Error::new(Code::Forbidden, "A key cannot change a person."));
    }
    let Some(known) = own_user(&service, &caller).await? else {
        return Err(Error::new(Code::Forbidden, "There is no person behind this credential."));
    };
    let ChangeMe { display_name, locale, password, current_password } = body.value;
    let mut user = known.clone();
    if let Some(name) = display_name {
        user.display_name = checked_name(&name)?;
    }
    if let Some(locale) = locale {
        user.locale = Some(checked_locale(&locale)?);
    }
    if let Some(password) = password {
        let current = current_password
            .ok_or_else(|| Error::invalid_field("/current_password", "is needed to choose another password"))?;
        if !service.identity.is_password_of(&known, current).await? {
            return Err(Error::invalid_field("/current_password", "is not the current password"));
        }
        user.password_hash = Some(service.identity.hash_password(password).await?);
    }
    user.updated_at = service.clock.now();
    let change = Change::changed("profile_changed", "user", user.id, &facts(&known), &facts(&user));
    let entry = caller.writer().entry(user.tenant_id, change, user.updated_at);
    let user = service.engine.store().update_user(known, user, entry).await?;
    Ok(HttpResponse::Ok().json(UserView::from(user)))
}

/// Get a ticket for the address of a WebSocket or an event stream: good once, for 30 seconds.
#[utoipa::path(post, path = "/api/v1/auth/ticket", tag = "identity", responses((status = 201, body = TicketView)))]
pub async fn ticket(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let (ticket, expires_at) = service.identity.ticket(&caller.standing)?;
    Ok(HttpResponse::Created().json(TicketView { ticket, expires_at }))
}

/// What the audit takes the digest of.
pub fn facts(user: &User) -> serde_json::Value {
    json!({
        "email": user.email, "display_name": user.display_name, "role": user.role, "is_active": user.is_active,
        "locale": user.locale, "has_password": user.password_hash.is_some(),
    })
}

/// A language tag.
///
/// # Errors
/// When it does not look like one.
pub fn checked_locale(locale: &str) -> Result<String> {
    let is_plain = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if locale.len() <= MAX_LOCALE_CHARACTERS && locale.split('-').all(is_plain) {
        return Ok(locale.to_owned());
    }
    Err(Error::invalid_field("/locale", "must be a language tag such as en-GB"))
}

/// The person behind a caller; `None` for a key that belongs to nobody.
async fn own_user(service: &Service, caller: &Caller) -> Result<Option<User>> {
    let principal = caller.principal();
    if principal.kind == PrincipalKind::Key && principal.owner_id == principal.id {
        return Ok(None);
    }
    let id = UserId(principal.owner_id);
    let found = service.engine.store().user(principal.tenant_id, id).await;
    found.map(Some).map_err(|error| Error::of_store(error, "person", id))
}

fn answer(service: &Service, request: &HttpRequest, signed_in: SignedIn) -> HttpResponse {
    let cookie = session_cookie(service, request, &signed_in);
    let SignedIn { user, access_token, access_expires_at, refresh_token, session_expires_at } = signed_in;
    let now = service.clock.now();
    let mut response = HttpResponse::Ok();
    response.insert_header((header::SET_COOKIE, cookie)).insert_header((header::CACHE_CONTROL, "no-store"));
    response.json(Tokens {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: u64::try_from(seconds(access_expires_at.micros_since(now))).unwrap_or(0),
        refresh_token,
        session_expires_at,
        user: user.into(),
    })
}

/// The cookie of a refresh token: for these addresses only, out of reach of scripts and of pages of other sites. The value is
/// made of letters, digits, `-` and `_`.
fn cookie(service: &Service, request: &HttpRequest, value: &str, life_seconds: i64) -> String {
    let secure = secure(service, request);
    format!("{COOKIE}={value}; Path={COOKIE_PATH}; Max-Age={life_seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The cookie that keeps somebody signed in who has just come in.
pub fn session_cookie(service: &Service, request: &HttpRequest, signed_in: &SignedIn) -> String {
    let life = signed_in.session_expires_at.micros_since(service.clock.now());
    cookie(service, request, &signed_in.refresh_token, seconds(life))
}

/// What a cookie says about encryption.
pub fn secure(service: &Service, request: &HttpRequest) -> &'static str {
    if is_plain(service, request) { "" } else { "; Secure" }
}

fn seconds(micros: i64) -> i64 {
    micros.max(0) / 1_000_000
}

/// Whether the browser that asks does so in plain HTTP, by the address it used: then it takes no cookie that is `Secure`.
fn is_plain(service: &Service, request: &HttpRequest) -> bool {
    service.origins.of_request(request.uri(), request.headers()).is_some_and(|origin| !origin.is_secure())
}

fn refresh_token(request: &HttpRequest, body: RefreshBody) -> Option<String> {
    body.refresh_token.or_else(|| cookie_of(request, COOKIE)).filter(|token| !token.is_empty())
}

/// A cookie of a request.
pub fn cookie_of(request: &HttpRequest, wanted: &str) -> Option<String> {
    let cookies = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
}

/// Who writes before there is a caller.
pub fn writer(request: &HttpRequest) -> Writer {
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let address = client_address::of(request);
    Writer { name: "nobody".to_owned(), request_id, address, ..Writer::default() }
}
