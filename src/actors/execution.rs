//! The execution actor: one execution, its state, its effects and its timers.
//!
//! `input → step → events appended and committed → actions performed`. While an append is on its way further inputs wait
//! in the inbox; what has gathered there is stepped together and appended once. Nothing is acted on that is not committed.

use super::command::{Command, Reply};
use super::exit::{ChildOutcome, Exit, ExitGuard};
use super::notices::{ActorNotice, Notice};
use super::orders::Amended;
use super::secrets::Held;
use super::seed::{Opening, Seed};
use super::services::Services;
use super::supervisor::Supervisor;
use super::timers::Timers;
use super::turn::{self, Turn};
use crate::domain::{Execution, ExecutionId, Path, Status, TenantId, TimerPurpose};
use crate::machine::{Input, Program, State};
use crate::telemetry;
use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, ContextFutureSpawner, Handler, Message,
    SpawnHandle, WrapFuture,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument, Span};

/// Messages that may wait for one execution: commands and effect outcomes.
const MAILBOX: usize = 1_024;
/// Inputs that are stepped and appended together.
const INPUTS_PER_TURN: usize = 64;

/// Something that happened, for the machine, with whoever waits for the commit.
pub struct Arrival {
    /// In a box: an inbox keeps its room, also while nothing is in it.
    pub input: Box<Input>,
    pub reply: Option<Reply>,
}

impl From<Input> for Arrival {
    fn from(input: Input) -> Self {
        Self { input: Box::new(input), reply: None }
    }
}

/// The actor.
pub struct ExecutionActor {
    pub(super) services: Arc<Services>,
    supervisor: Addr<Supervisor>,
    pub(super) exit: ExitGuard,
    /// Everything that is done for the execution is logged within it.
    pub(super) span: Span,
    pub(super) id: ExecutionId,
    pub(super) tenant: TenantId,
    pub(super) program: Arc<Program>,
    pub(super) secrets: Held,
    /// Absent only while a step is under way on a worker thread.
    pub(super) state: Option<State>,
    pub(super) record: turn::Record,
    opening: Option<Opening>,
    pub(super) inbox: VecDeque<Arrival>,
    pub(super) busy: bool,
    pub(super) effects: HashMap<(Path, u32), DropGuard>,
    pub(super) timers: Timers<(Path, TimerPurpose)>,
    pub(super) alarm: Option<SpawnHandle>,
    idle: Option<SpawnHandle>,
    /// Without a slot, as far as the supervisor knows.
    parked: bool,
    /// Has asked for a slot.
    wanting: bool,
    /// Children that are being looked up.
    pub(super) lookups: usize,
    pub(super) draining: bool,
    /// Somebody wants it cancelled: what cannot be appended is given up sooner.
    pub(super) hurry: CancellationToken,
}

impl ExecutionActor {
    /// Starts the actor on one of the engine's arbiters. What has been `waiting` for it is stepped together with its opening:
    /// nothing is begun that a command takes back at once.
    ///
    /// One without a slot asks for it when it turns out to run.
    pub fn spawn(
        seed: Seed,
        slot: bool,
        waiting: Vec<ToExecution>,
        services: Arc<Services>,
        supervisor: Addr<Supervisor>,
    ) -> Addr<Self> {
        let arbiter = services.next_arbiter();
        Self::start_in_arbiter(&arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            let mut actor = Self {
                exit: ExitGuard::new(seed.id, seed.record.epoch, supervisor.clone()),
                services,
                supervisor,
                span: telemetry::execution_span(seed.id),
                id: seed.id,
                tenant: seed.tenant,
                program: seed.program,
                secrets: Held::default(),
                state: Some(seed.state),
                record: seed.record,
                opening: Some(seed.opening),
                inbox: VecDeque::new(),
                busy: false,
                effects: HashMap::new(),
                timers: Timers::new(),
                alarm: None,
                idle: None,
                parked: !slot,
                wanting: false,
                lookups: 0,
                draining: false,
                hurry: CancellationToken::new(),
            };
            waiting.into_iter().for_each(|message| actor.receive(message));
            actor
        })
    }

    fn open(&mut self, ctx: &mut Context<Self>) {
        let Some(opening) = self.opening.take() else { return };
        let creation = &self.record.creation;
        if matches!(opening, Opening::Create { .. } | Opening::Start) && creation.parent.is_none() {
            self.services.ledger.begin(self.id, creation.budget.unwrap_or_default());
        }
        match opening {
            Opening::Create { first, reply } => {
                self.record.create = Some(first);
                self.inbox.push_back(Arrival { reply: Some(reply), ..Input::Start.into() });
            }
            Opening::Start => self.inbox.push_front(Input::Start.into()),
            Opening::Resume => {
                self.ask_again(ctx);
                // A retried execution begins in the middle of its list, with nothing outstanding. One that is still pending is
                // here for a command only, and waits for it.
                if self.record.projection.status != Status::Pending {
                    self.inbox.push_back(Input::Continue.into());
                }
            }
            Opening::Recover { reason, recovered_in_ms } => {
                let restarts = self.record.projection.restarts;
                // Its transition asks for everything that is outstanding.
                self.inbox.push_front(Input::Recovered { reason, restarts, recovered_in_ms }.into());
            }
            // Who wants it cancelled gets that.
            Opening::Abort { .. } if self.is_to_be_cancelled() => {}
            Opening::Abort { failure } => self.inbox.push_front(Input::Abort { failure: *failure }.into()),
        }
        self.advance(ctx);
    }

    /// Steps what has arrived, unless an append is on its way.
    pub(super) fn advance(&mut self, ctx: &mut Context<Self>) {
        if self.busy || self.inbox.is_empty() || self.exit.is_set() {
            return;
        }
        if self.parked && self.inbox.iter().all(|arrival| turn::needs_slot(&arrival.input)) {
            if let Some(idle) = self.idle.take() {
                ctx.cancel_future(idle);
            }
            if !std::mem::replace(&mut self.wanting, true) {
                self.notify(Notice::Wanting);
            }
            return;
        }
        if !self.has_secrets() {
            return self.fetch_secrets(ctx);
        }
        let Some(state) = self.state.take() else { return };
        if let Some(idle) = self.idle.take() {
            ctx.cancel_future(idle);
        }
        self.busy = true;
        let arrivals = self.next_arrivals();
        let (program, services) = (Arc::clone(&self.program), Arc::clone(&self.services));
        let secrets = self.secrets.clone();
        if self.program.is_bounded() {
            let turn = self.span.in_scope(|| Turn::take(&program, state, arrivals, &secrets, &services));
            self.commit(turn, ctx);
        } else {
            let span = self.span.clone();
            turn::run_elsewhere(move || span.in_scope(|| Turn::take(&program, state, arrivals, &secrets, &services)))
                .into_actor(self)
                .map(|turn, actor, ctx| actor.commit(turn, ctx))
                .spawn(ctx);
        }
    }

    /// What is stepped together. Without a slot only what needs none: the rest waits for one.
    fn next_arrivals(&mut self) -> Vec<Arrival> {
        if !self.parked {
            let count = self.inbox.len().min(INPUTS_PER_TURN);
            return self.inbox.drain(..count).collect();
        }
        let needs_slot = |arrival: &Arrival| turn::needs_slot(&arrival.input);
        let (waiting, next) = std::mem::take(&mut self.inbox).into_iter().partition(needs_slot);
        self.inbox = waiting;
        VecDeque::into(next)
    }

    fn commit(&mut self, turn: Turn, ctx: &mut Context<Self>) {
        let services = Arc::clone(&self.services);
        if turn.events.is_empty() {
            if turn.audit().next().is_none() {
                return self.committed(turn, ctx);
            }
            // What was asked for was the case already; that it was asked for is noted all the same.
            let noted = turn::note(turn, self.hurry.clone(), services).into_actor(self);
            return noted.map(|turn, actor, ctx| actor.committed(turn, ctx)).spawn(ctx);
        }
        let record = self.record.clone();
        let (program, secrets) = (Arc::clone(&self.program), self.secrets.clone());
        let hurry = self.hurry.clone();
        let scope = turn::AppendScope { id: self.id, tenant: self.tenant, program, secrets, hurry };
        turn::append(scope, record, turn, services)
            .instrument(self.span.clone())
            .into_actor(self)
            .map(|result, actor, ctx| match result {
                Ok((record, turn)) => {
                    // It may have been amended meanwhile.
                    actor.record = turn::Record { creation: Arc::clone(&actor.record.creation), ..record };
                    actor.committed(turn, ctx);
                }
                Err((error, turn)) => actor.refused(&error, turn, ctx),
            })
            .spawn(ctx);
    }

    /// The events are durable: answer, act, go on.
    fn committed(&mut self, turn: Turn, ctx: &mut Context<Self>) {
        let Turn { state, events, actions, replies, more, children } = turn;
        self.busy = false;
        let status = state.status();
        let mut view: Option<Execution> = None;
        for (reply, refusal) in replies {
            let answer = match refusal {
                Some(refusal) => Err(refusal),
                None => Ok(view.get_or_insert_with(|| self.record.execution(self.id, self.tenant, &state)).clone()),
            };
            reply.send(answer);
        }
        if self.record.creation.parent.is_none() {
            self.services.ledger.update(self.id, state.budget(), state.halt());
        }
        self.state = Some(state);
        for seed in children {
            self.notify(Notice::ChildCreated(Box::new(seed)));
        }
        self.perform(actions, &events, ctx);
        if status.is_terminal() {
            self.finish(ctx);
            return;
        }
        if status == Status::Pending {
            // It was woken for a command that came to nothing: back to the queue.
            self.exit.set(Exit::Unacknowledged);
            ctx.stop();
            return;
        }
        if more {
            self.inbox.push_back(Input::Continue.into());
        }
        self.settle(ctx);
        self.advance(ctx);
    }

    fn finish(&mut self, ctx: &mut Context<Self>) {
        self.effects.clear();
        self.services.ledger.forget(self.id);
        let parent = self.state.as_ref().and_then(|state| {
            let (output, error) = (state.output().cloned(), state.error().cloned());
            ChildOutcome::of(&self.record.creation, state.status(), output, error)
        });
        self.exit.set(Exit::Finished { parent });
        ctx.stop();
    }

    /// Tells the supervisor when the execution parks or goes on, and lets a parked one go after a while.
    pub(super) fn settle(&mut self, ctx: &mut Context<Self>) {
        let Some(state) = self.state.as_ref() else { return };
        // What waits for a slot already goes on waiting.
        let rests = self.inbox.iter().all(|arrival| self.parked && turn::needs_slot(&arrival.input));
        let quiet = self.effects.is_empty() && rests && self.lookups == 0;
        let parked = state.is_parked() && quiet;
        if parked != self.parked {
            (self.parked, self.wanting) = (parked, false);
            self.notify(if parked { Notice::Parked } else { Notice::Unparked });
        }
        if self.draining && self.effects.is_empty() {
            self.exit.set(Exit::Stopped);
            ctx.stop();
            return;
        }
        if let Some(idle) = self.idle.take() {
            ctx.cancel_future(idle);
        }
        let patience = Duration::from_millis(self.services.options.passivate_after_ms);
        let due = self.timers.next().map(|at| at.micros_since(self.services.clock.now()));
        let soon = due.is_some_and(|micros| i128::from(micros) <= patience.as_micros().try_into().unwrap_or(i128::MAX));
        if parked && !soon && self.inbox.is_empty() {
            self.idle = Some(ctx.run_later(patience, |actor, _| actor.notify(Notice::Leaving)));
        }
    }

    pub(super) fn notify(&self, notice: Notice) {
        self.supervisor.do_send(ActorNotice { id: self.id, epoch: self.record.epoch, notice });
    }

    /// It has a slot now, and gives it back when there is nothing to do any more.
    fn granted(&mut self, ctx: &mut Context<Self>) {
        (self.parked, self.wanting) = (false, false);
        if !self.busy {
            self.settle(ctx);
            self.advance(ctx);
        }
    }
}

impl Actor for ExecutionActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.open(ctx);
    }
}

/// What the supervisor and the effects send.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ToExecution {
    Arrived(Box<Input>),
    Command(Command, Box<Reply>),
    /// Stored already; for its answers and its children.
    Amended(Box<Amended>),
    /// The answer to [`Notice::Wanting`]: it has a slot.
    Granted,
    /// The answer to [`Notice::Leaving`]: nothing more will be sent.
    Dismissed,
    /// The service stops: let running effects finish, start nothing new.
    Drain,
}

impl ToExecution {
    /// Whether somebody waits for the answer, who does not wait for a slot.
    pub(super) const fn is_command(&self) -> bool {
        matches!(self, Self::Command(..))
    }
}

impl Handler<ToExecution> for ExecutionActor {
    type Result = ();

    fn handle(&mut self, message: ToExecution, ctx: &mut Self::Context) {
        match message {
            ToExecution::Arrived(_) | ToExecution::Command(..) | ToExecution::Amended(_) => {
                self.receive(message);
                self.advance(ctx);
            }
            ToExecution::Dismissed => {
                if self.parked && !self.busy && self.inbox.is_empty() {
                    self.exit.set(Exit::Passivated { wake_at: self.timers.next() });
                    ctx.stop();
                } else {
                    self.notify(Notice::Staying);
                    self.granted(ctx);
                }
            }
            ToExecution::Granted => self.granted(ctx),
            ToExecution::Drain => {
                self.draining = true;
                if !self.busy {
                    self.settle(ctx);
                }
            }
        }
    }
}
