//! The way to a provider: HTTP without redirects, bounded in time and size.

use super::Error;
use reqwest::header::ACCEPT;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(15);
/// The largest answer of a provider; keys and claims take a few KiB.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// A client for one provider.
pub struct Transport(reqwest::Client);

/// An exchange that gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(String);

impl Transport {
    /// # Errors
    /// When the client cannot be made.
    pub fn new(issuer: &Url) -> Result<Self, crate::identity::Error> {
        // Somebody else in the process may have installed one already; any will do.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let is_loopback = match issuer.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT);
            // A proxy would look for the provider on its own machine.
            if is_loopback { builder.no_proxy() } else { builder }
        };
        // Without certificate authorities on the machine a provider in plain HTTP on it still has to work.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let failed = |error: reqwest::Error| crate::identity::Error::Client { reason: error.to_string() };
        Ok(Self(client.map_err(failed)?))
    }

    /// The JSON at an address.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without an answer or with one of the server's own failure, [`Error::NotAccepted`] for any
    /// other that is not a success with JSON of the right form.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &Url, bearer: Option<&str>) -> Result<T, Error> {
        let mut request = self.0.get(url.clone()).header(ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        let unavailable = |Failed(reason)| Error::Unavailable(format!("{url}: {reason}"));
        let response = request.send().await.map_err(|error| unavailable(failed(&error)))?;
        let status = response.status();
        let body = body(response).await.map_err(unavailable)?;
        if status.is_server_error() {
            return Err(Error::Unavailable(format!("{url} answers {status}")));
        }
        if !status.is_success() {
            return Err(Error::NotAccepted(format!("{url} answers {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| Error::NotAccepted(format!("{url}: {error}")))
    }

    /// Sends a request of the library that speaks OAuth.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, Failed> {
        let request = reqwest::Request::try_from(request).map_err(|error| failed(&error))?;
        let response = self.0.execute(request).await.map_err(|error| failed(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut answer = http::Response::new(body(response).await?);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, Failed> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Failed(format!("the answer is larger than {MAX_ANSWER_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong, without the address: it may carry what is nobody else's business.
fn failed(error: &reqwest::Error) -> Failed {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    Failed(cause.map_or_else(|| "the exchange failed".to_owned(), ToString::to_string))
}
