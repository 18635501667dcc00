//! What the engine asks of the supervisor: new executions, commands, priorities, the end.

use super::command::{Command, Refusal, Reply};
use super::execution::ToExecution;
use super::seed::Seed;
use super::supervisor::{Presence, Supervisor, deliver};
use crate::domain::{ExecutionId, Status, TenantId};
use actix::{Handler, Message};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

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
        self.adopt(message.id, message.tenant, ctx);
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
        let Order { id, tenant, command, reply } = order;
        match self.entries.get(&id).map(|entry| &entry.presence) {
            Some(Presence::Pending | Presence::Delayed { .. }) if !command.is_legal_in(Status::Pending) => {
                let refusal = Refusal::WrongState { status: Status::Pending, verb: command.verb() };
                reply.send(Err(refusal));
            }
            // What lives is still served while it comes to its end; nothing is brought back to life for a command.
            Some(Presence::Live { .. }) => self.route(id, tenant, ToExecution::Command(command, Box::new(reply)), ctx),
            Some(_) | None if self.closing => {
                reply.send(Err(Refusal::ShuttingDown));
            }
            Some(_) | None => self.route(id, tenant, ToExecution::Command(command, Box::new(reply)), ctx),
        }
    }
}

/// What somebody has changed in an execution besides its course.
#[derive(Clone, Debug)]
pub struct Amended {
    pub priority: u8,
    pub labels: BTreeMap<String, String>,
}

/// The priority or the labels of an execution were changed in the store: a pending one moves in the queue, a living one takes
/// them over, so that its children have them.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Amend {
    pub id: ExecutionId,
    pub amended: Amended,
}

impl Handler<Amend> for Supervisor {
    type Result = ();
    fn handle(&mut self, Amend { id, amended }: Amend, _: &mut Self::Context) {
        self.queue.reprioritize(id, amended.priority);
        match self.entries.get_mut(&id).map(|entry| &mut entry.presence) {
            Some(Presence::Delayed { priority }) => *priority = amended.priority,
            Some(Presence::Live { address, .. }) => deliver(address, ToExecution::Amended(Box::new(amended))),
            Some(Presence::Waking { waiting, .. } | Presence::Leaving { waiting, .. }) => {
                waiting.push(ToExecution::Amended(Box::new(amended)));
            }
            // Its seed in the queue, if it has one, is passed over: what is read back has everything.
            Some(Presence::Pending) => self.queue.amend(id, |seed| *seed = None),
            Some(Presence::Parked) | None => {}
        }
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
