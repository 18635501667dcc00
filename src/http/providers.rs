//! Signing in with a provider: which there are, the way there, and the way back.
//!
//! A browser goes these ways by itself, so what went wrong does not answer with a problem but leads back to the sign-in page, with
//! a word that the page explains. The details stand in the log.

use super::Service;
use super::auth;
use super::error::{Error, Result};
use super::query::Query;
use crate::identity::oidc::{self, Returned};
use crate::wire::catalog::Code;
use crate::wire::sign_in::{ProviderList, ProviderView};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use url::{Position, Url, form_urlencoded};

/// What the browser keeps between the two ways.
const COOKIE: &str = "callboard_sign_in";
const COOKIE_PATH: &str = "/api/v1/auth/oidc";
const SIGN_IN_PAGE: &str = "/sign-in";
const MAX_NEXT_CHARACTERS: usize = 500;

/// The providers that people may sign in with.
#[utoipa::path(get, path = "/api/v1/auth/oidc", tag = "identity", responses((status = 200, body = ProviderList)))]
pub async fn list(service: web::Data<Service>, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let view = |(id, label): (&str, &str)| ProviderView { id: id.to_owned(), label: label.to_owned() };
    Ok(HttpResponse::Ok().json(ProviderList { items: service.identity.providers().map(view).collect() }))
}

/// Send a browser to a provider, to sign in there.
///
/// When the provider cannot be reached, the browser is sent to the sign-in page with `problem` in its address.
#[utoipa::path(get, path = "/api/v1/auth/oidc/{provider}/start", tag = "identity",
    params(
        ("provider" = String, Path, description = "From the list of providers."),
        ("next" = Option<String>, Query, description = "Where to go afterwards: a path of the dashboard."),
    ),
    responses((
        status = 303, description = "To the provider, or to the sign-in page.",
        headers(("Location" = String), ("Set-Cookie" = String)),
    )),
)]
pub async fn start(service: web::Data<Service>, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let next = query.text("next").and_then(|next| own_path(&next));
    query.finish()?;
    let id = provider(&request);
    let return_to = return_to(&service, &request, id)?;
    match service.identity.begin_with_provider(id, return_to, next.clone()).await {
        Ok(begun) => {
            let cookie = cookie(&service, &request, &begun.attempt, begun.life_seconds);
            Ok(see(begun.address.as_str()).insert_header((header::SET_COOKIE, cookie)).finish())
        }
        Err(error) => Ok(back(id, &error, next.as_deref())?.finish()),
    }
}

/// Where a provider sends a browser back to. It is signed in, and sent on to the dashboard.
///
/// Otherwise it is sent to the sign-in page with `problem` in its address. Parameters that the provider adds are passed over.
#[utoipa::path(get, path = "/api/v1/auth/oidc/{provider}/callback", tag = "identity",
    params(
        ("provider" = String, Path, description = "From the list of providers."),
        ("state" = Option<String>, Query, description = "As it was given to the provider."),
        ("code" = Option<String>, Query, description = "What the provider exchanges for an ID token."),
        ("error" = Option<String>, Query, description = "Why there is no code."),
        ("iss" = Option<String>, Query, description = "The provider, as it names itself."),
    ),
    responses((
        status = 303, description = "To the dashboard, or to the sign-in page.",
        headers(("Location" = String), ("Set-Cookie" = String)),
    )),
)]
pub async fn callback(service: web::Data<Service>, request: HttpRequest) -> Result<HttpResponse> {
    let id = provider(&request);
    let attempt = auth::cookie_of(&request, COOKIE);
    let returned = returned(request.query_string());
    let writer = auth::writer(&request);
    let forget = cookie(&service, &request, "", 0);
    let finished = service.identity.finish_with_provider(id, returned, attempt.as_deref(), &writer).await;
    let mut response = match finished {
        Ok((signed_in, next)) => {
            let stays = auth::session_cookie(&service, &request, &signed_in);
            let mut response = see(next.as_deref().unwrap_or("/"));
            response.append_header((header::SET_COOKIE, stays));
            response
        }
        Err(error) => back(id, &error, None)?,
    };
    Ok(response.append_header((header::SET_COOKIE, forget)).finish())
}

fn provider(request: &HttpRequest) -> &str {
    request.match_info().query("provider")
}

/// The first of each parameter that is read; what a provider adds beyond them is its own business.
fn returned(query: &str) -> Returned {
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
    };
    Returned { state: value("state"), code: value("code"), error: value("error"), issuer: value("iss") }
}

/// This service under the address that the browser uses, since what it keeps is kept for that one.
fn return_to(service: &Service, request: &HttpRequest, id: &str) -> Result<String> {
    let origin = service.origins.of_request(request.uri(), request.headers());
    let origin =
        origin.ok_or_else(|| Error::new(Code::HostNotAllowed, "The request does not say where it is sent."))?;
    Ok(format!("{origin}{COOKIE_PATH}/{id}/callback"))
}

/// A path of this service, in the form in which it may stand in a header; nothing that a browser would take for another service.
fn own_path(text: &str) -> Option<String> {
    if !text.starts_with('/') || text.chars().count() > MAX_NEXT_CHARACTERS {
        return None;
    }
    let base = Url::parse("http://localhost").ok()?;
    let url = base.join(text).ok().filter(|url| url.origin() == base.origin())?;
    let path = &url[Position::BeforePath..];
    (!path.starts_with("//")).then(|| path.to_owned())
}

fn see(address: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((header::LOCATION, address));
    response
}

/// The way back to the sign-in page.
///
/// # Errors
/// 404 for a provider that there is none of.
fn back(id: &str, error: &oidc::Error, next: Option<&str>) -> Result<HttpResponseBuilder> {
    use oidc::Error as Oidc;
    match error {
        Oidc::UnknownProvider => return Err(Error::not_found("provider", id)),
        Oidc::Unavailable(_) | Oidc::NotAccepted(_) | Oidc::Identity(_) => {
            tracing::warn!(provider = id, %error, "a sign-in with a provider failed");
        }
        Oidc::Cancelled
        | Oidc::NotBegun
        | Oidc::NoEmail
        | Oidc::AddressTaken
        | Oidc::NoRole
        | Oidc::Inactive
        | Oidc::OtherTenant { .. } => tracing::info!(provider = id, %error, "a sign-in with a provider was refused"),
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("problem", error.word());
    if let Some(next) = next {
        query.append_pair("next", next);
    }
    Ok(see(&format!("{SIGN_IN_PAGE}?{}", query.finish())))
}

/// `Lax`, because the browser comes back from the page of somebody else.
fn cookie(service: &Service, request: &HttpRequest, value: &str, life_seconds: i64) -> String {
    let secure = auth::secure(service, request);
    format!("{COOKIE}={value}; Path={COOKIE_PATH}; Max-Age={life_seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for path in ["/", "/executions/1?tab=logs", "/queue#top"] {
            assert_eq!(own_path(path).as_deref(), Some(path));
        }
        assert_eq!(own_path("/a b/é").as_deref(), Some("/a%20b/%C3%A9"));
        let long = format!("/{}", "a".repeat(MAX_NEXT_CHARACTERS));
        for path in
            ["", "queue", "//evil.example", "/\\evil.example", "/.//evil.example", "https://evil.example", &long]
        {
            assert_eq!(own_path(path), None, "{path}");
        }
    }
}
