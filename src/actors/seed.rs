//! Seeds: all that is needed to bring an execution actor to life, for new, woken and crashed executions alike.

use super::command::Reply;
use super::turn::{First, Record};
use crate::domain::{ExecutionId, Failure, TenantId};
use crate::machine::{Program, State};
use std::sync::Arc;

/// An execution about to live.
pub struct Seed {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub program: Arc<Program>,
    pub state: State,
    pub record: Record,
    pub opening: Opening,
}

impl Seed {
    pub fn priority(&self) -> u8 {
        self.record.creation.priority
    }
}

/// What the actor does first.
pub enum Opening {
    /// Not stored yet: the creation is appended together with the first step, then `reply` is answered.
    Create { first: Box<First>, reply: Reply },
    /// Pending, and now it has a slot.
    Start,
    /// Woken: go on where it stands.
    Resume,
    /// Rebuilt after a crash: journal that, then go on.
    Recover { reason: String, recovered_in_ms: u64 },
    /// It crashed too often.
    Abort { failure: Box<Failure> },
}
