//! The one HTTP client of all effects: pooled, bounded in time and size, and confined to permitted addresses.
//!
//! `call: http`, token endpoints and model endpoints go through here. It performs single exchanges; redirects are never
//! followed down here, because every hop has to be checked and rewritten by whoever follows them.

use super::address::{Outlook, Policy, Refused};
use super::oauth::Tokens;
use super::{Error, HttpOptions};
use crate::domain::{Failure, StandardType};
use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long an unused connection stays open.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// Unused connections per host.
const POOL_PER_HOST: usize = 16;
/// How much of the body of an error response is read.
const ERROR_BODY_BYTES: usize = 16 * 1024;

/// Cheap to clone; all clones share the connections and the tokens.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    policy: Policy,
    options: HttpOptions,
    tokens: Arc<Tokens>,
}

/// One exchange, ready to be sent again.
#[derive(Clone)]
pub struct Outgoing {
    pub method: Method,
    /// Without user information.
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
}

/// A response that has been read.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn new(options: HttpOptions) -> Result<Self, Error> {
        // Somebody else in the process may have installed a provider already; any will do.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let policy = Policy::new(options.allow_private, &options.permitted_networks);
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                // A proxy would resolve and connect in our place, past the address policy.
                .no_proxy()
                .dns_resolver(policy.clone())
                .connect_timeout(options.connect_timeout)
                .timeout(options.timeout)
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(POOL_PER_HOST)
        };
        // Without certificate authorities on the machine (a bare container) plain HTTP still has to work.
        let inner = builder().build().or_else(|error| {
            tracing::warn!(error = %chain(&error), "no certificate authorities found: https requests will fail");
            builder().tls_certs_only([]).build()
        });
        let inner = inner.map_err(|error| Error::Client(chain(&error)))?;
        Ok(Self { inner, policy, options, tokens: Arc::new(Tokens::default()) })
    }

    /// What would become of a request to an address.
    pub async fn look_at(&self, address: &str) -> Outlook {
        self.policy.look_at(address).await
    }

    pub fn options(&self) -> &HttpOptions {
        &self.options
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The bare client, for a library that wants one in its constructor. Requests must go through [`Client::execute`].
    pub fn unguarded(&self) -> reqwest::Client {
        self.inner.clone()
    }

    /// Sends a request; returns when the head of the response is there.
    pub async fn send(&self, outgoing: &Outgoing) -> Result<reqwest::Response, Failure> {
        let mut request = reqwest::Request::new(outgoing.method.clone(), outgoing.url.clone());
        *request.headers_mut() = outgoing.headers.clone();
        *request.body_mut() = outgoing.body.clone().map(reqwest::Body::from);
        self.execute(request).await.map_err(|failed| match failed {
            ExecuteError::Refused(refused) => refused.failure(),
            ExecuteError::Transport(error) => transport_failure(&error, &outgoing.method, &outgoing.url),
        })
    }

    /// The guarded way to the network that [`Client::send`] and foreign libraries share.
    pub async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response, ExecuteError> {
        self.policy.check_url(request.url()).map_err(ExecuteError::Refused)?;
        self.inner.execute(request).await.map_err(|error| match refused(&error) {
            Some(refused) => ExecuteError::Refused(refused),
            None => ExecuteError::Transport(error),
        })
    }

    /// Sends a request and reads the response. An error status is not a failure here. The body of an error response is
    /// cut short without complaint, that of any other must not be larger than `effects.http.response_limit_bytes`.
    pub async fn exchange(&self, outgoing: &Outgoing) -> Result<Answer, Failure> {
        let response = self.send(outgoing).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let is_error = status.is_client_error() || status.is_server_error();
        let body = match self.read(response, is_error).await {
            Ok(body) => body,
            Err(ReadError::TooLarge(limit)) => return Err(too_large(limit, outgoing)),
            Err(ReadError::Transport(error)) => {
                return Err(transport_failure(&error, &outgoing.method, &outgoing.url));
            }
        };
        Ok(Answer { status, headers, body })
    }

    async fn read(&self, mut response: reqwest::Response, is_error: bool) -> Result<Bytes, ReadError> {
        let limit = if is_error { ERROR_BODY_BYTES } else { self.options.response_limit_bytes };
        let announced = response.content_length().unwrap_or(0);
        if !is_error && announced > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(ReadError::TooLarge(limit));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(ReadError::Transport)? {
            if body.len() + chunk.len() > limit {
                if !is_error {
                    return Err(ReadError::TooLarge(limit));
                }
                let room = limit - body.len();
                body.extend_from_slice(chunk.get(..room).unwrap_or_default());
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error(transparent)]
    Refused(Refused),
    #[error("{}", chain(.0))]
    Transport(reqwest::Error),
}

enum ReadError {
    TooLarge(usize),
    Transport(reqwest::Error),
}

fn too_large(limit: usize, outgoing: &Outgoing) -> Failure {
    Failure::new(
        StandardType::Communication,
        "Response too large",
        format!("{} {} answered with more than {limit} bytes", outgoing.method, address(&outgoing.url)),
    )
    .with_status(502)
    .retryable(false)
    .with_suggestion("ask for less, or raise `effects.http.response_limit_bytes`")
}

/// A URL as it may appear in errors and logs: without user information, query and fragment, which may hold secrets.
pub fn address(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    without_user(&mut shown);
    shown.into()
}

/// Takes the user information out of a URL.
pub fn without_user(url: &mut Url) {
    // Both only fail for URLs that cannot have user information in the first place.
    let _nothing_to_remove = url.set_username("");
    let _nothing_to_remove = url.set_password(None);
}

/// A request that brought no usable response, as a `communication` failure: 503 when no connection came about, 504 when
/// it took too long, 502 when the response was unreadable.
pub fn transport_failure(error: &reqwest::Error, method: &Method, url: &Url) -> Failure {
    let (status, title, suggestion) = if error.is_connect() {
        let title = if error.is_timeout() { "Connection timed out" } else { "Connection failed" };
        let suggestion = "check the address, and that the service's machine reaches it; \
                          `try` with `catch.retry` outlasts a short outage";
        (503, title, suggestion)
    } else if error.is_timeout() {
        (504, "Response timed out", "ask for less, repeat it with `catch.retry`, or raise `effects.http.timeout_ms`")
    } else {
        (
            502,
            "Response unreadable",
            "the answer broke off or is no HTTP: look at the endpoint, or repeat it with `catch.retry`",
        )
    };
    let detail = format!("{method} {}: {}", address(url), chain(error));
    Failure::new(StandardType::Communication, title, detail)
        .with_status(status)
        .retryable(true)
        .with_suggestion(suggestion)
}

fn refused(error: &reqwest::Error) -> Option<Refused> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return Some(refused.clone());
        }
        source = cause.source();
    }
    None
}

/// The causes of an error without its outermost layer, which would repeat the URL with its query.
fn chain(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        // The library's own layer says nothing that its cause does not say better.
        let is_empty_layer = text.starts_with("client error (") && cause.source().is_some();
        if !is_empty_layer && texts.last() != Some(&text) {
            texts.push(text);
        }
        source = cause.source();
    }
    if texts.is_empty() {
        let outermost = if error.is_timeout() { "timed out" } else { "the request failed" };
        texts.push(outermost.to_owned());
    }
    texts.join(": ")
}
