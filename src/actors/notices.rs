//! What execution actors tell their supervisor, and what it does about it: parking, passivation, children, exits and
//! crashes.

use super::command::{Command, Refusal, Reply};
use super::detached;
use super::execution::ToExecution;
use super::exit::{ChildOutcome, Exit};
use super::recovery::{self, Why};
use super::seed::Seed;
use super::supervisor::{Presence, Supervisor, deliver};
use crate::domain::{ExecutionId, TenantId};
use crate::machine::Input;
use actix::{ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, Handler, Message, WrapFuture};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause before the first rebuild after a crash; doubled with every further crash within the window.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// What a living actor has to say.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ActorNotice {
    pub id: ExecutionId,
    pub epoch: u32,
    pub notice: Notice,
}

/// See [`ActorNotice`].
pub enum Notice {
    /// Nothing of it runs: the slot is given back.
    Parked,
    /// A command lets it run again: it takes a slot even when none is free.
    Unparked,
    /// Parked and with something to do: it waits for a slot.
    Wanting,
    /// It has been parked for a while and would like to go.
    Leaving,
    /// It was dismissed and has something to do after all.
    Staying,
    ChildCreated(Box<Seed>),
    /// A child of an earlier life of the parent has not ended: somebody must drive it.
    ChildOpen(ExecutionId),
    CancelChild(ExecutionId),
}

impl Handler<ActorNotice> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: ActorNotice, ctx: &mut Self::Context) {
        let ActorNotice { id, epoch, notice } = message;
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.epoch == epoch) else { return };
        let tenant = entry.tenant;
        match (notice, &mut entry.presence) {
            (Notice::Parked, Presence::Live { slot, .. }) => {
                let held = std::mem::replace(slot, false);
                self.release(tenant, held);
                self.pump(ctx);
            }
            (Notice::Unparked, Presence::Live { slot, .. }) => {
                if !std::mem::replace(slot, true) {
                    self.queue.occupy(tenant);
                }
            }
            (Notice::Wanting, Presence::Live { slot: false, .. }) => {
                self.queue.wake(tenant, id);
                self.pump(ctx);
            }
            // One that has been granted a slot meanwhile stays: it hears of the slot, gives it back and asks again.
            (Notice::Leaving, Presence::Live { address, slot: false }) => {
                let address = address.clone();
                deliver(&address, ToExecution::Dismissed);
                entry.presence = Presence::Leaving { address, waiting: Vec::new() };
            }
            (Notice::Staying, Presence::Leaving { address, waiting }) => {
                let (address, waiting) = (address.clone(), std::mem::take(waiting));
                entry.presence = Presence::Live { address: address.clone(), slot: true };
                self.queue.occupy(tenant);
                for message in waiting {
                    deliver(&address, message);
                }
            }
            (Notice::ChildCreated(seed), _) => {
                // A command may have come first; then it lives or is being rebuilt already.
                if !self.entries.contains_key(&seed.id) {
                    self.enqueue(seed, ctx);
                }
            }
            (Notice::ChildOpen(child), _) => self.adopt(child, tenant, ctx),
            (Notice::CancelChild(child), _) => self.cancel_child(child, tenant, ctx),
            (Notice::Parked | Notice::Unparked | Notice::Wanting | Notice::Leaving | Notice::Staying, _) => {}
        }
    }
}

/// An execution actor has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Exited {
    pub id: ExecutionId,
    pub epoch: u32,
    pub exit: Exit,
}

impl Handler<Exited> for Supervisor {
    type Result = ();
    fn handle(&mut self, message: Exited, ctx: &mut Self::Context) {
        let Exited { id, epoch, exit } = message;
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.epoch == epoch) else { return };
        let tenant = entry.tenant;
        let (slot, waiting) = match &mut entry.presence {
            Presence::Live { slot, .. } => (*slot, Vec::new()),
            Presence::Leaving { waiting, .. } => (false, std::mem::take(waiting)),
            Presence::Pending | Presence::Delayed { .. } | Presence::Parked | Presence::Waking { .. } => return,
        };
        match exit {
            Exit::Finished { parent } => {
                self.entries.remove(&id);
                self.crashes.remove(&id);
                self.refusals.remove(&id);
                self.release(tenant, slot);
                if let Some(outcome) = parent {
                    self.child_finished(id, *outcome, ctx);
                }
            }
            Exit::Passivated { wake_at } => {
                entry.presence = Presence::Parked;
                self.release(tenant, slot);
                if waiting.is_empty() {
                    if let Some(at) = wake_at {
                        self.wakeups.set(id, at);
                        self.arm(ctx);
                    }
                } else {
                    self.wake(id, Why::Wake, waiting, ctx);
                }
            }
            Exit::Stopped => {
                self.entries.remove(&id);
                self.release(tenant, slot);
            }
            Exit::Fenced | Exit::Unacknowledged => {
                if matches!(exit, Exit::Unacknowledged) {
                    self.unsettled.insert(id);
                }
                entry.epoch = 0;
                entry.presence = Presence::Waking { why: Why::Wake, queued: false, waiting };
                self.rebuild(id, slot, ctx);
            }
            Exit::Refused { reason, commands } => {
                let count = self.refusals.entry(id).or_default();
                *count += 1;
                let why = Why::Refused { reason, count: *count };
                let waiting = waiting.into_iter().chain(commands).collect();
                entry.presence = Presence::Waking { why, queued: false, waiting };
                self.rebuild(id, slot, ctx);
            }
            Exit::Crashed { message } => self.crashed(id, slot, message, waiting, ctx),
        }
        self.pump(ctx);
        self.check_drained();
    }
}

impl Supervisor {
    pub(super) fn crashed(
        &mut self,
        id: ExecutionId,
        slot: bool,
        message: String,
        waiting: Vec<ToExecution>,
        ctx: &mut Context<Self>,
    ) {
        self.restarts += 1;
        self.services.metrics.restarted();
        let window = Duration::from_secs(self.services.options.restart_window_seconds);
        let limit = self.services.options.restart_limit;
        let crashes = self.crashes.entry(id).or_default();
        crashes.push_back(Instant::now());
        crashes.retain(|at| at.elapsed() <= window);
        let count = crashes.len();
        tracing::error!(execution_id = %id, crash = %message, count, "an execution actor crashed");
        let since = Instant::now();
        let (why, pause) = if count > limit {
            (Why::GiveUp { crash: message, count }, Duration::ZERO)
        } else {
            let doublings = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
            (Why::Crash { reason: message, since, count }, FIRST_BACKOFF * 2u32.saturating_pow(doublings))
        };
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.presence = Presence::Waking { why, queued: false, waiting };
            let tenant = entry.tenant;
            self.look_after_what_it_began(id, tenant, false, ctx);
        }
        ctx.run_later(pause, move |supervisor, ctx| supervisor.rebuild(id, slot, ctx));
    }

    /// Looks after what was started in an append behind which its actor did not come to act.
    pub(super) fn look_after_what_it_began(
        &self,
        id: ExecutionId,
        tenant: TenantId,
        is_over: bool,
        ctx: &mut Context<Self>,
    ) {
        self.look_after_children(id, tenant, is_over, ctx);
        // What it had scheduled without waiting for it may not have been started.
        self.services.next_arbiter().spawn(detached::repeat(Arc::clone(&self.services), Some(id)));
    }

    /// Looks after the children of an execution whose actor crashed: before it could tell that they exist, or, when it is
    /// over, before it could tell them to stop.
    fn look_after_children(&self, id: ExecutionId, tenant: TenantId, is_over: bool, ctx: &mut Context<Self>) {
        recovery::open_children(Arc::clone(&self.services), id, tenant)
            .into_actor(self)
            .map(move |children, supervisor, ctx| {
                for child in children {
                    let is_awaited = child.creation.parent.as_ref().is_some_and(|parent| parent.awaited);
                    if is_over && is_awaited {
                        supervisor.cancel_child(child.id, tenant, ctx);
                    } else {
                        supervisor.adopt(child.id, tenant, ctx);
                    }
                }
            })
            .spawn(ctx);
    }

    /// Cancels a child whose parent has ended. A child that crashes before it has taken notice is told again.
    pub(super) fn cancel_child(&mut self, child: ExecutionId, tenant: TenantId, ctx: &mut Context<Self>) {
        let (reply, answer) = Reply::new(None);
        let command = Command::Cancel { by: None, reason: Some("the parent execution ended".to_owned()) };
        self.route(child, tenant, ToExecution::Command(command, Box::new(reply)), ctx);
        answer
            .into_actor(self)
            .map(move |answer, supervisor, ctx| {
                let is_lost = match answer {
                    Ok(Ok(_)) | Ok(Err(Refusal::WrongState { .. } | Refusal::NotFound | Refusal::ShuttingDown)) => {
                        false
                    }
                    Err(_) | Ok(Err(_)) => true,
                };
                if is_lost && supervisor.entries.contains_key(&child) && !supervisor.closing {
                    supervisor.cancel_child(child, tenant, ctx);
                }
            })
            .spawn(ctx);
    }

    pub(super) fn child_finished(&mut self, child_id: ExecutionId, outcome: ChildOutcome, ctx: &mut Context<Self>) {
        let ChildOutcome { parent, status, output, error } = outcome;
        let Some(entry) = self.entries.get(&parent.execution_id) else { return };
        let tenant = entry.tenant;
        let input = Input::ChildFinished { path: parent.path.into(), child_id, status, output, error };
        self.route(parent.execution_id, tenant, ToExecution::Arrived(Box::new(input)), ctx);
    }
}
