//! The supervisor: it owns the address of every living execution actor, the queue and the slots, and it alone decides
//! what lives, waits, is woken or is rebuilt.
//!
//! A slot is the right to run: it belongs to a living actor, is given back when the execution parks and is released by
//! the actor's end, however that comes. Restart limits are written down in [`Options`](super::settings::Options): beyond
//! them an execution fails with an error that names the crash; no crash touches another execution.

use super::admission::{Admission, Next};
use super::command::{Command, Refusal};
use super::execution::{ExecutionActor, Reply, ToExecution};
use super::recovery::{self, Rebuilt, Whom, Why};
use super::seed::{Opening, Seed};
use super::services::Services;
use super::timers::Timers;
use crate::domain::{ExecutionId, TenantId, Timestamp};
use actix::prelude::SendError;
use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, ContextFutureSpawner, Handler, Message, SpawnHandle, WrapFuture,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Submissions, commands and notices that may wait for the supervisor; senders beyond it wait.
pub const SUPERVISOR_MAILBOX: usize = 8_192;

/// Where an execution that is not terminal stands.
pub(super) enum Presence {
    /// In the queue.
    Pending,
    /// Accepted, not to be started before an instant.
    Delayed,
    /// Only a row; woken by a timer, a child or a command.
    Parked,
    /// About to be rebuilt or being rebuilt. What arrives meanwhile waits here.
    Waking {
        why: Why,
        waiting: Vec<ToExecution>,
    },
    Live {
        address: Addr<ExecutionActor>,
        slot: bool,
    },
    /// Has been told that it may go; what arrives meanwhile waits here.
    Leaving {
        address: Addr<ExecutionActor>,
        waiting: Vec<ToExecution>,
    },
}

pub(super) struct Entry {
    pub tenant: TenantId,
    /// Of the living actor; notices of earlier ones are stale.
    pub epoch: u32,
    pub presence: Presence,
}

/// The actor.
pub struct Supervisor {
    pub(super) services: Arc<Services>,
    pub(super) entries: HashMap<ExecutionId, Entry>,
    pub(super) queue: Admission<Option<Box<Seed>>>,
    /// Submissions that are being stored as pending.
    creating: usize,
    pub(super) running: usize,
    /// When parked and delayed executions are due.
    pub(super) wakeups: Timers<ExecutionId>,
    alarm: Option<(Timestamp, SpawnHandle)>,
    pub(super) crashes: HashMap<ExecutionId, VecDeque<Instant>>,
    pub(super) restarts: u64,
    closing: bool,
    drained: Vec<oneshot::Sender<()>>,
}

impl Supervisor {
    pub fn new(services: Arc<Services>) -> Self {
        let limit = services.options.max_queued;
        Self {
            services,
            entries: HashMap::new(),
            queue: Admission::new(limit),
            creating: 0,
            running: 0,
            wakeups: Timers::new(),
            alarm: None,
            crashes: HashMap::new(),
            restarts: 0,
            closing: false,
            drained: Vec::new(),
        }
    }

    fn has_slot(&self) -> bool {
        self.running < self.services.options.max_running
    }

    fn live(&mut self, seed: Seed, slot: bool, ctx: &Context<Self>) -> Addr<ExecutionActor> {
        let (id, tenant, epoch) = (seed.id, seed.tenant, seed.record.epoch);
        let address = ExecutionActor::spawn(seed, slot, Arc::clone(&self.services), ctx.address());
        let presence = Presence::Live { address: address.clone(), slot };
        self.entries.insert(id, Entry { tenant, epoch, presence });
        address
    }

    /// Fills free slots from the queue.
    pub(super) fn pump(&mut self, ctx: &mut Context<Self>) {
        self.fill(ctx);
        self.services.metrics.queue(self.running, self.queue.pending() + self.queue.woken());
    }

    fn fill(&mut self, ctx: &mut Context<Self>) {
        while self.has_slot() && !self.closing {
            match self.queue.pop() {
                None => return,
                Some(Next::Woken(id)) => {
                    if matches!(self.entries.get(&id), Some(Entry { presence: Presence::Waking { .. }, .. })) {
                        self.running += 1;
                        self.rebuild(id, true, ctx);
                    }
                }
                Some(Next::Pending(_, Some(seed))) => {
                    self.running += 1;
                    self.live(*seed, true, ctx);
                }
                Some(Next::Pending(id, None)) => {
                    self.running += 1;
                    if let Some(entry) = self.entries.get_mut(&id) {
                        entry.presence = Presence::Waking { why: Why::Start, waiting: Vec::new() };
                    }
                    self.rebuild(id, true, ctx);
                }
            }
        }
    }

    /// Has an execution rebuilt from its journal. Its presence is `Waking`.
    pub(super) fn rebuild(&mut self, id: ExecutionId, slot: bool, ctx: &mut Context<Self>) {
        let (whom, why) = match self.entries.get(&id) {
            Some(Entry { tenant, epoch, presence: Presence::Waking { why, .. } }) => {
                let owned = *epoch > 0 && !matches!(why, Why::Crash { .. } | Why::GiveUp { .. });
                (Whom { id, tenant: *tenant, owned }, why.clone())
            }
            _ => return,
        };
        let services = Arc::clone(&self.services);
        recovery::rebuild(services, whom, why)
            .into_actor(self)
            .map(move |rebuilt, supervisor, ctx| supervisor.rebuilt(id, slot, rebuilt, ctx))
            .spawn(ctx);
    }

    fn rebuilt(&mut self, id: ExecutionId, slot: bool, rebuilt: Result<Rebuilt, Refusal>, ctx: &mut Context<Self>) {
        let waiting = match self.entries.get_mut(&id) {
            Some(Entry { presence: Presence::Waking { waiting, .. }, .. }) => std::mem::take(waiting),
            _ => Vec::new(),
        };
        match rebuilt {
            Ok(Rebuilt(seed)) => {
                let address = self.live(*seed, slot, ctx);
                for message in waiting {
                    deliver(&address, message);
                }
            }
            Err(refusal) => {
                self.entries.remove(&id);
                self.release(slot);
                for message in waiting {
                    if let ToExecution::Command(_, reply) = message {
                        let _ = reply.send(Err(refusal.clone()));
                    }
                }
                self.pump(ctx);
            }
        }
        self.check_drained();
    }

    pub(super) fn release(&mut self, slot: bool) {
        if slot {
            self.running = self.running.saturating_sub(1);
        }
    }

    /// Gives a parked execution something to do.
    pub(super) fn wake(&mut self, id: ExecutionId, why: Why, waiting: Vec<ToExecution>, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.presence = Presence::Waking { why, waiting };
        self.wakeups.cancel(&id);
        self.queue.wake(id);
        self.pump(ctx);
    }

    /// Brings a message to an execution, wherever it is.
    pub(super) fn route(&mut self, id: ExecutionId, tenant: TenantId, message: ToExecution, ctx: &mut Context<Self>) {
        let is_command = matches!(message, ToExecution::Command(..));
        let Some(entry) = self.entries.get_mut(&id) else {
            // Not known although the store has it: its creation was never acknowledged. The journal knows.
            if is_command {
                let presence = Presence::Waking { why: Why::Wake, waiting: vec![message] };
                self.entries.insert(id, Entry { tenant, epoch: 0, presence });
                self.rebuild(id, false, ctx);
            }
            return;
        };
        match &mut entry.presence {
            Presence::Live { address, .. } => deliver(address, message),
            Presence::Leaving { waiting, .. } | Presence::Waking { waiting, .. } => waiting.push(message),
            Presence::Parked | Presence::Delayed if is_command => {
                entry.presence = Presence::Waking { why: Why::Wake, waiting: vec![message] };
                self.wakeups.cancel(&id);
                self.rebuild(id, false, ctx);
            }
            Presence::Parked => self.wake(id, Why::Wake, vec![message], ctx),
            Presence::Delayed => {}
            Presence::Pending if is_command => {
                self.queue.remove(id);
                entry.presence = Presence::Waking { why: Why::Wake, waiting: vec![message] };
                self.rebuild(id, false, ctx);
            }
            Presence::Pending => {}
        }
    }

    /// Sets the one alarm for the earliest deadline.
    pub(super) fn arm(&mut self, ctx: &mut Context<Self>) {
        let next = self.wakeups.next();
        if self.alarm.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        if let Some((_, handle)) = self.alarm.take() {
            ctx.cancel_future(handle);
        }
        if let Some(deadline) = next {
            let sleep = self.services.clock.sleep_until(deadline);
            let handle = ctx.spawn(sleep.into_actor(self).map(|(), supervisor, ctx| supervisor.ring(ctx)));
            self.alarm = Some((deadline, handle));
        }
    }

    fn ring(&mut self, ctx: &mut Context<Self>) {
        self.alarm = None;
        for id in self.wakeups.due(self.services.clock.now()) {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            match entry.presence {
                Presence::Parked => self.wake(id, Why::Wake, Vec::new(), ctx),
                Presence::Delayed => self.wake(id, Why::Start, Vec::new(), ctx),
                Presence::Pending | Presence::Waking { .. } | Presence::Live { .. } | Presence::Leaving { .. } => {}
            }
        }
        self.arm(ctx);
    }

    fn submit(&mut self, mut seed: Seed, ctx: &mut Context<Self>) {
        if self.closing {
            seed.refuse(Refusal::ShuttingDown);
            return;
        }
        let delayed = seed.record.creation.start_at.is_some_and(|at| at > self.services.clock.now());
        if self.has_slot() && self.queue.pending() + self.queue.woken() == 0 && !delayed {
            self.running += 1;
            self.live(seed, true, ctx);
            return;
        }
        if !self.queue.has_room(self.creating) {
            seed.refuse(Refusal::QueueFull { retry_after_seconds: 1 + u64::from(self.running > 0) });
            return;
        }
        self.creating += 1;
        let services = Arc::clone(&self.services);
        recovery::store_pending(services, seed)
            .into_actor(self)
            .map(move |stored, supervisor, ctx| {
                supervisor.creating -= 1;
                match stored {
                    Ok(seed) => supervisor.enqueue(seed, ctx),
                    Err(id_and_tenant) => supervisor.reconcile(id_and_tenant, ctx),
                }
            })
            .spawn(ctx);
    }

    /// An execution that is stored as pending joins the queue.
    pub(super) fn enqueue(&mut self, seed: Box<Seed>, ctx: &mut Context<Self>) {
        let (id, tenant, epoch, priority) = (seed.id, seed.tenant, seed.record.epoch, seed.priority());
        let start_at = seed.record.creation.start_at.filter(|at| *at > self.services.clock.now());
        let presence = if start_at.is_some() { Presence::Delayed } else { Presence::Pending };
        self.entries.insert(id, Entry { tenant, epoch, presence });
        match start_at {
            Some(at) => {
                self.wakeups.set(id, at);
                self.arm(ctx);
            }
            None => {
                self.queue.push(id, priority, Some(seed));
                self.pump(ctx);
            }
        }
    }

    /// A creation whose acknowledgement is missing: the journal tells whether it exists.
    fn reconcile(&mut self, (id, tenant): (ExecutionId, TenantId), ctx: &mut Context<Self>) {
        let presence = Presence::Waking { why: Why::Wake, waiting: Vec::new() };
        self.entries.insert(id, Entry { tenant, epoch: 0, presence });
        self.rebuild(id, false, ctx);
    }

    pub(super) fn check_drained(&mut self) {
        if self.closing && !self.drained.is_empty() {
            let busy = self.entries.values().any(|entry| match entry.presence {
                Presence::Live { .. } | Presence::Leaving { .. } => true,
                Presence::Pending | Presence::Delayed | Presence::Parked | Presence::Waking { .. } => false,
            });
            if !busy {
                for waiting in self.drained.drain(..) {
                    let _ = waiting.send(());
                }
            }
        }
    }
}

impl Seed {
    fn refuse(&mut self, refusal: Refusal) {
        if let Opening::Create { reply, .. } = std::mem::replace(&mut self.opening, Opening::Start) {
            let _ = reply.send(Err(refusal));
        }
    }
}

/// Sends without waiting; when the mailbox is full a task waits for room. An actor that is gone drops the message, and
/// with it the reply somebody waits for.
pub(super) fn deliver(address: &Addr<ExecutionActor>, message: ToExecution) {
    if let Err(SendError::Full(message)) = address.try_send(message) {
        let address = address.clone();
        actix::spawn(async move {
            let _ = address.send(message).await;
        });
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(SUPERVISOR_MAILBOX);
    }
}

/// A new execution; its seed carries the reply.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Submit(pub Box<Seed>);

impl Handler<Submit> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: Submit, ctx: &mut Self::Context) {
        self.submit(*message.0, ctx);
    }
}

/// An execution that was stored by somebody else as already started (a retry) shall live.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Adopt {
    pub id: ExecutionId,
    pub tenant: TenantId,
}

impl Handler<Adopt> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: Adopt, ctx: &mut Self::Context) {
        self.entries.insert(message.id, Entry { tenant: message.tenant, epoch: 0, presence: Presence::Parked });
        self.wake(message.id, Why::Start, Vec::new(), ctx);
    }
}

/// A command of a person or a program. The caller has checked the tenant.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Order {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub command: Command,
    pub reply: Reply,
}

impl Handler<Order> for Supervisor {
    type Result = ();
    fn handle(&mut self, order: Order, ctx: &mut Self::Context) {
        self.route(order.id, order.tenant, ToExecution::Command(order.command, order.reply), ctx);
    }
}

/// Moves a pending execution in the queue.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reprioritize {
    pub id: ExecutionId,
    pub priority: u8,
}

impl Handler<Reprioritize> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: Reprioritize, _: &mut Self::Context) {
        self.queue.reprioritize(message.id, message.priority);
    }
}

/// Stops accepting and starting; resolves when no actor lives any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Drain(pub oneshot::Sender<()>);

impl Handler<Drain> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: Drain, _: &mut Self::Context) {
        self.closing = true;
        self.drained.push(message.0);
        for entry in self.entries.values() {
            if let Presence::Live { address, .. } | Presence::Leaving { address, .. } = &entry.presence {
                deliver(address, ToExecution::Drain);
            }
        }
        self.check_drained();
    }
}
