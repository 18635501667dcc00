//! The supervisor: it owns the address of every living execution actor, the queue and the slots, and it alone decides
//! what lives, waits, is woken or is rebuilt.
//!
//! A slot is the right to run: it belongs to a living actor, is given back when the execution parks and is released by
//! the actor's end, however that comes. Restart limits are written down in [`Options`](super::settings::Options): beyond
//! them an execution fails with an error that names the crash; no crash touches another execution.

use super::admission::{Admission, Full, Next};
use super::command::Refusal;
use super::execution::{ExecutionActor, ToExecution};
use super::recovery::{self, Why};
use super::seed::{Opening, Seed};
use super::services::Services;
use super::timers::Timers;
use crate::domain::{ExecutionId, TenantId, Timestamp};
use crate::failure_points::FailurePoint;
use crate::store;
use actix::prelude::SendError;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, ContextFutureSpawner, SpawnHandle, WrapFuture};
use std::collections::{HashMap, HashSet, VecDeque, hash_map};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tokio_util::sync::DropGuard;

/// Submissions, commands and notices that may wait for the supervisor; senders beyond it wait.
pub const SUPERVISOR_MAILBOX: usize = 8_192;
/// Creations whose fate is unknown because the store did not acknowledge them. Beyond it submissions are refused at once:
/// the store is away, and each one costs a look into the journal when it is back.
const MAX_UNSETTLED: usize = 64;

/// Where an execution that is not terminal stands.
pub(super) enum Presence {
    /// In the queue.
    Pending,
    /// Accepted, not to be started before an instant.
    Delayed {
        priority: u8,
    },
    /// Only a row; woken by a timer, a child or a command.
    Parked,
    /// About to be rebuilt or being rebuilt. What arrives meanwhile waits here.
    Waking {
        why: Why,
        /// Waits for its turn in the queue; otherwise it is being rebuilt, or will be after a pause.
        queued: bool,
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
    /// Executions that may or may not be stored.
    pub(super) unsettled: HashSet<ExecutionId>,
    /// When parked and delayed executions are due.
    pub(super) wakeups: Timers<ExecutionId>,
    alarm: Option<(Timestamp, SpawnHandle)>,
    pub(super) crashes: HashMap<ExecutionId, VecDeque<Instant>>,
    /// How often appends of an execution were given up.
    pub(super) refusals: HashMap<ExecutionId, u32>,
    pub(super) restarts: u64,
    pub(super) closing: bool,
    pub(super) drained: Vec<oneshot::Sender<()>>,
    /// Tells that it has ended, however that came.
    _ended: DropGuard,
}

impl Supervisor {
    pub fn new(services: Arc<Services>) -> Self {
        let ended = services.ended.clone().drop_guard();
        let queue = Admission::new(services.options.max_running, services.options.max_queued);
        Self {
            services,
            entries: HashMap::new(),
            queue,
            unsettled: HashSet::new(),
            wakeups: Timers::new(),
            alarm: None,
            crashes: HashMap::new(),
            refusals: HashMap::new(),
            restarts: 0,
            closing: false,
            drained: Vec::new(),
            _ended: ended,
        }
    }

    pub(super) fn live(&mut self, seed: Seed, slot: bool, waiting: Vec<ToExecution>, ctx: &Context<Self>) {
        let (id, tenant, epoch) = (seed.id, seed.tenant, seed.record.epoch);
        let address = ExecutionActor::spawn(seed, slot, waiting, Arc::clone(&self.services), ctx.address());
        self.entries.insert(id, Entry { tenant, epoch, presence: Presence::Live { address, slot } });
    }

    /// Fills free slots from the queue.
    pub(super) fn pump(&mut self, ctx: &mut Context<Self>) {
        self.fill(ctx);
        self.services.metrics.queue(self.queue.running(), self.queue.pending() + self.queue.woken());
    }

    fn fill(&mut self, ctx: &mut Context<Self>) {
        while !self.closing {
            match self.queue.pop() {
                None => return,
                Some(Next::Woken(id)) => self.grant(id, ctx),
                Some(Next::Pending(_, Some(seed))) => {
                    self.queue.occupy(seed.tenant);
                    self.live(*seed, true, Vec::new(), ctx);
                }
                Some(Next::Pending(id, None)) => {
                    let Some(entry) = self.entries.get_mut(&id) else { continue };
                    entry.presence = Presence::Waking { why: Why::Start, queued: false, waiting: Vec::new() };
                    self.queue.occupy(entry.tenant);
                    self.rebuild(id, true, ctx);
                }
            }
        }
    }

    /// Gives a slot to one that waited for it. What has changed since it was queued is left alone.
    fn grant(&mut self, id: ExecutionId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match &mut entry.presence {
            Presence::Waking { queued, .. } if *queued => {
                *queued = false;
                self.queue.occupy(entry.tenant);
                self.rebuild(id, true, ctx);
            }
            Presence::Live { address, slot } if !*slot => {
                *slot = true;
                self.queue.occupy(entry.tenant);
                deliver(address, ToExecution::Granted);
            }
            Presence::Waking { .. }
            | Presence::Live { .. }
            | Presence::Pending
            | Presence::Delayed { .. }
            | Presence::Parked
            | Presence::Leaving { .. } => {}
        }
    }

    pub(super) fn release(&mut self, tenant: TenantId, slot: bool) {
        if slot {
            self.queue.release(tenant);
        }
    }

    /// Gives a parked execution something to do. It waits for a slot, unless a command is among it: commands are served at
    /// once.
    pub(super) fn wake(&mut self, id: ExecutionId, why: Why, waiting: Vec<ToExecution>, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let queued = !waiting.iter().any(ToExecution::is_command);
        entry.presence = Presence::Waking { why, queued, waiting };
        self.wakeups.cancel(&id);
        if queued {
            self.queue.wake(entry.tenant, id);
            self.pump(ctx);
        } else {
            self.rebuild(id, false, ctx);
        }
    }

    /// Brings a message to an execution, wherever it is.
    pub(super) fn route(&mut self, id: ExecutionId, tenant: TenantId, message: ToExecution, ctx: &mut Context<Self>) {
        let is_command = message.is_command();
        let Some(entry) = self.entries.get_mut(&id) else {
            // Not known although the store has it: its creation was never acknowledged. The journal knows.
            if is_command {
                let presence = Presence::Waking { why: Why::Wake, queued: false, waiting: vec![message] };
                self.entries.insert(id, Entry { tenant, epoch: 0, presence });
                self.rebuild(id, false, ctx);
            }
            return;
        };
        match &mut entry.presence {
            Presence::Live { address, .. } => deliver(address, message),
            // Commands are served at once: one does not wait for the slot that the execution waits for.
            Presence::Waking { queued, waiting, .. } if *queued && is_command => {
                waiting.push(message);
                *queued = false;
                self.rebuild(id, false, ctx);
            }
            Presence::Leaving { waiting, .. } | Presence::Waking { waiting, .. } => waiting.push(message),
            Presence::Parked => self.wake(id, Why::Wake, vec![message], ctx),
            Presence::Pending | Presence::Delayed { .. } if is_command => {
                self.queue.remove(id);
                self.wake(id, Why::Wake, vec![message], ctx);
            }
            Presence::Pending | Presence::Delayed { .. } => {}
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
                Presence::Delayed { priority } => {
                    entry.presence = Presence::Pending;
                    self.queue.push(entry.tenant, id, priority, None);
                }
                Presence::Pending | Presence::Waking { .. } | Presence::Live { .. } | Presence::Leaving { .. } => {}
            }
        }
        self.arm(ctx);
        self.pump(ctx);
    }

    pub(super) fn submit(&mut self, mut seed: Seed, ctx: &mut Context<Self>) {
        self.services.options.failure_points.pass(FailurePoint::SupervisorBeforeSubmit);
        if self.closing {
            seed.refuse(Refusal::ShuttingDown);
            return;
        }
        if self.unsettled.len() >= MAX_UNSETTLED {
            let reason = "creations wait for its acknowledgement".to_owned();
            seed.refuse(Refusal::Store(store::Error::Unavailable { reason }));
            return;
        }
        let delayed = seed.record.creation.start_at.is_some_and(|at| at > self.services.clock.now());
        let tenant = seed.tenant;
        if self.queue.is_open(tenant) && !delayed {
            self.queue.occupy(tenant);
            self.live(seed, true, Vec::new(), ctx);
            return;
        }
        if let Some(full) = self.queue.full(tenant) {
            let retry_after_seconds = 1 + u64::from(self.queue.running() > 0);
            seed.refuse(match full {
                Full::Service => Refusal::QueueFull { retry_after_seconds },
                Full::Tenant { limit } => Refusal::TenantQueueFull { limit, retry_after_seconds },
            });
            return;
        }
        let Opening::Create { first, reply } = std::mem::replace(&mut seed.opening, Opening::Start) else { return };
        self.queue.reserve(tenant);
        let services = Arc::clone(&self.services);
        recovery::store_pending(services, Box::new(seed), *first)
            .into_actor(self)
            .map(move |(seed, stored), supervisor, ctx| {
                supervisor.queue.unreserve(tenant);
                match &stored {
                    Ok(_) => supervisor.enqueue(seed, ctx),
                    Err(_) => supervisor.reconcile((seed.id, seed.tenant), ctx),
                }
                reply.send(stored.map(|execution| *execution));
            })
            .spawn(ctx);
    }

    /// An execution that is stored as pending joins the queue.
    pub(super) fn enqueue(&mut self, seed: Box<Seed>, ctx: &mut Context<Self>) {
        let (id, tenant, epoch, priority) = (seed.id, seed.tenant, seed.record.epoch, seed.priority());
        let start_at = seed.record.creation.start_at.filter(|at| *at > self.services.clock.now());
        let presence = if start_at.is_some() { Presence::Delayed { priority } } else { Presence::Pending };
        self.entries.insert(id, Entry { tenant, epoch, presence });
        match start_at {
            Some(at) => {
                self.wakeups.set(id, at);
                self.queue.delay(tenant, id);
                self.arm(ctx);
            }
            None => {
                self.queue.push(tenant, id, priority, Some(seed));
                self.pump(ctx);
            }
        }
    }

    /// A creation whose acknowledgement is missing: the journal tells whether it exists.
    fn reconcile(&mut self, (id, tenant): (ExecutionId, TenantId), ctx: &mut Context<Self>) {
        let presence = Presence::Waking { why: Why::Wake, queued: false, waiting: Vec::new() };
        self.entries.insert(id, Entry { tenant, epoch: 0, presence });
        self.unsettled.insert(id);
        self.rebuild(id, false, ctx);
    }

    /// An execution that the store has and nobody drives (a retry, a child whose parent crashed) shall live.
    pub(super) fn adopt(&mut self, id: ExecutionId, tenant: TenantId, ctx: &mut Context<Self>) {
        if let hash_map::Entry::Vacant(vacant) = self.entries.entry(id) {
            vacant.insert(Entry { tenant, epoch: 0, presence: Presence::Parked });
            self.wake(id, Why::Wake, Vec::new(), ctx);
        }
    }

    pub(super) fn check_drained(&mut self) {
        if self.closing && !self.drained.is_empty() {
            let busy = self.entries.values().any(|entry| match entry.presence {
                Presence::Live { .. } | Presence::Leaving { .. } => true,
                Presence::Pending | Presence::Delayed { .. } | Presence::Parked | Presence::Waking { .. } => false,
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
            reply.send(Err(refusal));
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
