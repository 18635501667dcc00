//! What the events of an append say about usage and budgets: rows that are written in the same transaction.

use super::Error;
use super::append::to_json;
use crate::domain::quota::Budget;
use crate::domain::{Event, EventBody, Timestamp, Usage};
use std::sync::Arc;

/// One model call.
#[derive(Debug)]
pub(super) struct UsageRow {
    pub seq: u64,
    pub at: Timestamp,
    pub root: String,
    pub task: Option<Arc<str>>,
    pub path: Option<Arc<str>>,
    pub attempt: u32,
    pub prices: Option<String>,
    pub agent_id: Option<String>,
    pub usage: Box<Usage>,
}

/// The row of an event that records usage.
pub(super) fn usage_row(event: &Event, root: &str) -> Result<Option<UsageRow>, Error> {
    let EventBody::UsageRecorded(usage) = &event.body else { return Ok(None) };
    Ok(Some(UsageRow {
        seq: event.seq,
        at: event.at,
        root: root.to_owned(),
        task: event.task.clone(),
        path: event.path.clone(),
        attempt: event.attempt,
        prices: usage.prices.as_ref().map(to_json).transpose()?,
        agent_id: usage.agent_id.map(|id| id.to_string()),
        usage: usage.clone(),
    }))
}

/// Where calls came to nothing, whatever they answered: in an attempt that is tried again, in a task that was cancelled.
pub(super) fn wasted(event: &Event) -> Option<Arc<str>> {
    let path = event.path.as_ref()?;
    if let EventBody::TaskRetried { next_attempt, .. } = &event.body {
        return Some(format!("{path}/a{}", next_attempt.saturating_sub(1)).into());
    }
    matches!(event.body, EventBody::TaskCancelled { .. }).then(|| Arc::clone(path))
}

/// The budget after these events, when one of them says something about it.
pub(super) fn changed_budget(events: &[Event]) -> Option<Budget> {
    let mut known = None;
    for event in events {
        if let EventBody::ExecutionCreated(creation) = &event.body {
            known = creation.budget.or(known);
        } else if let EventBody::ApprovalGiven { approved, .. } = &event.body {
            known = Some(*approved);
        }
    }
    known
}
