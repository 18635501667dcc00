//! A session: the WebSocket of one client. It merges feeds into frames and turns client frames into commands.
//!
//! Backpressure comes by construction: the actor is polled only while its connection can take data, so a client that does
//! not read stops its session, then its feeds' channels fill, then the hub marks them lagging. See [`super::feed`].

mod recognition;

use super::command::{Command, Refusal};
use super::engine::Engine;
use super::feed::Scope;
use super::frame::{self, Frame};
use super::visitor::{Admission, Gate, Visitor};
use crate::clock;
use crate::domain::{Action, Execution, ExecutionId, Target, TenantId};
use crate::telemetry::Connected;
use crate::wire::catalog::Code;
use crate::wire::frame::{ClientFrame, ServerFrame};
use crate::wire::problem::Problem;
use actix::{
    Actor, ActorContext, ActorFuture, ActorFutureExt, AsyncContext, ContextFutureSpawner, SpawnHandle, StreamHandler,
    WrapFuture,
};
use actix_http::ws::Item;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{self, CloseCode, CloseReason, WebsocketContext};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The largest client frame in bytes; a larger one closes the session with 1009.
const MAX_FRAME_BYTES: usize = 64 * 1024;
/// How many bad frames a session may send; the last one closes it with 1008.
const MAX_BAD_FRAMES: u32 = 5;
/// Pings without an answer after which the client is taken for gone.
const MAX_MISSED_PINGS: u32 = 2;
/// Requests of one session that may be under way at a time; more are refused.
const MAX_ASKED: usize = 512;
/// Executions one session may watch.
const MAX_SUBSCRIPTIONS: usize = 256;

/// The actor.
pub struct Session {
    engine: Engine,
    opening: Opening,
    /// Ends the session some time after the credential has ended.
    deadline: Option<SpawnHandle>,
    subscriptions: HashMap<ExecutionId, SpawnHandle>,
    bad_frames: u32,
    missed_pings: u32,
    /// Each request that is under way holds one more of these.
    asked: Arc<()>,
    /// As of which [change](Gate::changes) the visitor was recognized.
    confirmed: Option<u64>,
    fragments: Option<Vec<u8>>,
    connected: Option<Connected>,
}

/// What a session begins with.
pub struct Opening {
    pub tenant: TenantId,
    pub scope: Scope,
    /// Who opened it.
    pub visitor: Visitor,
    /// What tells whether they are still welcome.
    pub gate: Arc<dyn Gate>,
    /// How long a session goes on after its credential has ended, for a fresh one to come.
    pub renewal: Duration,
    /// The protocol that the client has offered and is answered with.
    pub protocol: Option<&'static str>,
}

/// Upgrades a request to a session. The caller has checked who it is and that the scope may be seen.
///
/// # Errors
/// When the request is no valid WebSocket handshake.
pub fn start(
    request: &HttpRequest,
    payload: web::Payload,
    engine: Engine,
    opening: Opening,
) -> Result<HttpResponse, actix_web::Error> {
    let protocol = opening.protocol;
    let session = Session {
        engine,
        opening,
        deadline: None,
        subscriptions: HashMap::new(),
        bad_frames: 0,
        missed_pings: 0,
        asked: Arc::default(),
        // Asked with the first frame: something may have changed since the request was let in.
        confirmed: None,
        fragments: None,
        connected: None,
    };
    let builder = ws::WsResponseBuilder::new(session, request, payload).frame_size(MAX_FRAME_BYTES);
    match protocol {
        Some(protocol) => builder.protocols(&[protocol]).start(),
        None => builder.start(),
    }
}

/// What becomes of a session whose visitor is refused.
#[derive(Clone, Copy, Debug)]
enum Refused {
    /// It goes on with what it has.
    Stays,
    Leaves,
}

type Ctx = WebsocketContext<Session>;

impl Session {
    fn watch(&mut self, scope: Scope, ctx: &mut Ctx) -> SpawnHandle {
        ctx.add_stream(self.engine.feed(self.opening.tenant, scope))
    }

    fn send(&self, frame: &ServerFrame<'_>, ctx: &mut Ctx) {
        ctx.text(frame.to_text());
    }

    fn close(&self, code: CloseCode, why: &str, ctx: &mut Ctx) {
        ctx.close(Some(CloseReason { code, description: Some(why.to_owned()) }));
        ctx.stop();
    }

    fn text(&mut self, text: &str, ctx: &mut Ctx) {
        if text == "ping" {
            ctx.text("pong");
            return;
        }
        match serde_json::from_str::<ClientFrame>(text) {
            Ok(frame) => self.frame(frame, ctx),
            // What was sent may hold a token, of which the error would show a part.
            Err(_) if text.contains("\"auth\"") => self.bad_frame("an auth frame has a token and nothing else", ctx),
            Err(error) => self.bad_frame(&error.to_string(), ctx),
        }
    }

    fn bad_frame(&mut self, detail: &str, ctx: &mut Ctx) {
        self.bad_frames += 1;
        let problem = Problem::new(Code::InvalidFrame, detail);
        self.send(&ServerFrame::Error { data: Box::new(problem) }, ctx);
        if self.bad_frames >= MAX_BAD_FRAMES {
            self.close(CloseCode::Policy, "too many frames that could not be understood", ctx);
        }
    }

    fn frame(&mut self, frame: ClientFrame, ctx: &mut Ctx) {
        let is_request = !matches!(frame, ClientFrame::Ping {} | ClientFrame::Unsubscribe { .. });
        if is_request && Arc::strong_count(&self.asked) > MAX_ASKED {
            return self.bad_frame("too many requests are under way: wait for their answers", ctx);
        }
        match frame {
            ClientFrame::Ping {} => self.send(&ServerFrame::Pong, ctx),
            ClientFrame::Subscribe { execution_id, after_seq } => self.subscribe(execution_id, after_seq, ctx),
            ClientFrame::Unsubscribe { execution_id } => {
                if let Some(handle) = self.subscriptions.remove(&execution_id) {
                    ctx.cancel_future(handle);
                }
            }
            ClientFrame::Cancel { execution_id, reason } => {
                let command = Command::Cancel { by: self.name(), reason };
                self.command(execution_id, command, ctx);
            }
            ClientFrame::Pause { execution_id } => {
                self.command(execution_id, Command::Pause { by: self.name() }, ctx);
            }
            ClientFrame::Resume { execution_id } => {
                self.command(execution_id, Command::Resume { by: self.name() }, ctx);
            }
            ClientFrame::Auth { token } => {
                let renewed = self.opening.gate.renew(token);
                // What is asked for after it is asked with it.
                self.admit(renewed, Refused::Stays).wait(ctx);
            }
        }
    }

    fn subscribe(&mut self, id: ExecutionId, after_seq: u64, ctx: &mut Ctx) {
        if !self.has_room_for(id) {
            return self.too_many(ctx);
        }
        self.look_up(id)
            .map(move |(confirmed, found, _asked), session, ctx| match found {
                _ if !session.recognizes(confirmed, ctx) => {}
                Ok(execution) if session.refuses(Action::ExecutionRead, &execution, ctx) => {}
                Ok(_) if !session.has_room_for(id) => session.too_many(ctx),
                Ok(_) => {
                    let handle = session.watch(Scope::Execution { id, after_seq }, ctx);
                    if let Some(earlier) = session.subscriptions.insert(id, handle) {
                        ctx.cancel_future(earlier);
                    }
                }
                Err(error) => session.refused(&Refusal::from(error), ctx),
            })
            .spawn(ctx);
    }

    fn has_room_for(&self, id: ExecutionId) -> bool {
        self.subscriptions.len() < MAX_SUBSCRIPTIONS || self.subscriptions.contains_key(&id)
    }

    fn too_many(&self, ctx: &mut Ctx) {
        let detail = format!("a session may watch {MAX_SUBSCRIPTIONS} executions");
        self.send(&ServerFrame::Error { data: Box::new(Problem::new(Code::InvalidFrame, detail)) }, ctx);
    }

    fn command(&mut self, id: ExecutionId, command: Command, ctx: &mut Ctx) {
        self.look_up(id)
            .map(move |(confirmed, found, _asked), session, ctx| match found {
                _ if !session.recognizes(confirmed, ctx) => {}
                Ok(execution) if session.refuses(Action::ExecutionSteer, &execution, ctx) => {}
                Ok(_) => session.allowed_command(id, command, ctx),
                Err(error) => session.refused(&Refusal::from(error), ctx),
            })
            .spawn(ctx);
    }

    fn allowed_command(&self, id: ExecutionId, command: Command, ctx: &mut Ctx) {
        let (engine, tenant) = (self.engine.clone(), self.opening.tenant);
        let (audit, under_way) = (self.opening.gate.entry(tenant, command.word(), id), Arc::clone(&self.asked));
        async move {
            let asked = engine.command(tenant, id, command, Some(audit)).await;
            drop(under_way);
            asked
        }
        .into_actor(self)
        .map(|result, session, ctx| {
            if let Err(refusal) = result {
                session.refused(&refusal, ctx);
            }
        })
        .spawn(ctx);
    }

    /// The name that events show.
    fn name(&self) -> Option<String> {
        Some(self.opening.visitor.principal.name.clone())
    }

    /// Whether the visitor may not do something to an execution; they are told why.
    fn refuses(&self, action: Action, execution: &Execution, ctx: &mut Ctx) -> bool {
        let owner = execution.creation.created_by.as_deref();
        let target = Target { tenant_id: self.opening.tenant, owner };
        let Err(denial) = self.opening.visitor.principal.may(action, target) else { return false };
        self.send(&ServerFrame::Error { data: Box::new(super::refusal::denied(denial)) }, ctx);
        true
    }

    /// Goes on as whoever the gate says that the visitor is.
    fn admit(&self, answer: Admission, refused: Refused) -> impl ActorFuture<Self, Output = ()> + 'static {
        let asked = Arc::clone(&self.asked);
        async move { (answer.await, asked) }.into_actor(self).map(
            move |(answer, _asked), session: &mut Self, ctx: &mut Ctx| match (answer, refused) {
                (Ok(visitor), _) => {
                    session.accept(visitor, ctx);
                }
                (Err(problem), Refused::Stays) => session.send(&ServerFrame::Error { data: problem }, ctx),
                (Err(problem), Refused::Leaves) => {
                    // An ended token has been told about; the deadline is running.
                    if problem.code != Code::TokenExpired {
                        session.send(&ServerFrame::Error { data: problem }, ctx);
                        session.close(CloseCode::Policy, "the credential is not valid any more", ctx);
                    }
                }
            },
        )
    }

    /// Sees to it that the end of the credential is noticed.
    fn watch_the_clock(&mut self, ctx: &mut Ctx) {
        if let Some(deadline) = self.deadline.take() {
            ctx.cancel_future(deadline);
        }
        let Some(expires_at) = self.opening.visitor.expires_at else { return };
        let left = expires_at.micros_since(self.engine.services().clock.now());
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        self.deadline = Some(ctx.run_later(left, |session, ctx| {
            let detail = "The token of this session has expired; send {\"type\":\"auth\",\"token\":…} to go on.";
            let problem = Problem::new(Code::TokenExpired, detail);
            session.send(&ServerFrame::Error { data: Box::new(problem) }, ctx);
            session.deadline = Some(ctx.run_later(session.opening.renewal, |session, ctx| {
                session.close(CloseCode::Policy, "the token has expired", ctx);
            }));
        }));
    }

    fn refused(&self, refusal: &Refusal, ctx: &mut Ctx) {
        self.send(&ServerFrame::Error { data: Box::new(super::refusal::problem(refusal)) }, ctx);
    }

    fn beat(&mut self, ctx: &mut Ctx) {
        if self.missed_pings >= MAX_MISSED_PINGS {
            self.close(CloseCode::Policy, "no answer to pings", ctx);
            return;
        }
        self.missed_pings += 1;
        ctx.ping(b"");
        let confirmed = self.opening.gate.confirm();
        self.admit(confirmed, Refused::Leaves).spawn(ctx);
    }

    /// Collects a fragmented message, which may not be larger than a whole one.
    fn fragment(&mut self, item: Item, ctx: &mut Ctx) {
        let (part, last) = match item {
            Item::FirstText(part) => {
                self.fragments = Some(Vec::new());
                (part, false)
            }
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
            Item::FirstBinary(_) => return self.bad_frame("frames are JSON text, not binary", ctx),
        };
        let Some(fragments) = self.fragments.as_mut() else { return };
        fragments.extend_from_slice(&part);
        if fragments.len() > MAX_FRAME_BYTES {
            return self.close(CloseCode::Size, "frames may have 64 KiB", ctx);
        }
        if last {
            let whole = self.fragments.take().unwrap_or_default();
            match String::from_utf8(whole) {
                Ok(text) => self.text(&text, ctx),
                Err(_) => self.bad_frame("the frame is not UTF-8", ctx),
            }
        }
    }
}

impl Actor for Session {
    type Context = Ctx;

    fn started(&mut self, ctx: &mut Ctx) {
        self.connected = Some(self.engine.services().metrics.connected("websocket"));
        let heartbeat = self.engine.services().options.live.heartbeat_seconds;
        let name = clock::new_id().to_string();
        ctx.text(frame::hello(name, self.engine.position(), heartbeat).text);
        ctx.run_interval(Duration::from_secs(heartbeat.max(1)), Session::beat);
        let handle = self.watch(self.opening.scope.clone(), ctx);
        if let Scope::Execution { id, .. } = self.opening.scope {
            self.subscriptions.insert(id, handle);
        }
        self.watch_the_clock(ctx);
    }
}

impl StreamHandler<Frame> for Session {
    fn handle(&mut self, frame: Frame, ctx: &mut Ctx) {
        if self.confirmed == Some(self.opening.gate.changes()) || frame::is_goodbye(&frame) {
            return self.show(frame, ctx);
        }
        self.show_when_recognized(frame, ctx);
    }

    /// The end of one feed is not the end of the session.
    fn finished(&mut self, _: &mut Ctx) {}
}

impl Session {
    fn show(&self, frame: Frame, ctx: &mut Ctx) {
        let ends = frame::is_goodbye(&frame);
        ctx.text(frame.text);
        if ends {
            self.close(CloseCode::Away, "the service is shutting down", ctx);
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Ctx) {
        match message {
            Ok(ws::Message::Text(text)) => self.text(&text, ctx),
            Ok(ws::Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(ws::Message::Pong(_)) => self.missed_pings = 0,
            Ok(ws::Message::Binary(_)) => self.bad_frame("frames are JSON text, not binary", ctx),
            Ok(ws::Message::Continuation(item)) => self.fragment(item, ctx),
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(ws::Message::Nop) => {}
            Err(ws::ProtocolError::Overflow) => self.close(CloseCode::Size, "frames may have 64 KiB", ctx),
            Err(error) => self.close(CloseCode::Protocol, &error.to_string(), ctx),
        }
    }
}
