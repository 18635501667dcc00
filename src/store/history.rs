//! Reading the journal: one execution's events in order, and which executions have changed since a position.

use super::column_types::{integer, natural};
use super::connection::AnyConnection;
use super::executions::{Row as ExecutionRow, from_rows};
use super::schema::{executions, journal};
use super::{Error, Store, blobs};
use crate::domain::{Event, Execution, ExecutionId, TenantId};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Rows read at a time. Each holds the events of one append.
const ROWS_PER_READ: i64 = 256;
/// Rows read first for a page. Rows may hold a thousand events, so a page must not read many for nothing.
const FIRST_ROWS: i64 = 4;

/// Executions looked up at a time.
const IDS_PER_READ: usize = 500;

/// One event as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEvent {
    pub seq: u64,
    /// Store-wide, in commit order.
    pub position: u64,
    pub type_name: String,
    /// `{"seq":…,"at":…,"type":…,"data":…}`
    pub json: String,
}

/// What has changed from one position to another, the latest state of each execution only. One that has gone on behind the
/// second is left to the next call.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// In the order of their newest event.
    pub executions: Vec<Execution>,
    /// Where the next call goes on.
    pub position: u64,
    /// Whether there was more than fitted.
    pub more: bool,
}

impl Store {
    /// Events after `after_seq`, oldest first, at most `limit`, of the given types (all when none is given).
    ///
    /// # Errors
    /// [`Error::NotFound`] when the tenant has no such execution.
    pub async fn history(
        &self,
        tenant_id: TenantId,
        id: ExecutionId,
        after_seq: u64,
        limit: u32,
        types: Vec<String>,
    ) -> Result<Vec<HistoryEvent>, Error> {
        self.read(move |connection| {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let mut found = Vec::new();
            let (mut after, mut count) = (after_seq, FIRST_ROWS);
            loop {
                let rows = rows(connection, tenant_id, id, after, count)?;
                count = count.saturating_mul(4).min(ROWS_PER_READ);
                let Some(last) = rows.last() else { break };
                after = natural("last_seq", last.last_seq)?;
                for row in &rows {
                    if found.len() < limit {
                        collect(row, after_seq, &types, &mut found)?;
                    }
                }
                if found.len() >= limit {
                    break;
                }
            }
            if found.is_empty() {
                exists(connection, tenant_id, id)?;
            }
            found.truncate(limit);
            Ok(found)
        })
        .await
    }

    /// The executions with events after `position`, as far as one read sees them: what is committed meanwhile comes with the
    /// next call. Reads at most `limit` appends.
    pub async fn changed_since(&self, tenant_id: TenantId, position: u64, limit: u32) -> Result<Changes, Error> {
        self.read(move |connection| changed_since(connection, &tenant_id.to_string(), position, limit)).await
    }
}

#[derive(Queryable)]
struct Row {
    position: i64,
    last_seq: i64,
    events: String,
}

/// The parts of an event that are looked at without reading the rest.
#[derive(Deserialize)]
struct Head<'a> {
    seq: u64,
    #[serde(rename = "type", borrow)]
    type_name: Cow<'a, str>,
}

fn rows(
    connection: &mut AnyConnection,
    tenant_id: TenantId,
    id: ExecutionId,
    after_seq: u64,
    count: i64,
) -> Result<Vec<Row>, Error> {
    let mut rows = journal::table
        .filter(journal::execution_id.eq(id.to_string()))
        .filter(journal::tenant_id.eq(tenant_id.to_string()))
        .filter(journal::last_seq.gt(integer(after_seq)))
        .order(journal::last_seq)
        .limit(count)
        .select((journal::position, journal::last_seq, journal::events))
        .load::<Row>(connection)?;
    blobs::resolve(connection, rows.iter_mut().map(|row| &mut row.events))?;
    Ok(rows)
}

fn collect(row: &Row, after_seq: u64, types: &[String], found: &mut Vec<HistoryEvent>) -> Result<(), Error> {
    let events: Vec<&RawValue> = serde_json::from_str(&row.events).map_err(|error| Error::corrupt("events", error))?;
    let (position, last_seq) = (natural("position", row.position)?, natural("last_seq", row.last_seq)?);
    for event in events {
        let head: Head<'_> = serde_json::from_str(event.get()).map_err(|error| Error::corrupt("event", error))?;
        if head.seq <= after_seq || !(types.is_empty() || types.iter().any(|wanted| *wanted == head.type_name)) {
            continue;
        }
        found.push(HistoryEvent {
            seq: head.seq,
            position: position.saturating_sub(last_seq.saturating_sub(head.seq)),
            type_name: head.type_name.into_owned(),
            json: event.get().to_owned(),
        });
    }
    Ok(())
}

/// The events after `after_seq`, as values.
pub(super) fn events(
    connection: &mut AnyConnection,
    tenant_id: TenantId,
    id: ExecutionId,
    after_seq: u64,
) -> Result<Vec<Event>, Error> {
    let mut events: Vec<Event> = Vec::new();
    let mut after = after_seq;
    loop {
        let rows = rows(connection, tenant_id, id, after, ROWS_PER_READ)?;
        let Some(last) = rows.last() else { return Ok(events) };
        after = natural("last_seq", last.last_seq)?;
        for row in &rows {
            let batch: Vec<Event> =
                serde_json::from_str(&row.events).map_err(|error| Error::corrupt("events", error))?;
            events.extend(batch.into_iter().filter(|event| event.seq > after_seq));
        }
    }
}

/// The texts of whole journals by execution, each in order; large ones are put back by [`parsed`].
pub(super) fn journals(connection: &mut AnyConnection, ids: &[String]) -> Result<HashMap<String, Vec<String>>, Error> {
    let rows = journal::table
        .filter(journal::execution_id.eq_any(ids))
        .order((journal::execution_id, journal::last_seq))
        .select((journal::execution_id, journal::events))
        .load::<(String, String)>(connection)?;
    let mut journals: HashMap<String, Vec<String>> = HashMap::new();
    for (id, events) in rows {
        journals.entry(id).or_default().push(events);
    }
    Ok(journals)
}

/// The events in the texts of journal rows.
pub(super) fn parsed(connection: &mut AnyConnection, mut texts: Vec<String>) -> Result<Vec<Event>, Error> {
    blobs::resolve(connection, texts.iter_mut())?;
    let mut events: Vec<Event> = Vec::new();
    for text in texts {
        let batch: Vec<Event> = serde_json::from_str(&text).map_err(|error| Error::corrupt("events", error))?;
        events.extend(batch);
    }
    Ok(events)
}

fn exists(connection: &mut AnyConnection, tenant_id: TenantId, id: ExecutionId) -> Result<(), Error> {
    executions::table
        .filter(executions::tenant_id.eq(tenant_id.to_string()).and(executions::id.eq(id.to_string())))
        .select(executions::created_position)
        .first::<i64>(connection)?;
    Ok(())
}

fn changed_since(connection: &mut AnyConnection, tenant_id: &str, position: u64, limit: u32) -> Result<Changes, Error> {
    let appends = journal::table
        .filter(journal::position.gt(integer(position)))
        .filter(journal::tenant_id.eq(tenant_id))
        .order(journal::position)
        .limit(i64::from(limit.max(1)))
        .select((journal::position, journal::execution_id))
        .load::<(i64, String)>(connection)?;
    let more = u32::try_from(appends.len()).is_ok_and(|length| length >= limit.max(1));
    let newest = appends.last().map(|(position, _)| natural("position", *position)).transpose()?.unwrap_or(position);
    let ids: Vec<String> = appends.into_iter().map(|(_, id)| id).collect::<BTreeSet<String>>().into_iter().collect();
    let mut changed = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS_PER_READ) {
        let rows = executions::table
            .filter(executions::tenant_id.eq(tenant_id).and(executions::id.eq_any(chunk)))
            .load::<ExecutionRow>(connection)?;
        changed.extend(from_rows(connection, rows)?);
    }
    // Something may have been committed between the two reads. Who takes over a state from behind `newest` takes what others
    // did before it for known.
    changed.retain(|execution| execution.last_position <= newest);
    changed.sort_by_key(|execution| execution.last_position);
    Ok(Changes { executions: changed, position: newest, more })
}
