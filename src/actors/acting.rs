//! What an execution actor takes in, and what it does after a commit: effects, timers, children.

use super::command::Command;
use super::detached;
use super::execution::{Arrival, ExecutionActor, ToExecution};
use super::notices::Notice;
use super::orders::Amended;
use super::performer::{self, Outcome};
use super::turn;
use crate::domain::{Creation, Event, Execution, ExecutionId, Failure, Path, StandardType, Status};
use crate::machine::{self, Action, Input, Outstanding};
use crate::store::DetachedEffect;
use actix::{ActorFutureExt, AsyncContext, Context, ContextFutureSpawner, WrapFuture};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

impl ExecutionActor {
    /// Takes in what is for the machine, and what somebody has changed.
    pub(super) fn receive(&mut self, message: ToExecution) {
        match message {
            ToExecution::Arrived(input) => {
                if let Input::EffectFinished { path, attempt, .. } | Input::EffectWithheld { path, attempt, .. } =
                    &*input
                    && let Some(guard) = self.effects.remove(&(Arc::clone(path), *attempt))
                {
                    guard.disarm();
                }
                self.inbox.push_back(Arrival { input, reply: None });
            }
            ToExecution::Command(command, reply) => {
                if matches!(command, Command::Cancel { .. }) {
                    self.hurry.cancel();
                }
                self.inbox.push_back(Arrival { reply: Some(*reply), ..command.into_input().into() });
            }
            ToExecution::Amended(amended) => {
                let Amended { priority, labels } = *amended;
                let creation = Creation { priority, labels, ..self.record.creation.as_ref().clone() };
                self.record.creation = Arc::new(creation);
            }
            // Said to one that lives.
            ToExecution::Granted | ToExecution::Dismissed | ToExecution::Drain => {}
        }
    }

    /// Back in memory: what is outstanding is asked, armed or looked up again.
    pub(super) fn ask_again(&mut self, ctx: &mut Context<Self>) {
        let Some(state) = self.state.take() else { return };
        let (program, services) = (Arc::clone(&self.program), Arc::clone(&self.services));
        let (tenant, creation) = (self.tenant, Arc::clone(&self.record.creation));
        self.busy = true;
        async move {
            let held = services.secrets(tenant, &program, &creation).await;
            let secrets = held.clone();
            let work = move || {
                let evaluator = secrets.evaluator();
                let outstanding = machine::outstanding(&program, &state, &services.moment(), &evaluator);
                (state, outstanding)
            };
            (held, work)
        }
        .into_actor(self)
        .then(|(held, work), actor, _| {
            actor.secrets = held;
            turn::run(actor.program.is_bounded(), work).into_actor(actor)
        })
        .map(|(state, Outstanding { actions, lost }), actor, ctx| {
            actor.state = Some(state);
            actor.busy = false;
            actor.perform(actions, &[], ctx);
            actor.inbox.extend(lost.into_iter().map(Arrival::from));
            // What was decided last may not have been the end of what could be decided. One that is still pending is here
            // for a command only.
            if actor.record.projection.status != Status::Pending {
                actor.inbox.push_back(Input::Continue.into());
            }
            actor.advance(ctx);
        })
        .spawn(ctx);
    }

    /// Performs what was decided; `events` are those of the same transition.
    pub(super) fn perform(&mut self, actions: Vec<Action>, events: &[Event], ctx: &mut Context<Self>) {
        let noted = detached::scheduled(&actions, events).into_iter();
        let (tenant_id, execution_id) = (self.tenant, self.id);
        let effect = |(path, seq): (Path, u64)| DetachedEffect { tenant_id, execution_id, path: path.to_string(), seq };
        let detached: Vec<DetachedEffect> = noted.map(effect).collect();
        for action in actions {
            match action {
                Action::RunEffect { path, pointer, attempt, key, request, awaited } => {
                    // When the service stops nothing is started any more: the next start asks again.
                    if self.draining {
                        continue;
                    }
                    let token = CancellationToken::new();
                    let (id, tenant) = (self.id, self.tenant);
                    let creation = Arc::clone(&self.record.creation);
                    let wanted = if awaited {
                        self.effects.insert((Path::clone(&path), attempt), token.clone().drop_guard());
                        Outcome::Awaited(ctx.address())
                    } else {
                        // One that nobody waits for outlives its task and even the execution.
                        let Some(effect) = detached.iter().find(|effect| *effect.path == *path).cloned() else {
                            continue;
                        };
                        if !self.services.detached.begin(&effect) {
                            continue;
                        }
                        Outcome::Noted(effect)
                    };
                    let task =
                        performer::Task { id, tenant, path, pointer, attempt, key, creation, secrets: self.secrets() };
                    self.span.in_scope(|| performer::start(task, request, token, &self.services, wanted));
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
            self.inbox.push_back(Input::TimerFired { path, purpose }.into());
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
                actor.inbox.push_back(input.into());
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
