//! The live feed over WebSocket: one connection, and following one execution across broken connections.
//!
//! A feed is resumed with the number of the last event that arrived, so nothing is lost and nothing comes twice.

use super::Exit;
use super::client::{API_KEY, Client, unreachable};
use super::error::Error;
use crate::domain::Event;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long a connection may take to be opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The request that opens a session, with the key that is its credential.
///
/// # Errors
/// When the address is no WebSocket's.
pub fn handshake(url: &str, key: Option<&str>) -> Result<Request, Box<tungstenite::Error>> {
    let mut request = url.into_client_request().map_err(Box::new)?;
    if let Some(mut value) = key.and_then(|key| HeaderValue::from_str(key).ok()) {
        value.set_sensitive(true);
        request.headers_mut().insert(API_KEY, value);
    }
    Ok(request)
}

/// One open session.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Connection {
    /// Opens a session.
    ///
    /// # Errors
    /// A tungstenite error: refused, not reachable, not a WebSocket.
    pub async fn open(request: Request) -> Result<Self, Box<tungstenite::Error>> {
        let opening = tokio_tungstenite::connect_async_with_config(request, None, true);
        match tokio::time::timeout(OPEN_TIMEOUT, opening).await {
            Ok(Ok((socket, _))) => Ok(Self { socket }),
            Ok(Err(error)) => Err(Box::new(error)),
            Err(_) => Err(Box::new(tungstenite::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }

    /// The text of the next frame; `None` once the session has ended, for whatever reason.
    pub async fn next(&mut self) -> Option<tungstenite::Utf8Bytes> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Text(text)) => return Some(text),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return None,
            }
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn send(&mut self, frame: &Value) -> Result<(), Error> {
        let sent = self.socket.send(Message::text(frame.to_string())).await;
        sent.map_err(|error| Error::failure(format!("the live feed has ended: {error}")))
    }

    /// Ends the session; a peer that is gone needs no good-bye.
    pub async fn close(mut self) {
        let frame = tungstenite::protocol::CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = self.socket.close(Some(frame)).await;
    }
}

/// What following an execution brings.
#[derive(Clone, Debug)]
pub enum News {
    /// The next event; none is missing, none comes twice.
    Event(Box<Event>),
    /// An event of a kind that this version does not know.
    UnknownEvent(Value),
    /// A piece of streamed output of a task instance, with its number: 1, 2, 3 … per run of the task.
    Output { path: String, n: u64, text: String },
    /// A log line.
    Log(Value),
    /// The connection broke; it is being opened again.
    Reconnecting,
}

/// How an execution is followed.
#[derive(Clone, Copy, Debug)]
pub struct Following {
    /// Only what comes after this event.
    pub after_seq: u64,
    /// How long the service may be unreachable.
    pub patience: Duration,
}

impl Default for Following {
    fn default() -> Self {
        Self { after_seq: 0, patience: Duration::from_secs(60) }
    }
}

/// Follows one execution until `take` says that it has seen enough.
///
/// # Errors
/// When the service refuses the feed, or cannot be reached for longer than the given patience.
pub async fn follow(
    client: &Client,
    execution_id: &str,
    following: Following,
    mut take: impl FnMut(News) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut after = following.after_seq;
    let mut pause = FIRST_PAUSE;
    let mut lost_since: Option<Instant> = None;
    loop {
        let mut url = client.live_address(&format!("/ws/executions/{execution_id}"));
        url.query_pairs_mut().append_pair("after", &after.to_string());
        let opened = match handshake(url.as_str(), client.key()) {
            Ok(request) => Connection::open(request).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(mut connection) => {
                // It was reached: patience begins anew with the next loss, however long nothing happens until then.
                lost_since = None;
                let before = after;
                if read(&mut connection, &mut after, &mut take).await.is_break() {
                    connection.close().await;
                    return Ok(());
                }
                if after > before {
                    pause = FIRST_PAUSE;
                }
            }
            Err(error) if is_refusal(&error) => return Err(refusal(*error)),
            Err(error) => {
                let lost = lost_since.get_or_insert_with(Instant::now);
                if lost.elapsed() > following.patience {
                    return Err(unreachable(&url, &error.to_string()));
                }
            }
        }
        if take(News::Reconnecting).is_break() {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Reads one session until it ends (`Continue`) or `take` has seen enough (`Break`).
async fn read(
    connection: &mut Connection,
    after: &mut u64,
    take: &mut impl FnMut(News) -> ControlFlow<()>,
) -> ControlFlow<()> {
    while let Some(text) = connection.next().await {
        match parse(&text) {
            Parsed::Event { seq, .. } if seq <= *after => {}
            Parsed::Event { seq, news } if seq == *after + 1 => {
                *after = seq;
                take(news)?;
            }
            // A hole in the feed: the missing part comes when the session is opened again.
            Parsed::Event { .. } => return ControlFlow::Continue(()),
            Parsed::News(news) => take(news)?,
            // The service is going down; the next session continues.
            Parsed::Goodbye => return ControlFlow::Continue(()),
            Parsed::Other => {}
        }
    }
    ControlFlow::Continue(())
}

/// A frame of the live protocol, as far as it is about following one execution.
#[derive(Clone, Debug)]
pub enum Parsed {
    Event { seq: u64, news: News },
    News(News),
    Goodbye,
    Other,
}

/// Reads one frame. What is not known is passed over: an older client can follow a newer service.
pub fn parse(text: &str) -> Parsed {
    let Ok(mut frame) = serde_json::from_str::<Value>(text) else { return Parsed::Other };
    let seq = frame.get("seq").and_then(Value::as_u64);
    let data = frame.get_mut("data").map(Value::take).unwrap_or_default();
    match (frame.get("type").and_then(Value::as_str), seq) {
        (Some("execution_event"), Some(seq)) => Parsed::Event { seq, news: event_news(data) },
        (Some("output_delta"), _) => Parsed::News(output_news(&data)),
        (Some("log"), _) => Parsed::News(News::Log(data)),
        (Some("goodbye"), _) => Parsed::Goodbye,
        _ => Parsed::Other,
    }
}

fn event_news(data: Value) -> News {
    match serde_json::from_value::<Event>(data.clone()) {
        Ok(event) => News::Event(Box::new(event)),
        Err(_) => News::UnknownEvent(data),
    }
}

fn output_news(data: &Value) -> News {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    News::Output { path: text("path"), n: data.get("n").and_then(Value::as_u64).unwrap_or(0), text: text("text") }
}

/// Whether the service itself answered, and said no for good.
fn is_refusal(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Url(_))
        || matches!(error, tungstenite::Error::Http(answer) if answer.status().is_client_error())
}

fn refusal(error: tungstenite::Error) -> Error {
    if let tungstenite::Error::Http(answer) = error {
        let status = answer.status().as_u16();
        super::client::problem(status, answer.body().as_deref().unwrap_or_default())
    } else {
        Error { exit: Exit::Unreachable, text: format!("cannot open the live feed: {error}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EventBody;

    #[test]
    fn an_event_frame_is_read_and_one_of_a_newer_service_is_passed_on() {
        let frame = |event_type: &str| {
            format!(
                r#"{{"type":"execution_event","seq":2,"position":9,"data":{{"execution_id":"x","seq":2,
                "at":"2026-01-01T00:00:00.000000Z","path":"s0:a","task":"/do/0/a","type":"{event_type}","data":{{}}}}}}"#
            )
        };
        let Parsed::Event { seq: 2, news: News::Event(event) } = parse(&frame("task_skipped")) else { panic!() };
        assert_eq!((event.seq, event.body), (2, EventBody::TaskSkipped {}));
        let newer = parse(&frame("task_delegated"));
        assert!(matches!(newer, Parsed::Event { seq: 2, news: News::UnknownEvent(_) }), "{newer:?}");
        assert!(matches!(parse("pong"), Parsed::Other));
    }
}
