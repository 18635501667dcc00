//! Reading executions: one, lists with filters, children; and the few details of one that change outside its journal.

use super::column_types::{json, natural, small, word};
use super::connection::AnyConnection;
use super::page::{Page, PageRequest};
use super::schema::{execution_labels, executions};
use super::statement::{Bind, Statement};
use super::{Error, Store, append, batch, blobs, continuing, creation, lists};
use crate::domain::{
    AgentId, Creation, Execution, ExecutionId, ExecutionType, Progress, Status, TenantId, Timestamp, WorkflowId,
};
use diesel::prelude::*;
use std::collections::BTreeMap;
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
    /// Whether another one goes on with it. No index knows: it is looked for as a text is.
    pub is_continued: Option<bool>,
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
        self.read(move |connection| lists::list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// What is running or waiting, newest first, at most `limit`.
    pub async fn active_executions(
        &self,
        tenant_id: TenantId,
        created_by: Option<String>,
        limit: u32,
    ) -> Result<Vec<Execution>, Error> {
        let statuses = vec![Status::Running, Status::Waiting];
        let filter = Filter { statuses, created_by, ..Filter::default() };
        self.read(move |connection| lists::first(connection, &tenant_id.to_string(), &filter, limit)).await
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
    pub tenant_id: String,
    pub id: String,
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
    pause_limit: Option<String>,
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
            pause_limit: self.pause_limit.as_deref().map(|limit| word("pause_limit", limit)).transpose()?,
            continued_by: None,
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

/// Rows with their large values put back, and whoever goes on with them.
pub(super) fn from_rows(connection: &mut AnyConnection, mut rows: Vec<Row>) -> Result<Vec<Execution>, Error> {
    let large = rows.iter_mut().flat_map(|row| std::iter::once(&mut row.input).chain(row.output.as_mut()));
    blobs::resolve(connection, large)?;
    let mut executions = rows.into_iter().map(Row::into_execution).collect::<Result<Vec<_>, _>>()?;
    continuing::resolve(connection, &mut executions)?;
    Ok(executions)
}

pub(super) fn get(connection: &mut AnyConnection, tenant_id: TenantId, id: ExecutionId) -> Result<Execution, Error> {
    let row = executions::table
        .filter(executions::tenant_id.eq(tenant_id.to_string()).and(executions::id.eq(id.to_string())))
        .first::<Row>(connection)?;
    from_rows(connection, vec![row])?.pop().ok_or(Error::NotFound)
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
    let mut creation = creation::without_input(&execution.creation);
    if let Some(labels) = labels {
        let of_this = execution_labels::tenant_id.eq(&tenant_id).and(execution_labels::execution_id.eq(&id));
        diesel::delete(execution_labels::table.filter(of_this)).execute(connection)?;
        let position = executions::table
            .filter(executions::tenant_id.eq(&tenant_id).and(executions::id.eq(&id)))
            .select(executions::created_position)
            .first::<i64>(connection)?;
        for (label, value) in &labels {
            batch::insert_label(&tenant_id, &id, (execution.created_at.as_micros(), position), label, value)
                .execute(connection)?;
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
