//! The end of a chaos run: everything is let finish, then every execution is read and checked.

use super::crowd::{Crowd, id_and_status};
use super::journal::{Final, Mark, check, read_marks};
use super::ledger::Promise;
use crate::cli::client::{items_at, text_at};
use crate::cli::error::Error;
use crate::cli::link::Link;
use crate::domain::Status;
use crate::wire::event::EventView;
use hyper::body::Bytes;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// After this long without any progress the open executions count as stuck.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
const PAGE_LIMIT: usize = 100;
const HISTORY_LIMIT: usize = 1_000;

async fn get(link: &mut Link, path: &str) -> Result<Value, Error> {
    let answer = link.get(path).await;
    answer.map_err(|error| Error::failure(format!("the service does not answer at the end: {error}")))?.json()
}

/// All executions of this run in one of these statuses (all for none).
async fn list(link: &mut Link, run: &str, statuses: &[Status]) -> Result<Vec<Value>, Error> {
    let filter: String = statuses.iter().map(|status| format!("&status={status}")).collect();
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/executions?label.chaos_run={run}{filter}&limit={PAGE_LIMIT}{cursor}");
        let page = get(link, &path).await?;
        all.extend_from_slice(items_at(&page, "/items"));
        match text_at(&page, "/next_cursor") {
            next if next.is_empty() => return Ok(all),
            next => cursor = format!("&cursor={next}"),
        }
    }
}

/// Waits until every submission is answered and every execution has ended; paused ones are resumed.
///
/// # Errors
/// When the service does not answer any more.
pub async fn let_everything_end(crowd: &Crowd) -> Result<(), Error> {
    let mut link = Link::to(&crowd.endpoint);
    let mut progress = (Instant::now(), String::new());
    loop {
        let open = [Status::Pending, Status::Running, Status::Waiting, Status::Paused];
        let open = list(&mut link, &crowd.run, &open).await?;
        if open.is_empty() && crowd.unanswered.get() == 0 {
            return Ok(());
        }
        for (id, _) in open.iter().filter_map(id_and_status).filter(|(_, status)| *status == Status::Paused) {
            // Refused when it was resumed or has ended since; the next round sees it.
            let _ = link.post(&format!("/api/v1/executions/{id}/resume"), Bytes::new(), None).await;
        }
        let mut state: Vec<String> = open.iter().map(|one| text_at(one, "/id") + &text_at(one, "/last_seq")).collect();
        state.sort();
        let state = state.join(" ") + &crowd.unanswered.get().to_string();
        if state != progress.1 {
            progress = (Instant::now(), state);
        } else if progress.0.elapsed() > STALL_TIMEOUT {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checked {
    pub executions: u64,
    pub events: u64,
    pub marks: u64,
    pub restarts: u64,
}

/// Reads every execution and checks every promise.
///
/// # Errors
/// When the service does not answer or the marks cannot be read.
pub async fn check_everything(crowd: &Crowd) -> Result<Checked, Error> {
    let mut link = Link::to(&crowd.endpoint);
    let marks = std::fs::read_to_string(&crowd.marks).unwrap_or_default();
    let marks = read_marks(&marks);
    let mut by_execution: HashMap<Uuid, Vec<&Mark>> = HashMap::new();
    for mark in &marks {
        by_execution.entry(mark.execution).or_default().push(mark);
    }
    let mut checked = Checked { marks: u64::try_from(marks.len()).unwrap_or(0), ..Checked::default() };
    let mut known: HashSet<Uuid> = HashSet::new();
    let mut numbers: HashMap<u64, Uuid> = HashMap::new();
    for view in list(&mut link, &crowd.run, &[]).await? {
        let Some(execution) = read(&mut link, &view).await? else { continue };
        checked.executions += 1;
        checked.events += execution.last_seq;
        checked.restarts += view.get("restarts").and_then(Value::as_u64).unwrap_or(0);
        known.insert(execution.id);
        let mut ledger = crowd.ledger.borrow_mut();
        check(&execution, by_execution.get(&execution.id).map_or(&[], Vec::as_slice), &mut ledger);
        if let Some(number) = execution.number.filter(|_| !execution.is_child)
            && let Some(other) = numbers.insert(number, execution.id)
        {
            let detail = format!("submission {number} also made execution {other}");
            ledger.violated(Promise::Submission, execution.id, detail);
        }
        drop(ledger);
        check_outcome(crowd, &execution);
    }
    let mut ledger = crowd.ledger.borrow_mut();
    let lost: Vec<Uuid> = ledger.acknowledged.keys().filter(|id| !known.contains(id)).copied().collect();
    for id in lost {
        ledger.violated(Promise::Submission, id, "was acknowledged and is gone");
    }
    for id in by_execution.keys().filter(|id| !known.contains(id)) {
        ledger.violated(Promise::TaskRunTwice, *id, "has left marks and is not known");
    }
    if crowd.unanswered.get() > 0 {
        let detail = format!("{} submissions were never answered", crowd.unanswered.get());
        ledger.violated(Promise::Stuck, None, detail);
    }
    Ok(checked)
}

/// An execution with its whole journal.
async fn read(link: &mut Link, view: &Value) -> Result<Option<Final>, Error> {
    let Some((id, status)) = id_and_status(view) else { return Ok(None) };
    let mut journal: Vec<EventView> = Vec::new();
    loop {
        let after = journal.last().map_or(0, |event| event.seq);
        let path = format!("/api/v1/executions/{id}/history?after_seq={after}&limit={HISTORY_LIMIT}");
        let page = get(link, &path).await?;
        let events = items_at(&page, "/items");
        for event in events {
            let event = serde_json::from_value(event.clone())
                .map_err(|error| Error::failure(format!("an event of execution {id} cannot be read: {error}")))?;
            journal.push(event);
        }
        if events.len() < HISTORY_LIMIT {
            break;
        }
    }
    Ok(Some(Final {
        id,
        status,
        last_seq: view.get("last_seq").and_then(Value::as_u64).unwrap_or(0),
        is_child: !text_at(view, "/parent_execution_id").is_empty(),
        number: text_at(view, "/labels/chaos_number").parse().ok(),
        output: view.get("output").cloned(),
        journal,
    }))
}

/// An execution that nobody cancelled succeeds with its kind's output; one whose cancellation was acknowledged is cancelled.
fn check_outcome(crowd: &Crowd, execution: &Final) {
    let mut ledger = crowd.ledger.borrow_mut();
    let was_cancelled = ledger.cancelled.contains(&execution.id);
    if was_cancelled && execution.status != Status::Cancelled {
        let detail = format!("its cancellation was acknowledged and it is {}", execution.status);
        return ledger.violated(Promise::Command, execution.id, detail);
    }
    let Some(kind) = ledger.acknowledged.get(&execution.id).map(|acknowledged| acknowledged.kind) else { return };
    match execution.status {
        Status::Succeeded if execution.output.as_ref() != Some(&kind.output()) => {
            let detail = format!("{} ended with {:?}", kind.name(), execution.output);
            ledger.violated(Promise::Stuck, execution.id, detail);
        }
        Status::Failed => {
            let end = execution.journal.last().map(|event| event.data.to_string()).unwrap_or_default();
            ledger.violated(Promise::Stuck, execution.id, format!("{} failed: {end}", kind.name()));
        }
        Status::Succeeded
        | Status::Cancelled
        | Status::Pending
        | Status::Running
        | Status::Waiting
        | Status::Paused => {}
    }
}
