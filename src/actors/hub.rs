//! The hub: who watches what, and the forwarding of what was committed.
//!
//! It holds subscribers and filters, no business state: whatever a subscriber missed stands in the journal, and
//! [`super::feed`] reads it there. A frame is serialized once and shared by all its receivers. Hub to subscriber is
//! `try_send` only: a subscriber whose channel is full is marked lagging, gets nothing more until it has rejoined, and
//! never slows anybody else.

use super::frame::{self, Frame};
use super::settings::{LiveOptions, Options};
use crate::domain::{ExecutionId, TenantId};
use crate::failure_points::{FailurePoint, FailurePoints};
use crate::store::CommittedAppend;
use crate::telemetry::Metrics;
use actix::{Actor, AsyncContext, Context, Handler, Message};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Frames that belong together: those of one commit of one execution, or one conflated flush.
pub type Delivery = Arc<[Frame]>;

/// How many commits may wait in the hub's mailbox before the gap mechanism takes over.
pub const HUB_MAILBOX: usize = 4_096;

/// What the writer's commit listener and the hub share without a message.
#[derive(Debug, Default)]
pub struct HubState {
    /// The newest committed position.
    pub(super) position: AtomicU64,
    pub(super) watchers: AtomicUsize,
    /// How many subscriptions have been given a number.
    subscribers: AtomicU64,
    /// A commit did not fit into the hub's mailbox: all subscribers have to catch up.
    pub(super) gap: AtomicBool,
}

impl HubState {
    /// The newest committed position of the store.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::SeqCst)
    }

    /// Starts from what the store already holds.
    pub fn start_at(&self, position: u64) {
        self.position.store(position, Ordering::SeqCst);
    }

    /// A number for a new subscription.
    pub fn next_subscriber(&self) -> u64 {
        self.subscribers.fetch_add(1, Ordering::Relaxed)
    }

    /// How many live subscriptions there are.
    pub fn watchers(&self) -> usize {
        self.watchers.load(Ordering::SeqCst)
    }
}

/// What a subscriber wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The latest state of every execution of the tenant, conflated.
    Tenant(TenantId),
    /// Everything of one execution. The caller has checked that the tenant may see it.
    Execution(ExecutionId),
}

struct Subscriber {
    topic: Topic,
    sender: mpsc::Sender<Delivery>,
    lagging: Arc<AtomicBool>,
}

impl Subscriber {
    /// Gets nothing more until it has rejoined. False when it has gone.
    ///
    /// It may have emptied its channel just before it is marked, and waits then: a delivery without frames wakes it. If there
    /// is no room for that, it is awake and finds the mark.
    fn fall_behind(&self) -> bool {
        self.lagging.store(true, Ordering::SeqCst);
        !matches!(self.sender.try_send(Vec::new().into()), Err(TrySendError::Closed(_)))
    }
}

#[derive(Default)]
struct Conflation {
    pending: IndexMap<ExecutionId, CommittedAppend>,
    flushed_at: Option<Instant>,
    scheduled: bool,
}

/// The actor.
pub struct Hub {
    options: LiveOptions,
    state: Arc<HubState>,
    metrics: Arc<Metrics>,
    subscribers: HashMap<u64, Subscriber>,
    by_execution: HashMap<ExecutionId, Vec<u64>>,
    by_tenant: HashMap<TenantId, Vec<u64>>,
    conflated: HashMap<TenantId, Conflation>,
    closing: bool,
    failure_points: FailurePoints,
    /// Tells that it has ended, however that came.
    _ended: DropGuard,
}

impl Hub {
    pub fn new(options: &Options, state: Arc<HubState>, metrics: Arc<Metrics>, ended: CancellationToken) -> Self {
        Self {
            options: options.live,
            state,
            metrics,
            subscribers: HashMap::new(),
            by_execution: HashMap::new(),
            by_tenant: HashMap::new(),
            conflated: HashMap::new(),
            closing: false,
            failure_points: options.failure_points.clone(),
            _ended: ended.drop_guard(),
        }
    }

    fn members(&mut self, topic: Topic) -> &mut Vec<u64> {
        match topic {
            Topic::Tenant(tenant) => self.by_tenant.entry(tenant).or_default(),
            Topic::Execution(execution) => self.by_execution.entry(execution).or_default(),
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(subscriber) = self.subscribers.remove(&id) else { return };
        self.state.watchers.fetch_sub(1, Ordering::SeqCst);
        let members = self.members(subscriber.topic);
        members.retain(|member| *member != id);
        if members.is_empty() {
            match subscriber.topic {
                Topic::Tenant(tenant) => {
                    self.by_tenant.remove(&tenant);
                    self.conflated.remove(&tenant);
                }
                Topic::Execution(execution) => {
                    self.by_execution.remove(&execution);
                }
            }
        }
    }

    fn deliver(&mut self, members: &[u64], delivery: &Delivery) {
        let mut gone = Vec::new();
        for id in members {
            let Some(subscriber) = self.subscribers.get(id) else { continue };
            if subscriber.lagging.load(Ordering::SeqCst) {
                continue;
            }
            match subscriber.sender.try_send(Arc::clone(delivery)) {
                Ok(()) => self.metrics.frames(delivery.len()),
                Err(TrySendError::Full(_)) => {
                    self.metrics.lagging();
                    if !subscriber.fall_behind() {
                        gone.push(*id);
                    }
                }
                Err(TrySendError::Closed(_)) => gone.push(*id),
            }
        }
        for id in gone {
            self.remove(id);
        }
    }

    fn publish(&mut self, commit: CommittedAppend, ctx: &mut Context<Self>) {
        if let Some(members) = self.by_execution.get(&commit.execution_id).cloned() {
            let delivery: Delivery = frame::of_commit(&commit).into();
            self.deliver(&members, &delivery);
        }
        if self.by_tenant.contains_key(&commit.tenant_id) {
            let tenant = commit.tenant_id;
            let conflation = self.conflated.entry(tenant).or_default();
            conflation.pending.insert(commit.execution_id, commit);
            self.schedule_flush(tenant, ctx);
        }
    }

    /// Flushes at once when the last flush is long enough ago, else when it will be.
    fn schedule_flush(&mut self, tenant: TenantId, ctx: &mut Context<Self>) {
        let window = Duration::from_millis(self.options.conflation_ms);
        let Some(conflation) = self.conflated.get_mut(&tenant) else { return };
        if conflation.scheduled {
            return;
        }
        conflation.scheduled = true;
        let wait = conflation.flushed_at.map_or(Duration::ZERO, |at| window.saturating_sub(at.elapsed()));
        if wait.is_zero() {
            ctx.notify(Flush(tenant));
        } else {
            ctx.run_later(wait, move |hub, _| hub.flush(tenant));
        }
    }

    fn flush(&mut self, tenant: TenantId) {
        let Some(conflation) = self.conflated.get_mut(&tenant) else { return };
        conflation.scheduled = false;
        conflation.flushed_at = Some(Instant::now());
        let mut frames: Vec<Frame> =
            conflation.pending.drain(..).map(|(_, commit)| frame::update_of_commit(&commit)).collect();
        if frames.is_empty() {
            return;
        }
        frames.sort_by_key(|frame| frame.position);
        let members = self.by_tenant.get(&tenant).cloned().unwrap_or_default();
        self.deliver(&members, &frames.into());
    }

    /// Looks whether commits were lost on the way here. Whatever is handled next after that finds out: a full mailbox is
    /// never without a next message.
    fn close_gap(&mut self) {
        if self.state.gap.swap(false, Ordering::SeqCst) {
            self.mark_all_lagging();
        }
    }

    fn mark_all_lagging(&mut self) {
        let mut gone = Vec::new();
        for (id, subscriber) in &self.subscribers {
            self.metrics.lagging();
            if !subscriber.fall_behind() {
                gone.push(*id);
            }
        }
        for id in gone {
            self.remove(id);
        }
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(HUB_MAILBOX);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct Flush(TenantId);

impl Handler<Flush> for Hub {
    type Result = ();
    fn handle(&mut self, message: Flush, _: &mut Self::Context) {
        self.close_gap();
        self.flush(message.0);
    }
}

/// What was committed, in commit order.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Publish(pub Vec<CommittedAppend>);

impl Handler<Publish> for Hub {
    type Result = ();
    fn handle(&mut self, message: Publish, ctx: &mut Self::Context) {
        self.failure_points.pass(FailurePoint::HubBeforePublish);
        self.close_gap();
        for commit in message.0 {
            self.publish(commit, ctx);
        }
    }
}

/// Something was committed that the listener was not told of: everybody reads the journal.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CatchUp;

impl Handler<CatchUp> for Hub {
    type Result = ();
    fn handle(&mut self, _: CatchUp, _: &mut Self::Context) {
        self.mark_all_lagging();
    }
}

/// Frames that are not journaled: streamed output and log lines of one execution.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Forward {
    pub execution_id: ExecutionId,
    pub frames: Delivery,
}

impl Handler<Forward> for Hub {
    type Result = ();
    fn handle(&mut self, message: Forward, _: &mut Self::Context) {
        self.close_gap();
        if let Some(members) = self.by_execution.get(&message.execution_id).cloned() {
            self.deliver(&members, &message.frames);
        }
    }
}

/// Subscribes. The answer is the store's position: every later commit is delivered; what was committed before stands in the
/// journal.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Join {
    /// From [`HubState::next_subscriber`].
    pub subscriber: u64,
    pub topic: Topic,
    pub sender: mpsc::Sender<Delivery>,
    pub lagging: Arc<AtomicBool>,
}

impl Handler<Join> for Hub {
    type Result = u64;
    fn handle(&mut self, message: Join, _: &mut Self::Context) -> u64 {
        // First the count, then the position: a commit that saw no watcher has already stored its position.
        self.state.watchers.fetch_add(1, Ordering::SeqCst);
        if self.closing {
            let _ = message.sender.try_send(vec![frame::goodbye()].into());
        }
        self.members(message.topic).push(message.subscriber);
        let entry = Subscriber { topic: message.topic, sender: message.sender, lagging: message.lagging };
        self.subscribers.insert(message.subscriber, entry);
        self.state.position()
    }
}

/// A lagging subscriber has emptied its channel and is about to read what it missed.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Rejoin(pub u64);

impl Handler<Rejoin> for Hub {
    type Result = u64;
    fn handle(&mut self, message: Rejoin, _: &mut Self::Context) -> u64 {
        if let Some(subscriber) = self.subscribers.get(&message.0) {
            subscriber.lagging.store(false, Ordering::SeqCst);
        }
        self.state.position()
    }
}

/// A subscriber has gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Leave(pub u64);

impl Handler<Leave> for Hub {
    type Result = ();
    fn handle(&mut self, message: Leave, _: &mut Self::Context) {
        self.close_gap();
        self.remove(message.0);
    }
}

/// The service stops: everybody gets a `goodbye` and is let go.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Close;

impl Handler<Close> for Hub {
    type Result = ();
    fn handle(&mut self, _: Close, _: &mut Self::Context) {
        self.closing = true;
        let delivery: Delivery = vec![frame::goodbye()].into();
        let everybody: Vec<u64> = self.subscribers.keys().copied().collect();
        self.deliver(&everybody, &delivery);
        for id in everybody {
            self.remove(id);
        }
    }
}
