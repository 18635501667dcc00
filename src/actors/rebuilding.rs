//! The supervisor's part in bringing executions back: it has them rebuilt, and lets them live, wait or go.

use super::command::Refusal;
use super::execution::ToExecution;
use super::recovery::{self, Unbuilt, Whom, Why};
use super::seed::{Opening, Seed};
use super::supervisor::{Entry, Presence, Supervisor};
use crate::domain::{ExecutionId, Status};
use actix::{ActorFutureExt, Context, ContextFutureSpawner, WrapFuture};
use std::sync::Arc;

impl Supervisor {
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

    fn rebuilt(&mut self, id: ExecutionId, slot: bool, rebuilt: Result<Box<Seed>, Unbuilt>, ctx: &mut Context<Self>) {
        let was_unsettled = self.unsettled.remove(&id);
        let waiting = match self.entries.get_mut(&id) {
            Some(Entry { presence: Presence::Waking { waiting, .. }, .. }) => std::mem::take(waiting),
            _ => Vec::new(),
        };
        if was_unsettled && let (Ok(seed), false) = (&rebuilt, self.closing) {
            // Its creation is stored although nobody was told: with all that the same append has started.
            self.look_after_what_it_began(id, seed.tenant, false, ctx);
        }
        match rebuilt {
            Ok(_) if self.closing => self.forget(id, slot, waiting, &Refusal::ShuttingDown),
            Ok(seed) if seed.state.status() == Status::Pending && !slot && waiting.is_empty() => {
                self.enqueue(seed, ctx)
            }
            Ok(mut seed) => {
                if !slot && seed.state.status() == Status::Pending {
                    // It lives for a command only.
                    seed.opening = Opening::Resume;
                }
                self.live(*seed, slot, waiting, ctx);
            }
            Err(Unbuilt::Refused(refusal)) => {
                self.forget(id, slot, waiting, &refusal);
                self.pump(ctx);
            }
            Err(Unbuilt::Crashed(message)) => self.crashed(id, slot, message, waiting, ctx),
            Err(Unbuilt::Ended { status, parent }) => {
                if let Some(tenant) = self.entries.get(&id).map(|entry| entry.tenant) {
                    self.look_after_what_it_began(id, tenant, true, ctx);
                }
                self.forget(id, slot, waiting, &Refusal::WrongState { status, verb: "change" });
                if let Some(outcome) = parent {
                    self.child_finished(id, *outcome, ctx);
                }
                self.pump(ctx);
            }
        }
        self.check_drained();
    }

    /// An execution that does not live on here; whoever waits for it is told why.
    fn forget(&mut self, id: ExecutionId, slot: bool, waiting: Vec<ToExecution>, refusal: &Refusal) {
        if let Some(entry) = self.entries.remove(&id) {
            self.release(entry.tenant, slot);
        }
        self.crashes.remove(&id);
        self.refusals.remove(&id);
        for message in waiting {
            if let ToExecution::Command(_, reply) = message {
                reply.send(Err(refusal.clone()));
            }
        }
    }
}
