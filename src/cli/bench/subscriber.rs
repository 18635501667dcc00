//! One subscriber of the global feed, as economical as it can be.

use super::load::{histogram, note};
use crate::cli::error::Error;
use crate::cli::link::Endpoint;
use crate::clock::{Clock, SystemClock};
use crate::domain::{Status, Timestamp};
use futures_util::StreamExt;
use hdrhistogram::Histogram;
use serde::Deserialize;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use uuid::Uuid;

/// Buffers are small, because there are many subscribers in one process.
const BUFFER_BYTES: usize = 4 * 1024;
/// The receive buffer of the one that does not read, so that it really gets stuck.
const STUCK_BUFFER_BYTES: u32 = 4 * 1024;

/// What a subscriber has seen.
#[derive(Debug)]
pub struct Seen {
    pub frames: u64,
    /// From the time an update carries until it was read.
    pub times: Histogram<u64>,
    /// Executions whose end was seen.
    pub ended: HashSet<Uuid>,
    /// The newest position.
    position: u64,
}

/// One session of the global feed.
#[derive(Debug)]
pub struct Subscriber {
    endpoint: Endpoint,
    socket: WebSocketStream<TcpStream>,
    seen: Rc<RefCell<Seen>>,
}

/// The part of a frame that is looked at.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    frame_type: Cow<'a, str>,
    #[serde(default)]
    position: u64,
    #[serde(borrow, default)]
    data: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Update {
    id: Uuid,
    status: Status,
    updated_at: Timestamp,
}

impl Subscriber {
    /// Opens a session that sees everything from now on.
    ///
    /// # Errors
    /// When the service does not accept it.
    pub async fn open(endpoint: Endpoint) -> Result<Self, Error> {
        let seen = Seen { frames: 0, times: histogram()?, ended: HashSet::new(), position: 0 };
        Self::connect(endpoint, None, Rc::new(RefCell::new(seen)), None).await
    }

    /// As [`Subscriber::open`], with a receive buffer that is full after a few frames.
    ///
    /// # Errors
    /// As [`Subscriber::open`].
    pub async fn open_small(endpoint: Endpoint) -> Result<Self, Error> {
        let seen = Seen { frames: 0, times: histogram()?, ended: HashSet::new(), position: 0 };
        Self::connect(endpoint, None, Rc::new(RefCell::new(seen)), Some(STUCK_BUFFER_BYTES)).await
    }

    async fn connect(
        endpoint: Endpoint,
        after: Option<u64>,
        seen: Rc<RefCell<Seen>>,
        buffer: Option<u32>,
    ) -> Result<Self, Error> {
        let refused =
            |error: &dyn std::fmt::Display| Error::failure(format!("a subscriber could not connect: {error}"));
        let tcp = TcpSocket::new_v4().map_err(|error| refused(&error))?;
        if let Some(bytes) = buffer {
            tcp.set_recv_buffer_size(bytes).map_err(|error| refused(&error))?;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, endpoint.port));
        let stream = tcp.connect(address).await.map_err(|error| refused(&error))?;
        let after = after.map(|position| format!("&after={position}")).unwrap_or_default();
        let handshake = endpoint.handshake(&format!("/ws/executions?client_id=bench{after}"));
        let handshake = handshake.map_err(|error| refused(&error))?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(0);
        let opened = tokio_tungstenite::client_async_with_config(handshake, stream, Some(config)).await;
        let (mut socket, _) = opened.map_err(|error| refused(&error))?;
        // The first frame says hello: from here on nothing is missed.
        let hello = socket.next().await;
        if !matches!(&hello, Some(Ok(Message::Text(text))) if text.contains("\"hello\"")) {
            return Err(refused(&"the session did not begin with hello"));
        }
        Ok(Self { endpoint, socket, seen })
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Rc<RefCell<Seen>> {
        Rc::clone(&self.seen)
    }

    /// Reads until the session ends.
    pub async fn read(&mut self) {
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Text(text) = message {
                self.take(&text);
            }
        }
    }

    fn take(&self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else { return };
        if frame.frame_type != "execution_update" {
            return;
        }
        let update = frame.data.and_then(|data| serde_json::from_str::<Update>(data.get()).ok());
        let Some(Update { id, status, updated_at }) = update else { return };
        let age = u64::try_from(SystemClock.now().micros_since(updated_at)).unwrap_or(0);
        let mut seen = self.seen.borrow_mut();
        seen.frames += 1;
        seen.position = seen.position.max(frame.position);
        note(&mut seen.times, Duration::from_micros(age));
        if status.is_terminal() {
            seen.ended.insert(id);
        }
    }

    /// Begins to read at last; whether it sees the end of every execution. A session that the service has closed in the
    /// meantime is resumed with the last position.
    ///
    /// # Errors
    /// When the service does not accept the resumed session.
    pub async fn catch_up(&mut self, started: &HashSet<Uuid>, patience: Duration) -> Result<bool, Error> {
        let deadline = Instant::now() + patience;
        while !started.is_subset(&self.seen.borrow().ended) {
            match tokio::time::timeout_at(deadline, self.socket.next()).await {
                Err(_) => return Ok(false),
                Ok(Some(Ok(Message::Text(text)))) => self.take(&text),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => {
                    let position = self.seen.borrow().position;
                    *self = Self::connect(self.endpoint.clone(), Some(position), self.seen(), None).await?;
                }
            }
        }
        Ok(true)
    }
}
