//! Reading executions: one, lists with filters, children; and the few details of one that change outside its journal.

use super::column_types::{json, natural, small, word};
use super::connection::{AnyConnection, MultiBackend};
use super::page::{Key, Page, PageRequest};
use super::schema::{execution_labels, executions};
use super::statement::{Bind, Statement};
use super::text_search::{contains_pattern, lower, lower_or_null};
use super::{Error, Store, append, batch, blobs};
use crate::domain::{
    AgentId, Creation, Execution, ExecutionId, ExecutionType, Progress, Status, TenantId, Timestamp, WorkflowId,
};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which executions a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub workflow_id: Option<WorkflowId>,
    /// Namespace and name: all versions of a workflow.
    pub workflow: Option<(String, String)>,
    pub agent_id: Option<AgentId>,
    pub project_id: Option<String>,
    pub parent_execution_id: Option<ExecutionId>,
    pub execution_type: Option<ExecutionType>,
    /// Any of these; none means all.
    pub statuses: Vec<Status>,
    pub created_by: Option<String>,
    /// Exclusive.
    pub created_after: Option<Timestamp>,
    /// Exclusive.
    pub created_before: Option<Timestamp>,
    /// All of these.
    pub labels: Vec<(String, String)>,
    /// Found, without regard to case, in id, name, namespace, creator, input or error.
    pub text: Option<String>,
    pub sort: Sort,
}

/// By creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    NewestFirst,
    OldestFirst,
}

impl Store {
    /// # Errors
    /// [`Error::NotFound`] when the tenant has no such execution.
    pub async fn execution(&self, tenant_id: TenantId, id: ExecutionId) -> Result<Execution, Error> {
        self.read(move |connection| get(connection, tenant_id, id)).await
    }

    /// A page of the tenant's executions.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn executions(
        &self,
        tenant_id: TenantId,
        filter: Filter,
        page: PageRequest,
    ) -> Result<Page<Execution>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// What is running or waiting, newest first, at most `limit`.
    pub async fn active_executions(&self, tenant_id: TenantId, limit: u32) -> Result<Vec<Execution>, Error> {
        let filter = Filter { statuses: vec![Status::Running, Status::Waiting], ..Filter::default() };
        self.read(move |connection| {
            let rows = newest_of_each(connection, &tenant_id.to_string(), &filter, None, i64::from(limit))?;
            from_rows(connection, rows)
        })
        .await
    }

    /// Changes what may change without an event: the priority in the queue and the labels. `None` leaves as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn update_execution(
        &self,
        tenant_id: TenantId,
        id: ExecutionId,
        priority: Option<u8>,
        labels: Option<BTreeMap<String, String>>,
    ) -> Result<Execution, Error> {
        let now = self.clock.now();
        self.write(move |connection| update(connection, tenant_id, id, priority, labels, now)).await
    }
}

/// A row, in the order of its columns.
#[derive(Queryable)]
pub(super) struct Row {
    pub created_position: i64,
    tenant_id: String,
    id: String,
    _execution_type: String,
    status: String,
    _workflow_id: Option<String>,
    _namespace: String,
    _name: String,
    _agent_id: Option<String>,
    _project_id: Option<String>,
    _parent_execution_id: Option<String>,
    _created_by: Option<String>,
    priority: i64,
    creation: String,
    input: String,
    output: Option<String>,
    error: Option<String>,
    completed_tasks: i64,
    known_tasks: i64,
    attempt: i64,
    restarts: i64,
    last_crash: Option<String>,
    recovered_in_ms: Option<i64>,
    last_seq: i64,
    last_position: i64,
    wake_at: Option<i64>,
    pub created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    updated_at: i64,
    pause_reason: Option<String>,
}

impl Row {
    /// Blobs must have been resolved.
    fn into_execution(self) -> Result<Execution, Error> {
        let mut creation: Creation = json("creation", &self.creation)?;
        creation.input = json("input", &self.input)?;
        creation.priority = u8::try_from(self.priority).map_err(|error| Error::corrupt("priority", error))?;
        Ok(Execution {
            id: word("id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            creation: Arc::new(creation),
            status: word("status", &self.status)?,
            output: self.output.as_deref().map(|text| json("output", text)).transpose()?,
            error: self.error.as_deref().map(|text| json("error", text)).transpose()?,
            progress: Progress {
                completed_tasks: small("completed_tasks", self.completed_tasks)?,
                known_tasks: small("known_tasks", self.known_tasks)?,
            },
            attempt: small("attempt", self.attempt)?,
            restarts: small("restarts", self.restarts)?,
            last_crash: self.last_crash,
            recovered_in_ms: self.recovered_in_ms.map(|time| natural("recovered_in_ms", time)).transpose()?,
            pause_reason: self.pause_reason,
            last_seq: natural("last_seq", self.last_seq)?,
            last_position: natural("last_position", self.last_position)?,
            wake_at: self.wake_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(self.created_at),
            started_at: self.started_at.map(Timestamp::from_micros),
            finished_at: self.finished_at.map(Timestamp::from_micros),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

/// Rows with their large values put back.
pub(super) fn from_rows(connection: &mut AnyConnection, mut rows: Vec<Row>) -> Result<Vec<Execution>, Error> {
    let large = rows.iter_mut().flat_map(|row| std::iter::once(&mut row.input).chain(row.output.as_mut()));
    blobs::resolve(connection, large)?;
    rows.into_iter().map(Row::into_execution).collect()
}

pub(super) fn get(connection: &mut AnyConnection, tenant_id: TenantId, id: ExecutionId) -> Result<Execution, Error> {
    let row = executions::table
        .filter(executions::tenant_id.eq(tenant_id.to_string()).and(executions::id.eq(id.to_string())))
        .first::<Row>(connection)?;
    from_rows(connection, vec![row])?.pop().ok_or(Error::NotFound)
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Execution>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => {
            let count = filtered(tenant_id, filter, &filter.statuses).count().get_result::<i64>(connection)?;
            Some(natural("count", count)?)
        }
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let after = page.after()?;
    let rows = match page {
        PageRequest::Cursor { .. } => newest_of_each(connection, tenant_id, filter, after.as_ref(), limit)?,
        PageRequest::Numbered { .. } => {
            ordered(tenant_id, filter, &filter.statuses, None)?.limit(limit).offset(offset).load(connection)?
        }
    };
    let page = page.page(rows, total, |row| (row.created_at, row.created_position.to_string()));
    Ok(Page { items: from_rows(connection, page.items)?, next_cursor: page.next_cursor, total: page.total })
}

/// The first rows after a key. With several statuses each is asked for alone, which its index answers in order, and the
/// answers are merged; together the database would sort all there are.
fn newest_of_each(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &Filter,
    after: Option<&Key>,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    if filter.statuses.len() < 2 {
        return Ok(ordered(tenant_id, filter, &filter.statuses, after)?.limit(limit).load(connection)?);
    }
    let mut rows: Vec<Row> = Vec::new();
    for status in filter.statuses.iter().collect::<BTreeSet<_>>() {
        let query = ordered(tenant_id, filter, std::slice::from_ref(status), after)?;
        rows.extend(query.limit(limit).load::<Row>(connection)?);
    }
    rows.sort_by_key(|row| (row.created_at, row.created_position));
    if filter.sort == Sort::NewestFirst {
        rows.reverse();
    }
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

fn ordered<'a>(
    tenant_id: &'a str,
    filter: &'a Filter,
    statuses: &'a [Status],
    after: Option<&Key>,
) -> Result<executions::BoxedQuery<'a, MultiBackend>, Error> {
    let mut query = filtered(tenant_id, filter, statuses);
    query = match filter.sort {
        Sort::NewestFirst => query.order((executions::created_at.desc(), executions::created_position.desc())),
        Sort::OldestFirst => query.order((executions::created_at.asc(), executions::created_position.asc())),
    };
    if let Some((at, position)) = after {
        let position: i64 = position.parse().map_err(|_| Error::InvalidCursor)?;
        // The first condition bounds the index range, which no database sees in the second.
        query = match filter.sort {
            Sort::NewestFirst => query
                .filter(executions::created_at.le(*at))
                .filter(executions::created_at.lt(*at).or(executions::created_position.lt(position))),
            Sort::OldestFirst => query
                .filter(executions::created_at.ge(*at))
                .filter(executions::created_at.gt(*at).or(executions::created_position.gt(position))),
        };
    }
    Ok(query)
}

fn filtered<'a>(
    tenant_id: &'a str,
    filter: &'a Filter,
    statuses: &'a [Status],
) -> executions::BoxedQuery<'a, MultiBackend> {
    let mut query = executions::table.filter(executions::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>();
    if let Some(id) = filter.workflow_id {
        query = query.filter(executions::workflow_id.eq(id.to_string()));
    }
    if let Some((namespace, name)) = &filter.workflow {
        query = query.filter(executions::namespace.eq(namespace).and(executions::name.eq(name)));
    }
    if let Some(id) = filter.agent_id {
        query = query.filter(executions::agent_id.eq(id.to_string()));
    }
    if let Some(id) = &filter.project_id {
        query = query.filter(executions::project_id.eq(id));
    }
    if let Some(id) = filter.parent_execution_id {
        query = query.filter(executions::parent_execution_id.eq(id.to_string()));
    }
    if let Some(execution_type) = filter.execution_type {
        query = query.filter(executions::execution_type.eq(execution_type.as_str()));
    }
    match statuses {
        [] => {}
        [one] => query = query.filter(executions::status.eq(one.as_str())),
        several => {
            let words: Vec<&str> = several.iter().map(|status| status.as_str()).collect();
            query = query.filter(executions::status.eq_any(words));
        }
    }
    if let Some(name) = &filter.created_by {
        query = query.filter(executions::created_by.eq(name));
    }
    if let Some(at) = filter.created_after {
        query = query.filter(executions::created_at.gt(at.as_micros()));
    }
    if let Some(at) = filter.created_before {
        query = query.filter(executions::created_at.lt(at.as_micros()));
    }
    for (label, value) in &filter.labels {
        let labelled = execution_labels::table
            .filter(execution_labels::tenant_id.eq(tenant_id))
            .filter(execution_labels::label.eq(label))
            .filter(execution_labels::value.eq(value))
            .select(execution_labels::execution_id);
        query = query.filter(executions::id.eq_any(labelled));
    }
    if let Some(text) = &filter.text {
        let pattern = contains_pattern(text);
        query = query.filter(
            lower(executions::name)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(executions::namespace).like(pattern.clone()).escape('\\'))
                .or(executions::id.like(pattern.clone()).escape('\\'))
                .or(lower(executions::input).like(pattern.clone()).escape('\\'))
                .or(executions::created_by
                    .is_not_null()
                    .and(lower_or_null(executions::created_by).assume_not_null().like(pattern.clone()).escape('\\')))
                .or(executions::error
                    .is_not_null()
                    .and(lower_or_null(executions::error).assume_not_null().like(pattern).escape('\\'))),
        );
    }
    query
}

fn update(
    connection: &mut AnyConnection,
    tenant_id: TenantId,
    id: ExecutionId,
    priority: Option<u8>,
    labels: Option<BTreeMap<String, String>>,
    now: Timestamp,
) -> Result<Execution, Error> {
    let execution = get(connection, tenant_id, id)?;
    let (tenant_id, id) = (tenant_id.to_string(), id.to_string());
    let mut creation = append::without_input(&execution.creation);
    if let Some(labels) = labels {
        let of_this = execution_labels::tenant_id.eq(&tenant_id).and(execution_labels::execution_id.eq(&id));
        diesel::delete(execution_labels::table.filter(of_this)).execute(connection)?;
        for (label, value) in &labels {
            batch::insert_label(&tenant_id, &id, label, value).execute(connection)?;
        }
        creation.labels = labels;
    }
    creation.priority = priority.unwrap_or(creation.priority);
    let text = append::to_json(&creation)?;
    Statement::new(
        "UPDATE executions SET priority = ?, creation = ?, updated_at = ? WHERE tenant_id = ? AND id = ?",
        vec![
            Bind::Integer(i64::from(creation.priority)),
            Bind::Text(&text),
            Bind::Integer(now.as_micros()),
            Bind::Text(&tenant_id),
            Bind::Text(&id),
        ],
    )
    .execute(connection)?;
    creation.input = execution.creation.input.clone();
    Ok(Execution { creation: Arc::new(creation), updated_at: now, ..execution })
}
