//! The checks of one execution: its journal, its marks and what was seen of it, as pure functions.

use super::ledger::{Ledger, Promise};
use crate::domain::{Status, Timestamp};
use crate::wire::event::EventView;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// One execution as the service shows it at the end.
#[derive(Clone, Debug)]
pub struct Final {
    pub id: Uuid,
    pub status: Status,
    pub last_seq: u64,
    pub is_child: bool,
    /// The number of the submission it came from, or of its parent's.
    pub number: Option<u64>,
    pub output: Option<serde_json::Value>,
    pub journal: Vec<EventView>,
}

/// A line that a task left on the outside: which task of which execution ran, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub execution: Uuid,
    pub task: String,
    pub at: Timestamp,
}

/// Reads the marks file. A line that was cut by a kill is left out; it belongs to a task that did not complete.
pub fn read_marks(text: &str) -> Vec<Mark> {
    let mark = |line: &str| {
        let mut words = line.split_whitespace();
        let execution = words.next()?.parse().ok()?;
        let task = words.next()?.to_owned();
        let nanos: i64 = words.next()?.parse().ok()?;
        Some(Mark { execution, task, at: Timestamp::from_micros(nanos / 1_000) })
    };
    text.lines().filter_map(mark).collect()
}

/// Checks everything that can be told from one execution.
pub fn check(execution: &Final, marks: &[&Mark], ledger: &mut Ledger) {
    check_sequence(execution, ledger);
    check_end(execution, ledger);
    check_tasks(execution, ledger);
    check_marks(execution, marks, ledger);
    check_feed(execution, ledger);
    ledger.saw_answer(execution.id, ledger.end_of(execution.id), execution.status);
}

fn check_sequence(execution: &Final, ledger: &mut Ledger) {
    let mut position = 0;
    for (event, expected) in execution.journal.iter().zip(1_u64..) {
        if event.seq != expected {
            let detail = format!("event {} stands where {expected} should", event.seq);
            return ledger.violated(Promise::Sequence, execution.id, detail);
        }
        let next = event.position.unwrap_or(0);
        if next <= position {
            let detail = format!("event {} has position {next} after {position}", event.seq);
            return ledger.violated(Promise::Sequence, execution.id, detail);
        }
        position = next;
    }
    let length = u64::try_from(execution.journal.len()).unwrap_or(u64::MAX);
    if length != execution.last_seq {
        let detail = format!("has {length} events, its row says {}", execution.last_seq);
        ledger.violated(Promise::Sequence, execution.id, detail);
    }
}

/// The status that an event ends an execution with.
fn end_of(event_type: &str) -> Option<Status> {
    match event_type {
        "execution_completed" => Some(Status::Succeeded),
        "execution_failed" => Some(Status::Failed),
        "execution_cancelled" => Some(Status::Cancelled),
        _ => None,
    }
}

fn check_end(execution: &Final, ledger: &mut Ledger) {
    let ends: Vec<(u64, Status)> =
        execution.journal.iter().filter_map(|event| Some((event.seq, end_of(&event.event_type)?))).collect();
    match ends.as_slice() {
        [] if !execution.status.is_terminal() => {
            ledger.violated(Promise::Stuck, execution.id, format!("is still {}", execution.status));
        }
        [(seq, status)] if *status == execution.status && *seq == execution.last_seq => {}
        ends => {
            let detail = format!("is {}, its journal ends with {ends:?} of {}", execution.status, execution.last_seq);
            ledger.violated(Promise::TerminalStatus, execution.id, detail);
        }
    }
}

/// A completed task instance starts nothing any more, and completes once.
fn check_tasks(execution: &Final, ledger: &mut Ledger) {
    let mut completed: HashSet<&str> = HashSet::new();
    for event in &execution.journal {
        let Some(path) = event.path.as_deref() else { continue };
        let runs = matches!(event.event_type.as_str(), "task_started" | "effect_scheduled" | "task_completed");
        if runs && completed.contains(path) {
            let detail = format!("{path} has {} (event {}) after it completed", event.event_type, event.seq);
            ledger.violated(Promise::TaskRunTwice, execution.id, detail);
        }
        if event.event_type == "task_completed" {
            completed.insert(path);
        }
    }
}

/// A task that left a mark has left none after its completion was journaled, and has left one when it completed.
fn check_marks(execution: &Final, marks: &[&Mark], ledger: &mut Ledger) {
    let mut asked: HashMap<&str, &str> = HashMap::new();
    let mut completed: HashMap<&str, Timestamp> = HashMap::new();
    for event in &execution.journal {
        let Some((path, name)) = event.path.as_deref().zip(event.task.as_deref().map(last_word)) else { continue };
        if event.event_type == "effect_scheduled" && event.data.get("kind").is_some_and(|kind| kind == "shell") {
            asked.insert(path, name);
        }
        if event.event_type == "task_completed" && asked.contains_key(path) {
            completed.insert(name, event.at);
        }
    }
    for mark in marks {
        match completed.get(mark.task.as_str()) {
            Some(at) if mark.at > *at => {
                let detail = format!("{} ran at {} and had completed at {at}", mark.task, mark.at);
                ledger.violated(Promise::TaskRunTwice, execution.id, detail);
            }
            Some(_) => {}
            None if !asked.values().any(|name| *name == mark.task) => {
                let detail = format!("{} ran at {} without standing in the journal", mark.task, mark.at);
                ledger.violated(Promise::TaskRunTwice, execution.id, detail);
            }
            None => {}
        }
    }
    for name in completed.keys() {
        if !marks.iter().any(|mark| mark.task == *name) {
            ledger.violated(Promise::Stuck, execution.id, format!("{name} completed without having run"));
        }
    }
}

fn last_word(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

/// What subscribers were shown stands in the journal.
fn check_feed(execution: &Final, ledger: &mut Ledger) {
    let shown = ledger.watched.get(&execution.id).cloned().unwrap_or_default();
    for ((seq, event_type), event) in shown.iter().zip(&execution.journal) {
        if *seq != event.seq || *event_type != event.event_type {
            let detail =
                format!("event {seq} was shown as {event_type} and is {} (event {})", event.event_type, event.seq);
            return ledger.violated(Promise::Feed, execution.id, detail);
        }
    }
    if !shown.is_empty() && shown.len() != execution.journal.len() {
        let detail = format!("{} of {} events were shown", shown.len(), execution.journal.len());
        ledger.violated(Promise::Feed, execution.id, detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ExecutionId;
    use serde_json::{Value, json};

    const ID: Uuid = Uuid::from_u128(7);

    fn event(seq: u64, event_type: &str, path: Option<&str>, data: Value) -> EventView {
        EventView {
            execution_id: ExecutionId(ID),
            seq,
            position: Some(seq * 3),
            at: Timestamp::from_micros(i64::try_from(seq).unwrap() * 1_000),
            task: path.map(|path| format!("/do/0/{}", path.rsplit(':').next().unwrap())),
            path: path.map(str::to_owned),
            attempt: 0,
            event_type: event_type.to_owned(),
            data,
        }
    }

    fn sound() -> Final {
        let journal = vec![
            event(1, "execution_created", None, json!({})),
            event(2, "task_started", Some("s0:first"), json!({})),
            event(3, "effect_scheduled", Some("s0:first"), json!({ "kind": "shell" })),
            event(4, "effect_completed", Some("s0:first"), json!({})),
            event(5, "task_completed", Some("s0:first"), json!({})),
            event(6, "execution_completed", None, json!({})),
        ];
        let last_seq = 6;
        Final { id: ID, status: Status::Succeeded, last_seq, is_child: false, number: Some(1), output: None, journal }
    }

    fn mark(micros: i64) -> Mark {
        Mark { execution: ID, task: "first".to_owned(), at: Timestamp::from_micros(micros) }
    }

    fn found(execution: &Final, marks: &[Mark], ledger: &mut Ledger) -> Vec<Promise> {
        check(execution, &marks.iter().collect::<Vec<_>>(), ledger);
        ledger.violations().iter().map(|violation| violation.promise).collect()
    }

    #[test]
    fn a_sound_execution_passes_even_when_its_effect_was_asked_twice_before_it_completed() {
        let marks = [mark(3_500), mark(4_500)];
        assert_eq!(found(&sound(), &marks, &mut Ledger::default()), []);
    }

    #[test]
    fn a_gap_a_missing_event_and_a_falling_position_are_found() {
        let mut gap = sound();
        gap.journal[3].seq = 9;
        let mut missing = sound();
        missing.last_seq = 7;
        let mut falling = sound();
        falling.journal[4].position = Some(1);
        for broken in [gap, missing, falling] {
            let promises = found(&broken, &[mark(3_500)], &mut Ledger::default());
            assert!(promises.contains(&Promise::Sequence), "{promises:?}");
        }
    }

    #[test]
    fn a_task_that_runs_again_is_found_in_the_journal_and_by_its_mark() {
        let mut again = sound();
        again.journal.insert(5, event(6, "effect_scheduled", Some("s0:first"), json!({ "kind": "shell" })));
        again.journal[6].seq = 7;
        again.journal[6].position = Some(30);
        again.last_seq = 7;
        assert_eq!(found(&again, &[mark(3_500)], &mut Ledger::default()), [Promise::TaskRunTwice]);
        let late = [mark(3_500), mark(9_000)];
        assert_eq!(found(&sound(), &late, &mut Ledger::default()), [Promise::TaskRunTwice]);
    }

    #[test]
    fn a_completed_task_that_never_ran_is_found() {
        assert_eq!(found(&sound(), &[], &mut Ledger::default()), [Promise::Stuck]);
    }

    #[test]
    fn an_execution_that_does_not_end_is_found() {
        let mut open = sound();
        open.journal.pop();
        (open.last_seq, open.status) = (5, Status::Running);
        assert_eq!(found(&open, &[mark(3_500)], &mut Ledger::default()), [Promise::Stuck]);
    }

    #[test]
    fn a_status_that_was_seen_and_a_frame_that_was_shown_must_stand() {
        let mut ledger = Ledger::default();
        ledger.saw_answer(ID, None, Status::Failed);
        ledger.saw_event(ID, 1, "execution_created");
        ledger.saw_event(ID, 2, "task_skipped");
        assert_eq!(found(&sound(), &[mark(3_500)], &mut ledger), [Promise::Feed, Promise::TerminalStatus]);
    }

    #[test]
    fn a_feed_that_stopped_early_is_found() {
        let mut ledger = Ledger::default();
        ledger.saw_event(ID, 1, "execution_created");
        assert_eq!(found(&sound(), &[mark(3_500)], &mut ledger), [Promise::Feed]);
    }

    #[test]
    fn marks_are_read_and_a_cut_line_is_left_out() {
        let text = format!("{ID} first 3500000\n{ID} sec");
        assert_eq!(read_marks(&text), [mark(3_500)]);
    }
}
