//! What a step asks of the world, and the whole result of a step.

use crate::domain::{EffectRequest, Event, ExecutionId, Path, Pointer, TimerPurpose, Timestamp};
use serde_json::Value;
use uuid::Uuid;

/// Something to be done after the events of the same transition are committed.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Perform an effect. Its outcome comes back as [`super::Input::EffectFinished`] with the same path and attempt.
    RunEffect {
        path: Path,
        /// The task in the definition.
        pointer: Pointer,
        /// Raised each time the same effect is asked again after a crash; fences late outcomes of earlier attempts.
        attempt: u32,
        /// The idempotency key: the same for every attempt of this effect.
        key: Uuid,
        request: EffectRequest,
        /// Whether somebody waits for the outcome. Otherwise (`await: false`) it is dropped, and the effect outlives its task
        /// and even the execution.
        awaited: bool,
    },
    CancelEffect {
        path: Path,
        attempt: u32,
    },
    SetTimer {
        path: Path,
        purpose: TimerPurpose,
        deadline: Timestamp,
    },
    CancelTimer {
        path: Path,
        purpose: TimerPurpose,
    },
    /// Start a child execution under this very id; starting one that exists already changes nothing.
    StartChild {
        path: Path,
        child_id: ExecutionId,
        namespace: String,
        name: String,
        /// A version or `latest`.
        version: String,
        input: Value,
        awaited: bool,
    },
    CancelChild {
        child_id: ExecutionId,
    },
}

/// What one step decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transition {
    /// To be appended to the journal in one transaction. Already applied to the state that was given to the step.
    pub events: Vec<Event>,
    /// To be performed in this order after the events are committed.
    pub actions: Vec<Action>,
    /// The batch was cut at [`super::BATCH_EVENTS`]: commit, look into the mailbox, then give [`super::Input::Continue`].
    pub more: bool,
}
