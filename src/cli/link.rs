//! One keep-alive HTTP/1.1 connection to a service on this machine: the load generator of `bench` and `chaos`.
//!
//! It shares the processor with what it measures, so it does as little as possible: no pool, no redirects, no names.

use super::client::API_KEY;
use super::error::Error;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

/// Why a request got no answer. Whether it arrived is not known.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the request is not valid: {0}")]
    Invalid(#[from] hyper::http::Error),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

impl Answer {
    /// The decoded body of a successful answer.
    ///
    /// # Errors
    /// The problem that the service answered with, or a body that is not JSON.
    pub fn json(&self) -> Result<serde_json::Value, Error> {
        if !(200..300).contains(&self.status) {
            return Err(super::client::problem(self.status, &self.body));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::failure(format!("the service answered with something that is not JSON: {error}")))
    }
}

/// A service on this machine, and what opens it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub port: u16,
    pub key: Arc<str>,
}

impl Endpoint {
    /// A WebSocket handshake with an address below `/`.
    ///
    /// # Errors
    /// When the path is not one.
    pub fn handshake(&self, path: &str) -> Result<tungstenite::handshake::client::Request, Box<tungstenite::Error>> {
        let url = format!("ws://127.0.0.1:{}{path}", self.port);
        super::live::handshake(&url, Some(&self.key))
    }
}

/// A connection that is opened when it is needed and opened again after it broke.
#[derive(Debug)]
pub struct Link {
    port: u16,
    host: HeaderValue,
    key: HeaderValue,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Link {
    /// A connection to a port of this machine.
    pub fn to(endpoint: &Endpoint) -> Self {
        let port = endpoint.port;
        // Letters, digits, `-` and `_` are, too.
        let key = HeaderValue::try_from(endpoint.key.as_ref()).unwrap_or(HeaderValue::from_static(""));
        // Digits, dots and a colon are always a valid header value.
        let host = HeaderValue::try_from(format!("127.0.0.1:{port}"));
        Self { port, host: host.unwrap_or(HeaderValue::from_static("127.0.0.1")), key, sender: None }
    }

    /// GET of a path with its query.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&mut self, path: &str) -> Result<Answer, LinkError> {
        self.send(Method::GET, path, Bytes::new(), None).await
    }

    /// POST of a JSON body, with an `Idempotency-Key` when one is given.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&mut self, path: &str, body: Bytes, key: Option<&str>) -> Result<Answer, LinkError> {
        self.send(Method::POST, path, body, key).await
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes, key: Option<&str>) -> Result<Answer, LinkError> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.host.clone());
        request = request.header(HeaderName::from_static(API_KEY), self.key.clone());
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(key) = key {
            request = request.header(HeaderName::from_static("idempotency-key"), key);
        }
        let request = request.body(Full::new(body))?;
        let sender = match self.sender.as_mut().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => {
                let opened = self.open().await?;
                self.sender.insert(opened)
            }
        };
        let answer = async {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let status = answer.status().as_u16();
            Ok(Answer { status, body: answer.into_body().collect().await?.to_bytes() })
        }
        .await;
        if answer.is_err() {
            self.sender = None;
        }
        answer
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, LinkError> {
        let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // The task ends with the connection; how it ended is seen by the request that used it.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }
}
