//! Carries the requests of the model library over the guarded client: addresses are checked, responses bounded, errors kept
//! as failures with their status, nothing retried behind anybody's back.

use super::client::{Client, ExecuteError, address, transport_failure};
use super::model_key::Credential;
use crate::domain::{Failure, StandardType};
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// How much of an error response is read.
const ERROR_BODY_BYTES: usize = 16 * 1024;
const DETAIL_CHARACTERS: usize = 2_000;

/// The way to one endpoint for one call.
#[derive(Clone)]
pub struct Transport {
    client: Client,
    endpoint: Url,
    credential: Option<Credential>,
    /// Why the body of the response ended early: the library only keeps the text of such an error.
    broken: Arc<Mutex<Option<Failure>>>,
}

/// A failure on its way through the library.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.title.as_deref().unwrap_or("request failed"))]
struct Carried(Failure);

/// What ends the body of a response early.
#[derive(Debug, thiserror::Error)]
#[error("the response broke off")]
struct BrokenOff;

impl Transport {
    pub fn new(client: Client, endpoint: Url, credential: Option<Credential>) -> Self {
        Self { client, endpoint, credential, broken: Arc::default() }
    }

    /// The library, speaking through this transport only.
    pub fn library(&self, config: OpenAIConfig) -> async_openai::Client<OpenAIConfig> {
        let transport = self.clone();
        let service = tower::service_fn(move |factory: HttpRequestFactory| {
            let transport = transport.clone();
            async move { transport.exchange(factory).await }
        });
        async_openai::Client::build(self.client.unguarded(), config).with_http_service(service)
    }

    async fn exchange(self, factory: HttpRequestFactory) -> Result<Response, OpenAIError> {
        let mut request = factory.build().await?;
        // What the library makes of the key that it does not have.
        request.headers_mut().remove(header::AUTHORIZATION);
        if let Some((name, value)) = self.credential.clone() {
            request.headers_mut().insert(name, value);
        }
        let response = self.client.execute(request).await.map_err(|failed| {
            carry(match failed {
                ExecuteError::Refused(refused) => refused.failure(),
                ExecuteError::Transport(error) => transport_failure(&error, &Method::POST, &self.endpoint),
            })
        })?;
        if response.status().is_success() {
            return Ok(self.bounded(response));
        }
        let status = response.status();
        let body = read_beginning(response).await;
        Err(carry(status_failure(status, &body, &self.endpoint)))
    }

    /// The response with a body that ends with an error at `effects.http.response_limit_bytes`.
    fn bounded(&self, response: Response) -> Response {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = reqwest::Body::wrap_stream(self.clone().watch(response.bytes_stream()));
        let mut rebuilt = http::Response::new(body);
        *rebuilt.status_mut() = status;
        *rebuilt.headers_mut() = headers;
        Response::from(rebuilt)
    }

    fn watch(
        self,
        stream: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    ) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send + 'static {
        let limit = self.client.options().response_limit_bytes;
        let mut received = 0_usize;
        stream.map(move |piece| {
            let failure = match piece {
                Ok(piece) => {
                    received = received.saturating_add(piece.len());
                    if received <= limit {
                        return Ok(piece);
                    }
                    Failure::new(
                        StandardType::Communication,
                        "Response too large",
                        format!("{} answered with more than {limit} bytes", address(&self.endpoint)),
                    )
                    .with_status(502)
                    .retryable(false)
                    .with_suggestion("limit the length of the answer, or raise `effects.http.response_limit_bytes`")
                }
                Err(error) => transport_failure(&error, &Method::POST, &self.endpoint),
            };
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            Err(BrokenOff)
        })
    }

    /// Why the stream ended without a proper end.
    pub fn broken_off(&self) -> Failure {
        let known = self.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
        known.unwrap_or_else(|| {
            let detail = format!("{} broke off before the answer was finished", address(&self.endpoint));
            Failure::new(StandardType::Communication, "Response unreadable", detail)
                .with_status(502)
                .retryable(true)
                .with_suggestion("check that the endpoint speaks the chat completions protocol with streaming")
        })
    }
}

fn carry(failure: Failure) -> OpenAIError {
    OpenAIError::Boxed(Box::new(Carried(failure)))
}

/// What the library's error means.
pub fn failure_of(error: OpenAIError, transport: &Transport) -> Failure {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<Carried>() {
            Ok(carried) => carried.0,
            Err(other) => Failure::new(StandardType::Communication, "Model call failed", other.to_string()),
        },
        OpenAIError::StreamError(_) => transport.broken_off(),
        OpenAIError::JSONDeserialize(error, _) => {
            let detail = format!("{} answered with invalid JSON: {error}", address(&transport.endpoint));
            Failure::new(StandardType::Communication, "Response unreadable", detail).with_status(502).retryable(true)
        }
        OpenAIError::Reqwest(error) => transport_failure(&error, &Method::POST, &transport.endpoint),
        OpenAIError::ApiError(_)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_)
        | OpenAIError::InvalidArgument(_) => {
            Failure::new(StandardType::Communication, "Model call failed", error.to_string())
        }
    }
}

async fn read_beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < ERROR_BODY_BYTES {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(ERROR_BODY_BYTES);
    body
}

/// An error response as a `communication` failure. Providers put their message in `error.message`, `error`, `message` or
/// `detail`; some send plain text.
fn status_failure(status: StatusCode, body: &[u8], endpoint: &Url) -> Failure {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let places = ["/error/message", "/error", "/message", "/detail"];
    let message = places.iter().find_map(|place| json.pointer(place).and_then(Value::as_str)).map(str::to_owned);
    let message = message.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    let code = status.as_u16();
    let title = status.canonical_reason().map_or_else(|| format!("HTTP {code}"), str::to_owned);
    let detail = if message.is_empty() { format!("{} answered {code}", address(endpoint)) } else { message };
    let has_no_quota = json.pointer("/error/code").and_then(Value::as_str) == Some("insufficient_quota");
    let retryable = matches!(code, 408 | 409 | 425 | 429 | 500..=599) && !has_no_quota;
    let failure =
        Failure::new(StandardType::Communication, title, detail.chars().take(DETAIL_CHARACTERS).collect::<String>())
            .with_status(code)
            .retryable(retryable);
    match code {
        300..=399 => {
            failure.with_suggestion("redirects are not followed: set the agent's `base_url` to where the model is")
        }
        401 | 403 => failure.with_suggestion(
            "check the agent's key: the secret that `api_key_secret` names, or the variable that `api_key_env` names",
        ),
        404 => failure.with_suggestion("check the agent's `model` and `base_url`"),
        429 if has_no_quota => failure.with_suggestion("the account has no quota left: check its plan and billing"),
        429 => failure.with_suggestion("the provider limits the rate: retry with backoff, or run fewer at once"),
        _ => failure,
    }
}
