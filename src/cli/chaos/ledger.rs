//! What was promised and seen while the service was being killed: acknowledgements, frames, statuses. Kept by this process,
//! which is never killed, and compared with the journal at the end.

use super::workload::Kind;
use crate::domain::Status;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use uuid::Uuid;

/// A promise of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// An acknowledged submission exists, once.
    Submission,
    /// A task whose completion is journaled does not run again.
    TaskRunTwice,
    /// Events are numbered 1, 2, 3 … and their positions rise.
    Sequence,
    /// What a subscriber was shown is what the journal says; nothing is missing, nothing comes twice.
    Feed,
    /// A terminal status never changes.
    TerminalStatus,
    /// An acknowledged request to cancel is followed.
    Command,
    /// Every execution comes to its end, with the right result.
    Stuck,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submission => "an acknowledged submission exists once",
            Self::TaskRunTwice => "a completed task does not run again",
            Self::Sequence => "events are numbered without gap",
            Self::Feed => "a feed shows every event once",
            Self::TerminalStatus => "a terminal status never changes",
            Self::Command => "an acknowledged cancel is followed",
            Self::Stuck => "every execution ends with the right result",
        })
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub promise: Promise,
    pub execution: Option<Uuid>,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.execution {
            Some(id) => write!(f, "{}: execution {id}: {}", self.promise, self.detail),
            None => write!(f, "{}: {}", self.promise, self.detail),
        }
    }
}

/// A submission that was acknowledged.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub number: u64,
    pub kind: Kind,
}

/// Everything that was promised and seen.
#[derive(Debug, Default)]
pub struct Ledger {
    pub acknowledged: BTreeMap<Uuid, Acknowledged>,
    /// Executions whose cancellation was acknowledged.
    pub cancelled: Vec<Uuid>,
    /// Event types that a subscriber was shown, by number. Filled by the watchers.
    pub watched: HashMap<Uuid, Vec<(u64, String)>>,
    /// The end that somebody was shown.
    ended: HashMap<Uuid, Status>,
    /// Executions whose end the global feed has shown.
    ended_on_the_feed: HashSet<Uuid>,
    violations: Vec<Violation>,
    /// How often a watcher had to open its session again.
    pub reconnects: u64,
    /// Frames that watchers have read.
    pub frames: u64,
}

impl Ledger {
    /// Notes a promise that was not kept.
    pub fn violated(&mut self, promise: Promise, execution: impl Into<Option<Uuid>>, detail: impl Into<String>) {
        self.violations.push(Violation { promise, execution: execution.into(), detail: detail.into() });
    }

    /// All violations, by promise.
    pub fn violations(&self) -> Vec<Violation> {
        let mut sorted = self.violations.clone();
        sorted.sort_by_key(|violation| violation.promise);
        sorted
    }

    /// A submission was acknowledged with this id.
    pub fn acknowledge(&mut self, id: Uuid, number: u64, kind: Kind) {
        if let Some(other) = self.acknowledged.insert(id, Acknowledged { number, kind }) {
            let detail = format!("submissions {} and {number} were given the same id", other.number);
            self.violated(Promise::Submission, id, detail);
        }
    }

    /// The end of an execution, if it has been shown.
    pub fn end_of(&self, id: Uuid) -> Option<Status> {
        self.ended.get(&id).copied()
    }

    /// A question was answered with a status. `known` is the end that was known when it was asked: an answer that was on
    /// its way while a frame told the end may be older than that frame.
    pub fn saw_answer(&mut self, id: Uuid, known: Option<Status>, status: Status) {
        match known {
            Some(end) if !status.is_terminal() => self.changed(id, end, status),
            Some(_) | None => self.saw_end(id, status),
        }
    }

    /// The global feed has shown a status. Its frames come in order, one session after the other.
    pub fn saw_update(&mut self, id: Uuid, status: Status) {
        if status.is_terminal() {
            self.ended_on_the_feed.insert(id);
        } else if self.ended_on_the_feed.contains(&id)
            && let Some(end) = self.end_of(id)
        {
            self.changed(id, end, status);
        }
        self.saw_end(id, status);
    }

    /// Whoever shows an end: there is only one.
    fn saw_end(&mut self, id: Uuid, status: Status) {
        if !status.is_terminal() {
            return;
        }
        match self.end_of(id) {
            Some(end) if end != status => self.changed(id, end, status),
            Some(_) => {}
            None => {
                self.ended.insert(id, status);
            }
        }
    }

    fn changed(&mut self, id: Uuid, end: Status, status: Status) {
        self.violated(Promise::TerminalStatus, id, format!("was {end}, then {status}"));
    }

    /// A subscriber of an execution's own feed was shown an event.
    pub fn saw_event(&mut self, id: Uuid, seq: u64, event_type: &str) {
        self.frames += 1;
        let shown = self.watched.entry(id).or_default();
        let last = shown.last().map_or(0, |(last, _)| *last);
        if seq == last + 1 {
            shown.push((seq, event_type.to_owned()));
        } else {
            self.violated(Promise::Feed, id, format!("event {seq} came after event {last}"));
        }
    }

    /// The last event a subscriber was shown, 0 for none.
    pub fn last_shown(&self, id: Uuid) -> u64 {
        self.watched.get(&id).and_then(|shown| shown.last()).map_or(0, |(seq, _)| *seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promises(ledger: &Ledger) -> Vec<Promise> {
        ledger.violations().iter().map(|violation| violation.promise).collect()
    }

    #[test]
    fn a_status_that_changes_after_the_end_is_a_violation() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        for status in [Status::Pending, Status::Running, Status::Succeeded, Status::Succeeded] {
            ledger.saw_update(id, status);
        }
        // Asked before the end was shown, answered afterwards.
        ledger.saw_answer(id, None, Status::Running);
        assert!(promises(&ledger).is_empty());
        let known = ledger.end_of(id);
        ledger.saw_answer(id, known, Status::Running);
        ledger.saw_answer(id, None, Status::Failed);
        ledger.saw_update(id, Status::Waiting);
        assert_eq!(promises(&ledger), [Promise::TerminalStatus; 3]);
    }

    #[test]
    fn the_feed_may_show_the_past_of_an_execution_whose_end_was_answered() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        ledger.saw_answer(id, None, Status::Succeeded);
        ledger.saw_update(id, Status::Running);
        ledger.saw_update(id, Status::Succeeded);
        assert!(promises(&ledger).is_empty());
    }

    #[test]
    fn a_feed_that_skips_or_repeats_is_a_violation() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        ledger.saw_event(id, 1, "execution_created");
        ledger.saw_event(id, 2, "execution_started");
        assert!(promises(&ledger).is_empty());
        ledger.saw_event(id, 2, "execution_started");
        ledger.saw_event(id, 4, "task_completed");
        assert_eq!(promises(&ledger), [Promise::Feed, Promise::Feed]);
        assert_eq!(ledger.last_shown(id), 2);
    }

    #[test]
    fn the_same_id_for_two_submissions_is_a_violation() {
        let (mut ledger, id) = (Ledger::default(), Uuid::from_u128(1));
        ledger.acknowledge(id, 1, Kind::Pure);
        ledger.acknowledge(id, 2, Kind::Pure);
        assert_eq!(promises(&ledger), [Promise::Submission]);
    }
}
