//! Access tokens for `oauth2` and `oidc` policies (Serverless Workflow DSL 1.0.3, "Authentication").
//!
//! Tokens live in memory only, keyed by a digest of the whole policy, until shortly before they expire. Executions that
//! need the same token at the same time wait for one request.
//!
//! The language has no fields for a code or a refresh token: the `authorization_code` and `refresh_token` grants take
//! theirs from `subject.token`.

use super::client::{Answer, Client, Outgoing, address};
use super::http::{basic, parse_url};
use crate::domain::{Failure, OAuth, StandardType};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Where an `oauth2` policy without `endpoints` finds its tokens.
const DEFAULT_TOKEN_ENDPOINT: &str = "/oauth2/token";
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// A token is not used any more when it is this close to its end; a tenth of its life when that is shorter.
const EXPIRY_MARGIN: Duration = Duration::from_secs(30);
/// The longest life that is believed.
const LONGEST_LIFE_SECONDS: u64 = 24 * 60 * 60;
/// How many policies are remembered before those without a living token are swept out.
const REMEMBERED_POLICIES: usize = 1_024;
/// How many are remembered at all; beyond it one gives way, and its next use asks for a token again.
const MOST_POLICIES: usize = 2_048;
/// The longest token that is taken. None that is longer would fit into the head of a request.
const LONGEST_TOKEN_BYTES: usize = 32 * 1_024;
const MESSAGE_CHARACTERS: usize = 500;

/// Which of the two schemes a policy belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    OAuth2,
    /// The token endpoint comes from discovery, and the scope `openid` is added.
    Oidc,
}

type Digest = [u8; 32];
type Slot = Arc<tokio::sync::Mutex<Remembered>>;

#[derive(Default)]
struct Remembered {
    access: Option<Access>,
    /// What the server gave in exchange for a refresh token, which is then used up.
    rotated: Option<String>,
}

struct Access {
    token: String,
    usable_until: Instant,
}

/// The tokens of all policies.
#[derive(Default)]
pub struct Tokens {
    slots: Mutex<HashMap<Digest, Slot>>,
}

impl Tokens {
    /// A living access token for a policy. Every failure is of type `authentication` or `configuration`.
    pub async fn bearer(&self, client: &Client, policy: &OAuth, kind: Kind) -> Result<String, Failure> {
        let slot = self.slot(digest(policy, kind));
        let mut remembered = slot.lock().await;
        if let Some(access) = remembered.access.as_ref().filter(|access| Instant::now() < access.usable_until) {
            return Ok(access.token.clone());
        }
        let endpoint = match kind {
            Kind::OAuth2 => endpoint(policy)?,
            Kind::Oidc => discover(client, policy).await?,
        };
        let outgoing = token_request(policy, kind, endpoint, remembered.rotated.as_deref())?;
        let answer = client.exchange(&outgoing).await.map_err(|failure| unobtainable(&failure, &outgoing.url))?;
        let granted = Granted::read(&answer, &outgoing.url)?;
        granted.check_issuer(policy)?;
        remembered.rotated = granted.refresh_token;
        remembered.access = granted.life.map(|life| Access {
            token: granted.access_token.clone(),
            usable_until: Instant::now() + life - EXPIRY_MARGIN.min(life / 10),
        });
        Ok(granted.access_token)
    }

    /// Drops a token that its target did not accept.
    pub fn forget(&self, policy: &OAuth, kind: Kind) {
        let slot = self.slot(digest(policy, kind));
        if let Ok(mut remembered) = slot.try_lock() {
            remembered.access = None;
        }
    }

    fn slot(&self, digest: Digest) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED_POLICIES {
            let now = Instant::now();
            slots.retain(|_, slot| match slot.try_lock() {
                Ok(remembered) => {
                    remembered.rotated.is_some()
                        || remembered.access.as_ref().is_some_and(|access| now < access.usable_until)
                }
                Err(_) => true,
            });
        }
        // An exchanged refresh token is not to be had again, so whoever has none gives way first.
        if slots.len() >= MOST_POLICIES && !slots.contains_key(&digest) {
            let is_free = |slot: &Slot| slot.try_lock().is_ok_and(|remembered| remembered.rotated.is_none());
            let first = slots.iter().find(|(_, slot)| is_free(slot)).or_else(|| slots.iter().next());
            let leaving = first.map(|(digest, _)| *digest);
            leaving.map(|digest| slots.remove(&digest));
        }
        slots.entry(digest).or_default().clone()
    }
}

/// Every field counts: two policies share a token only when they are the same.
fn digest(policy: &OAuth, kind: Kind) -> Digest {
    let OAuth {
        authority,
        grant,
        client_id,
        client_secret,
        client_assertion,
        client_authentication,
        request_encoding,
        issuers,
        scopes,
        audiences,
        username,
        password,
        subject,
        actor,
        token_endpoint,
    } = policy;
    let value = serde_json::json!([
        format!("{kind:?}"),
        authority,
        grant,
        [client_id, client_secret, client_assertion, client_authentication, request_encoding, token_endpoint],
        [issuers, scopes, audiences],
        [username, password],
        [subject, actor],
    ]);
    Sha256::digest(value.to_string()).into()
}

fn configuration(detail: impl Into<String>) -> Failure {
    Failure::new(StandardType::Configuration, "Invalid authentication policy", detail).retryable(false)
}

fn authentication(detail: impl Into<String>) -> Failure {
    Failure::new(StandardType::Authentication, "No access token", detail)
}

/// A transport failure on the way to the token endpoint is a failure to authenticate.
fn unobtainable(failure: &Failure, endpoint: &Url) -> Failure {
    let reason = failure.detail.as_deref().unwrap_or("the request failed");
    Failure {
        suggestion: failure.suggestion.clone(),
        retryable: failure.retryable,
        ..authentication(format!("the token endpoint {} cannot be used: {reason}", address(endpoint)))
    }
}

fn endpoint(policy: &OAuth) -> Result<Url, Failure> {
    let path = policy.token_endpoint.as_deref().unwrap_or(DEFAULT_TOKEN_ENDPOINT);
    if path.contains("://") {
        return parse_url(path);
    }
    parse_url(&format!("{}/{}", policy.authority.trim_end_matches('/'), path.trim_start_matches('/')))
}

/// OpenID Connect Discovery 1.0: the token endpoint is where the authority's metadata says.
async fn discover(client: &Client, policy: &OAuth) -> Result<Url, Failure> {
    let authority = policy.authority.trim_end_matches('/');
    let url = if authority.ends_with(DISCOVERY_PATH) {
        parse_url(authority)?
    } else {
        parse_url(&format!("{authority}{DISCOVERY_PATH}"))?
    };
    let outgoing = Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: None };
    let answer = client.exchange(&outgoing).await.map_err(|failure| unobtainable(&failure, &outgoing.url))?;
    let place = address(&outgoing.url);
    if !answer.status.is_success() {
        return Err(authentication(format!("discovery at {place} answered {}", answer.status)));
    }
    let metadata: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| authentication(format!("discovery at {place} answered with invalid JSON: {error}")))?;
    if let Some(issuer) = metadata.get("issuer").and_then(Value::as_str)
        && !policy.issuers.is_empty()
        && !policy.issuers.iter().any(|accepted| accepted == issuer)
    {
        return Err(
            authentication(format!("the issuer `{issuer}` is not one of the policy's issuers")).retryable(false)
        );
    }
    let endpoint = metadata.get("token_endpoint").and_then(Value::as_str);
    parse_url(endpoint.ok_or_else(|| authentication(format!("discovery at {place} names no token_endpoint")))?)
}

/// The request for a token, RFC 6749 with the client authentications of RFC 7523 and the exchange of RFC 8693.
fn token_request(policy: &OAuth, kind: Kind, url: Url, rotated: Option<&str>) -> Result<Outgoing, Failure> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    add_grant(policy, rotated, &mut fields)?;
    let mut scopes = policy.scopes.clone();
    if kind == Kind::Oidc && !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    if !scopes.is_empty() {
        fields.push(("scope", scopes.join(" ")));
    }
    if !policy.audiences.is_empty() {
        fields.push(("audience", policy.audiences.join(" ")));
    }
    let mut headers = HeaderMap::new();
    add_client(policy, &mut fields, &mut headers)?;
    let (body, media_type) = match policy.request_encoding.as_deref() {
        None | Some("application/x-www-form-urlencoded") => {
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            (form, "application/x-www-form-urlencoded")
        }
        Some("application/json") => {
            let object: Map<_, _> =
                fields.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))).collect();
            (Value::Object(object).to_string(), "application/json")
        }
        Some(other) => return Err(configuration(format!("unknown `request.encoding` `{other}`"))),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    Ok(Outgoing { method: Method::POST, url, headers, body: Some(Bytes::from(body)) })
}

fn add_grant(policy: &OAuth, rotated: Option<&str>, fields: &mut Vec<(&str, String)>) -> Result<(), Failure> {
    let subject = |what: &str| match &policy.subject {
        Some((token, _)) => Ok(token.clone()),
        None => Err(configuration(format!("the grant `{}` needs {what} in `subject.token`", policy.grant))),
    };
    let token_type = |given: &str| if given.is_empty() { ACCESS_TOKEN_TYPE.to_owned() } else { given.to_owned() };
    match policy.grant.as_str() {
        "client_credentials" | "client-credentials" => fields.push(("grant_type", "client_credentials".into())),
        "password" => {
            let (Some(username), Some(password)) = (&policy.username, &policy.password) else {
                return Err(configuration("the grant `password` needs `username` and `password`"));
            };
            fields.push(("grant_type", "password".into()));
            fields.push(("username", username.clone()));
            fields.push(("password", password.clone()));
        }
        "refresh_token" => {
            let token = match rotated {
                Some(newer) => newer.to_owned(),
                None => subject("a refresh token")?,
            };
            fields.push(("grant_type", "refresh_token".into()));
            fields.push(("refresh_token", token));
        }
        "authorization_code" => {
            fields.push(("grant_type", "authorization_code".into()));
            fields.push(("code", subject("a code")?));
        }
        TOKEN_EXCHANGE => {
            fields.push(("grant_type", TOKEN_EXCHANGE.into()));
            fields.push(("subject_token", subject("a token")?));
            let kind = policy.subject.as_ref().map_or("", |(_, kind)| kind.as_str());
            fields.push(("subject_token_type", token_type(kind)));
            if let Some((token, kind)) = &policy.actor {
                fields.push(("actor_token", token.clone()));
                fields.push(("actor_token_type", token_type(kind)));
            }
        }
        other => return Err(configuration(format!("unknown grant `{other}`"))),
    }
    Ok(())
}

fn add_client(policy: &OAuth, fields: &mut Vec<(&str, String)>, headers: &mut HeaderMap) -> Result<(), Failure> {
    let method = policy.client_authentication.as_deref().unwrap_or("client_secret_post");
    let id = || policy.client_id.clone().ok_or_else(|| configuration(format!("`{method}` needs `client.id`")));
    match method {
        "client_secret_post" => {
            fields.push(("client_id", id()?));
            fields.extend(policy.client_secret.clone().map(|secret| ("client_secret", secret)));
        }
        "client_secret_basic" => {
            // RFC 6749, 2.3.1: both are form-encoded before they become a name and a password.
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let secret = policy.client_secret.as_deref().unwrap_or_default();
            headers.extend(basic(&encode(&id()?), &encode(secret)).map(|value| (header::AUTHORIZATION, value)));
        }
        "client_secret_jwt" | "private_key_jwt" => {
            let assertion = policy.client_assertion.clone();
            let assertion = assertion.ok_or_else(|| configuration(format!("`{method}` needs `client.assertion`")))?;
            fields.push(("client_id", id()?));
            fields.push(("client_assertion_type", ASSERTION_TYPE.into()));
            fields.push(("client_assertion", assertion));
        }
        "none" => fields.extend(policy.client_id.clone().map(|id| ("client_id", id))),
        other => return Err(configuration(format!("unknown `client.authentication` `{other}`"))),
    }
    Ok(())
}

/// What a token endpoint gave.
struct Granted {
    access_token: String,
    id_token: Option<String>,
    refresh_token: Option<String>,
    /// Absent when the server did not say; such a token is used once.
    life: Option<Duration>,
}

impl Granted {
    fn read(answer: &Answer, endpoint: &Url) -> Result<Self, Failure> {
        let place = address(endpoint);
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        if !answer.status.is_success() {
            let reason =
                [text("error"), text("error_description")].into_iter().flatten().collect::<Vec<_>>().join(": ");
            let reason: String = reason.chars().take(MESSAGE_CHARACTERS).collect();
            let separator = if reason.is_empty() { "" } else { ", " };
            let detail = format!("the token endpoint {place} answered {}{separator}{reason}", answer.status);
            return Err(authentication(detail)
                .retryable(answer.status.is_server_error() || answer.status.as_u16() == 429)
                .with_suggestion("check the client, its secret and the scopes of the authentication policy"));
        }
        let Some(access_token) = text("access_token").map(str::to_owned) else {
            return Err(authentication(format!("the token endpoint {place} answered without `access_token`")));
        };
        let longest = ["access_token", "id_token", "refresh_token"].into_iter().filter_map(text).map(str::len).max();
        if longest.is_some_and(|bytes| bytes > LONGEST_TOKEN_BYTES) {
            let detail =
                format!("the token endpoint {place} answered with a token of more than {LONGEST_TOKEN_BYTES} bytes");
            return Err(authentication(detail).retryable(false));
        }
        let seconds = body.get("expires_in").and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        Ok(Self {
            access_token,
            id_token: text("id_token").map(str::to_owned),
            refresh_token: text("refresh_token").map(str::to_owned),
            life: seconds.map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_LIFE_SECONDS))),
        })
    }

    /// Compares the issuer of the tokens with the policy's. An opaque token names none; it came from the authority that
    /// the policy itself names.
    fn check_issuer(&self, policy: &OAuth) -> Result<(), Failure> {
        if policy.issuers.is_empty() {
            return Ok(());
        }
        for token in [Some(&self.access_token), self.id_token.as_ref()].into_iter().flatten() {
            if let Some(issuer) = issuer(token)
                && !policy.issuers.contains(&issuer)
            {
                let detail = format!("the token's issuer `{issuer}` is not one of the policy's issuers");
                return Err(authentication(detail).retryable(false));
            }
        }
        Ok(())
    }
}

/// The `iss` claim of a JSON web token.
fn issuer(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_fill_the_memory() {
        let tokens = Tokens::default();
        let number = |n: usize| std::array::from_fn(|byte| n.to_le_bytes().get(byte).copied().unwrap_or(0));
        let living = || Access { token: "t".to_owned(), usable_until: Instant::now() + Duration::from_secs(3_600) };
        let kept = tokens.slot(number(0));
        kept.try_lock().unwrap().rotated = Some("r".to_owned());
        for n in 1..2 * MOST_POLICIES {
            tokens.slot(number(n)).try_lock().unwrap().access = Some(living());
        }
        assert_eq!(tokens.slots.lock().unwrap().len(), MOST_POLICIES);
        assert!(Arc::ptr_eq(&kept, &tokens.slot(number(0))), "what cannot be had again stays");
    }
}
