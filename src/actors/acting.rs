//! What an execution actor does after a commit: effects, timers, children.

use super::execution::{Arrival, ExecutionActor};
use super::notices::Notice;
use super::performer;
use crate::domain::{Execution, ExecutionId, Failure, Path, StandardType};
use crate::machine::{Action, Input};
use actix::{ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, WrapFuture};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

impl ExecutionActor {
    pub(super) fn perform(&mut self, actions: Vec<Action>, ctx: &mut Context<Self>) {
        for action in actions {
            match action {
                Action::RunEffect { path, pointer, attempt, key, request, awaited } => {
                    if !self.draining {
                        let token = CancellationToken::new();
                        let (id, tenant) = (self.id, self.tenant);
                        let traceparent = self.record.creation.traceparent.clone();
                        let path_of_task = Path::clone(&path);
                        let root = self.record.creation.root(id);
                        let task = performer::Task {
                            id,
                            tenant,
                            path: path_of_task,
                            pointer,
                            attempt,
                            key,
                            root,
                            traceparent,
                        };
                        let (performed, address) = (token.clone(), ctx.address());
                        self.span.in_scope(|| performer::start(task, request, performed, &self.services, address));
                        // One that nobody waits for outlives its task and even the execution.
                        if awaited {
                            self.effects.insert((path, attempt), token.drop_guard());
                        }
                    }
                }
                Action::CancelEffect { path, attempt } => {
                    self.effects.remove(&(path, attempt));
                }
                Action::SetTimer { path, purpose, deadline } => self.timers.set((path, purpose), deadline),
                Action::CancelTimer { path, purpose } => self.timers.cancel(&(path, purpose)),
                // New children are created in the append itself; what comes here is looked up after a restart.
                Action::StartChild { path, child_id, .. } => self.look_up_child(path, child_id, ctx),
                Action::CancelChild { child_id } => self.notify(Notice::CancelChild(child_id)),
            }
        }
        self.arm(ctx);
    }

    fn arm(&mut self, ctx: &mut Context<Self>) {
        if let Some(alarm) = self.alarm.take() {
            ctx.cancel_future(alarm);
        }
        if let Some(deadline) = self.timers.next() {
            let sleep = self.services.clock.sleep_until(deadline);
            self.alarm = Some(ctx.spawn(sleep.into_actor(self).map(|(), actor, ctx| actor.ring(ctx))));
        }
    }

    fn ring(&mut self, ctx: &mut Context<Self>) {
        self.alarm = None;
        for (path, purpose) in self.timers.due(self.services.clock.now()) {
            self.inbox.push_back(Arrival { input: Input::TimerFired { path, purpose }, reply: None });
        }
        self.arm(ctx);
        self.advance(ctx);
    }

    /// A child that was started before a restart: its end may have been missed.
    fn look_up_child(&mut self, path: Path, child_id: ExecutionId, ctx: &mut Context<Self>) {
        let (services, tenant) = (Arc::clone(&self.services), self.tenant);
        self.lookups += 1;
        async move { services.read_again(|store| async move { store.execution(tenant, child_id).await }).await }
            .into_actor(self)
            .map(move |child, actor, ctx| {
                actor.lookups -= 1;
                let input = match child {
                    Some(child) if child.status.is_terminal() => {
                        let Execution { status, output, error, .. } = child;
                        Input::ChildFinished { path, child_id, status, output, error }
                    }
                    Some(_) => {
                        actor.notify(Notice::ChildOpen(child_id));
                        if !actor.busy {
                            actor.settle(ctx);
                        }
                        return;
                    }
                    None => Input::ChildRefused { path, failure: lost_child(child_id) },
                };
                actor.inbox.push_back(Arrival { input, reply: None });
                actor.advance(ctx);
            })
            .spawn(ctx);
    }
}

fn lost_child(id: ExecutionId) -> Failure {
    Failure::new(
        StandardType::Runtime,
        "Child execution lost",
        format!("the child execution {id} does not exist any more"),
    )
    .with_suggestion("retry the execution: it starts the child anew")
}
