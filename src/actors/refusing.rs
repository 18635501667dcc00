//! What becomes of an execution whose events the store does not take.
//!
//! When the database takes other writes, it is the events: they are given up, and the execution is failed from what is stored
//! of it. Nothing of them was acted on. Why it is so: ADR 0042.

use super::command::{Command, Refusal, Reply};
use super::execution::{ExecutionActor, ToExecution};
use super::exit::Exit;
use super::turn::Turn;
use crate::domain::{Failure, StandardType};
use crate::machine::Input;
use crate::store;
use actix::{ActorContext, Context};

impl ExecutionActor {
    /// An append was refused: whoever waits for it is told, and the actor ends.
    pub(super) fn refused(&mut self, error: &store::Error, turn: Turn, ctx: &mut Context<Self>) {
        for (reply, _) in turn.replies {
            reply.send(Err(Refusal::from_store(error.clone())));
        }
        if !matches!(error, store::Error::NotTaken { .. }) {
            tracing::warn!(execution_id = %self.id, %error, "an append was refused, the actor stops");
        }
        let exit = if matches!(error, store::Error::StaleEpoch { .. } | store::Error::Terminal { .. }) {
            Exit::Fenced
        } else if self.record.create.is_some() || error.is_retryable() {
            Exit::Unacknowledged
        } else if matches!(error, store::Error::NotTaken { .. }) {
            let events = turn.events.len();
            let first = turn.events.first().map_or("nothing", |event| event.body.type_name());
            tracing::error!(execution_id = %self.id, %error, events, first, "an append is given up");
            self.services.metrics.append_given_up();
            let reason = format!("{events} events beginning with {first}");
            Exit::Refused { reason, commands: self.cancellations(error) }
        } else {
            // The same would be decided and refused again: it counts as a crash, and too many of them are the end.
            Exit::Crashed { message: format!("the store refused its events: {error}") }
        };
        self.exit.set(exit);
        ctx.stop();
    }

    /// Whether a command to cancel it waits.
    pub(super) fn is_to_be_cancelled(&self) -> bool {
        self.inbox.iter().any(|arrival| matches!(*arrival.input, Input::Cancel { .. }))
    }

    /// Takes the commands to cancel it out of the inbox. Other commands are refused: it comes to its end.
    fn cancellations(&mut self, error: &store::Error) -> Vec<ToExecution> {
        let mut commands = Vec::new();
        for arrival in self.inbox.drain(..) {
            match (*arrival.input, arrival.reply) {
                (Input::Cancel { by, reason }, reply) => {
                    let reply = reply.unwrap_or_else(|| Reply::new(None).0);
                    commands.push(ToExecution::Command(Command::Cancel { by, reason }, Box::new(reply)));
                }
                (_, Some(reply)) => reply.send(Err(Refusal::from_store(error.clone()))),
                (_, None) => {}
            }
        }
        commands
    }
}

/// What an execution fails with whose events are not taken. It holds nothing of them: that may be what is not taken.
pub fn failure(reason: &str) -> Failure {
    let detail = format!(
        "the database takes other writes and refuses what was to be journaled of this execution next: {reason}; nothing of it \
         is stored, and what was completed before is"
    );
    Failure::new(StandardType::Runtime, "The database refuses the execution's events", detail)
        .retryable(false)
        .with_suggestion(
            "tell the operator: the service's log of this time has the database's reason; then retry the execution",
        )
}
