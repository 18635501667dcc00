//! What can happen to an execution from outside: the inputs of [`super::step()`].

use crate::domain::quota::{Breach, Budget};
use crate::domain::{EffectOutcome, ExecutionId, Failure, Path, Status, TimerPurpose, Timestamp};
use serde_json::Value;

/// One thing that happened outside the machine.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The queue granted a slot to a pending execution.
    Start,
    /// An effect came to its end. Dropped unless `attempt` is the one that is outstanding at this path.
    EffectFinished {
        path: Path,
        attempt: u32,
        outcome: EffectOutcome,
    },
    /// An effect was not begun, because a limit is reached. Dropped like an outcome of another attempt.
    EffectWithheld {
        path: Path,
        attempt: u32,
        breach: Breach,
    },
    /// A timer went off. Dropped when the deadline that the state knows is not reached yet or nobody waits for it.
    TimerFired {
        path: Path,
        purpose: TimerPurpose,
    },
    /// A child execution reached a terminal status.
    ChildFinished {
        path: Path,
        child_id: ExecutionId,
        status: Status,
        output: Option<Value>,
        error: Option<Failure>,
    },
    /// The child could not be started: no such workflow, invalid input of the request and so on.
    ChildRefused {
        path: Path,
        failure: Failure,
    },
    Pause {
        by: Option<String>,
    },
    Resume {
        by: Option<String>,
    },
    /// More may be spent: the limits that are named take the place of those that were.
    Approve {
        by: Option<String>,
        budget: Budget,
    },
    Cancel {
        by: Option<String>,
        reason: Option<String>,
    },
    /// The state was rebuilt from the journal after a crash of the actor or of the process.
    Recovered {
        reason: String,
        restarts: u32,
        recovered_in_ms: u64,
    },
    /// The engine gives the execution up, for instance because it crashed its actor too often.
    Abort {
        failure: Failure,
    },
    /// Go on after a transition whose `more` was set.
    Continue,
}

/// The time and the randomness of one step. Both come from outside, so that the machine has neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// Fresh random bits; used for the jitter of retries.
    pub seed: u64,
}
