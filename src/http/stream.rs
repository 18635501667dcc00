//! Server-sent events: the frames of a feed, each with its cursor as `id`, so that `Last-Event-ID` resumes.

use super::Service;
use super::authorization::LIVE_PARAMETERS;
use super::caller::Caller;
use super::error::{Error, Result};
use super::gate::Credential;
use super::path;
use super::query::{MAX_NUMBER, Query};
use crate::actors::refusal::denied;
use crate::actors::{Feed, Gate, Scope};
use crate::domain::{Action, Role};
use crate::telemetry::Connected;
use crate::wire::catalog::Code;
use crate::wire::frame::ServerFrame;
use crate::wire::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Interval;

const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Frames that are ready at the same time go out together, up to this many.
const FRAMES_PER_WRITE: usize = 64;
/// What an `EventSource` waits before it connects again.
const BEGIN: &[u8] = b"retry: 1000\n\n";
/// Keeps proxies from closing a quiet connection, and finds out that the receiver has gone.
const HEARTBEAT: &[u8] = b": \n\n";

/// The latest state of every execution, as it changes.
///
/// Each event's `id` is a position in commit order. Without `after` the stream begins now.
#[utoipa::path(get, path = "/api/v1/executions/stream", tag = "live",
    params(
        ("after" = Option<u64>, Query, description = "Continue after this position."),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same; takes precedence."),
    ),
    responses((status = 200, body = crate::wire::frame::ServerFrame<'static>, content_type = "text/event-stream",
        description = "Events named like the frames they carry; `data` is the frame as JSON.")),
)]
pub async fn all(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    query.ignore(&LIVE_PARAMETERS);
    let after = query.number("after", 0..=MAX_NUMBER);
    query.finish()?;
    // From the answer on: the feed itself begins when it is first read.
    let after = last_event_id(&request)?.or(after).or_else(|| Some(service.engine.position()));
    let owner = caller.only_owner().map(Arc::from);
    respond(&service, &caller, service.engine.feed(caller.tenant_id, Scope::Global { after, owner }))
}

/// Every event of one execution, complete and in order.
///
/// Each event's `id` is its `seq`. Without `after_seq` the stream begins with the first event.
#[utoipa::path(get, path = "/api/v1/executions/{id}/stream", tag = "live",
    params(
        ("id" = crate::domain::ExecutionId, Path, description = "The execution."),
        ("after_seq" = Option<u64>, Query, description = "Continue after this event."),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same; takes precedence."),
    ),
    responses((status = 200, body = crate::wire::frame::ServerFrame<'static>, content_type = "text/event-stream",
        description = "Events named like the frames they carry; `data` is the frame as JSON.")),
)]
pub async fn one(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut query = Query::of(&request);
    query.ignore(&LIVE_PARAMETERS);
    let after_seq = query.number("after_seq", 0..=MAX_NUMBER);
    query.finish()?;
    let after_seq = last_event_id(&request)?.or(after_seq).unwrap_or(0);
    service.execution(&caller, id).await?;
    respond(&service, &caller, service.engine.feed(caller.tenant_id, Scope::Execution { id, after_seq }))
}

fn last_event_id(request: &HttpRequest) -> Result<Option<u64>> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let cursor = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    match cursor {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(Error::invalid_header(LAST_EVENT_ID, format!("{LAST_EVENT_ID} must be a whole number."))),
    }
}

fn respond(service: &Service, caller: &Caller, feed: Feed) -> Result<HttpResponse> {
    let reception = Reception::of(service, caller)?;
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body(feed, reception, service.heartbeat)))
}

/// Whoever receives a stream.
struct Reception {
    gate: Arc<dyn Gate>,
    /// What they were when the stream was opened: it shows what that allows.
    role: Role,
    /// When the credential ends.
    deadline: Pin<Box<dyn Future<Output = ()> + Send>>,
    has_ended: bool,
    _connected: Connected,
}

impl Reception {
    fn of(service: &Service, caller: &Caller) -> Result<Self> {
        let deadline: Pin<Box<dyn Future<Output = ()> + Send>> = match caller.standing.expires_at {
            Some(expires_at) => service.clock.sleep_until(expires_at),
            None => Box::pin(std::future::pending()),
        };
        Ok(Self {
            gate: Credential::of(service, caller)?,
            role: caller.principal().role,
            deadline,
            has_ended: false,
            _connected: service.metrics.connected("sse"),
        })
    }

    /// Whether they may still see what the stream shows. Costs a look into memory as long as nothing changes.
    async fn confirm(&self) -> Result<(), Box<Problem>> {
        let principal = self.gate.confirm().await?.principal;
        principal.reach(Action::ExecutionRead).map_err(|denial| Box::new(denied(denial)))?;
        if principal.role == self.role {
            return Ok(());
        }
        Err(Box::new(Problem::new(Code::Forbidden, "The permissions have changed: connect again.")))
    }

    /// The last frame.
    fn end(&mut self, problem: Box<Problem>) -> Bytes {
        self.has_ended = true;
        let text = ServerFrame::Error { data: problem }.to_text();
        Bytes::from(format!("event: error\ndata: {text}\n\n"))
    }
}

/// The text of the stream: what is ready at once in one piece, and a comment when nothing came for a while. It ends with the
/// credential.
fn body(feed: Feed, reception: Reception, heartbeat: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let begin = stream::once(std::future::ready(Ok(Bytes::from_static(BEGIN))));
    let timer = tokio::time::interval_at(tokio::time::Instant::now() + heartbeat, heartbeat);
    let state = (feed.ready_chunks(FRAMES_PER_WRITE), timer, reception);
    begin.chain(stream::unfold(state, |(mut frames, mut timer, mut reception)| async move {
        let piece = next_piece(&mut frames, &mut timer, &mut reception).await?;
        Some((Ok(piece), (frames, timer, reception)))
    }))
}

async fn next_piece(
    frames: &mut stream::ReadyChunks<Feed>,
    timer: &mut Interval,
    reception: &mut Reception,
) -> Option<Bytes> {
    if reception.has_ended {
        return None;
    }
    let frames = tokio::select! {
        frames = frames.next() => frames?,
        _ = timer.tick() => {
            return Some(match reception.confirm().await {
                Ok(()) => Bytes::from_static(HEARTBEAT),
                Err(problem) => reception.end(problem),
            });
        }
        () = &mut reception.deadline => {
            let detail = "The token of this stream has expired; connect again with a fresh one.";
            return Some(reception.end(Box::new(Problem::new(Code::TokenExpired, detail))));
        }
    };
    // A stream that is never quiet has to ask, too.
    if let Err(problem) = reception.confirm().await {
        return Some(reception.end(problem));
    }
    timer.reset();
    let length = frames.iter().map(|frame| frame.text.len() + 64).sum();
    let mut piece = BytesMut::with_capacity(length);
    for frame in frames {
        if let Some(cursor) = frame.cursor {
            piece.extend_from_slice(format!("id: {cursor}\n").as_bytes());
        }
        piece.extend_from_slice(b"event: ");
        piece.extend_from_slice(frame.event.as_bytes());
        // A frame is JSON in one line.
        piece.extend_from_slice(b"\ndata: ");
        piece.extend_from_slice(frame.text.as_bytes());
        piece.extend_from_slice(b"\n\n");
    }
    Some(piece.freeze())
}
