//! A WebSocket client that speaks the live protocol.

use crate::service::Client;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A connected client.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn connect(client: &Client, path: &str) -> Self {
        let url = format!("ws://{}{path}", client.authority());
        let mut request = url.into_client_request().expect("an address");
        if !client.key.is_empty() {
            request.headers_mut().insert("x-api-key", client.key.parse().expect("a key"));
        }
        let (socket, _) = connect_async(request).await.expect("an upgrade");
        Self(socket)
    }

    pub async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("an open connection");
    }

    /// The next text; `None` when the session was closed.
    pub async fn text(&mut self) -> Option<String> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return Some(text.to_string()),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            }
        }
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        let text = self.text().await.expect("the session goes on");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Passes over frames until one is wanted.
    pub async fn until(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.frame().await;
            if is_wanted(&frame) {
                return frame;
            }
        }
    }

    /// Passes over everything until the service closes the session, and says with which code.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Message::Close(frame) = self.0.next().await?.ok()? {
                return frame.map(|frame| frame.code.into());
            }
        }
    }
}
