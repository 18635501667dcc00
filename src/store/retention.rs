//! What tenants have decided about keeping, and which executions are past it. Deleting them is `removal`'s work.
//!
//! Executions go by families: one without a parent, and everything that descends from it. A family is due when all of it
//! has ended and is past retention, so no execution that is kept loses its children or its parent.

use super::column_types::{small, word};
use super::connection::{AnyConnection, MultiBackend};
use super::schema::{executions, retention_policies};
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::{
    ExecutionId, Retention, RetentionChoice, RetentionPolicy, RetentionRule, Status, TenantId, Timestamp,
};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Ids in one `IN` list.
const IDS_PER_READ: usize = 500;

/// From where on executions of one status are let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    finished_before: Option<Timestamp>,
    /// Creation time and position of the newest one that is too many.
    created_until: Option<(i64, i64)>,
}

/// What is past retention at one moment, by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    succeeded: Edge,
    failed: Edge,
    cancelled: Edge,
}

/// An execution that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueExecution {
    pub id: ExecutionId,
    pub status: Status,
    pub finished_at: Timestamp,
}

/// Some of the families whose first member has a given status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DuePage {
    /// Each with its descendants first.
    pub families: Vec<Vec<DueExecution>>,
    /// Where the next page begins; absent when there is none.
    pub next: Option<DueCursor>,
}

/// A place among the executions of one status, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueCursor(i64, i64);

impl Edge {
    /// The newest creation that can be due.
    fn last_creation(&self) -> Option<i64> {
        let by_age = self.finished_before.map(Timestamp::as_micros);
        by_age.max(self.created_until.map(|(created_at, _)| created_at))
    }

    fn lets_go(&self, row: &Row) -> bool {
        let by_age = self.finished_before.is_some_and(|edge| row.finished_at.is_some_and(|at| at < edge.as_micros()));
        let place = (row.created_at, row.created_position);
        by_age || (row.finished_at.is_some() && self.created_until.is_some_and(|edge| place <= edge))
    }
}

impl Edges {
    fn of(&self, status: Status) -> Option<&Edge> {
        match status {
            Status::Succeeded => Some(&self.succeeded),
            Status::Failed => Some(&self.failed),
            Status::Cancelled => Some(&self.cancelled),
            Status::Pending | Status::Running | Status::Waiting | Status::Paused => None,
        }
    }
}

impl Store {
    /// What the tenant has decided; nothing when it never has.
    pub async fn retention_policy(&self, tenant_id: TenantId) -> Result<RetentionPolicy, Error> {
        self.read(move |connection| policy(connection, &tenant_id.to_string())).await
    }

    /// Replaces what the tenant has decided.
    pub async fn set_retention_policy(
        &self,
        tenant_id: TenantId,
        policy: RetentionPolicy,
        by: Option<String>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        self.write(move |connection| set_policy(connection, &tenant_id.to_string(), &policy, by.as_deref(), now)).await
    }

    /// Every tenant that has executions or usage records.
    pub async fn tenants_with_executions(&self) -> Result<Vec<TenantId>, Error> {
        self.read(|connection| {
            let mut found = Vec::new();
            let mut last = String::new();
            while let Some(next) = next_tenant(connection, &last)? {
                found.push(word("tenant id", &next)?);
                last = next;
            }
            Ok(found)
        })
        .await
    }

    /// From where on a tenant's executions are let go under a policy.
    pub async fn retention_edges(&self, tenant_id: TenantId, retention: Retention) -> Result<Edges, Error> {
        let now = self.clock.now();
        self.read(move |connection| {
            let mut edge = |status, rule: RetentionRule| {
                let created_until = surplus(connection, &tenant_id.to_string(), status, rule.count)?;
                Ok::<_, Error>(Edge { finished_before: rule.finished_before(now), created_until })
            };
            Ok(Edges {
                succeeded: edge(Status::Succeeded, retention.succeeded)?,
                failed: edge(Status::Failed, retention.failed)?,
                cancelled: edge(Status::Cancelled, retention.cancelled)?,
            })
        })
        .await
    }

    /// Families that are due, oldest first, looking at most at `limit` executions with the status of their first member.
    pub async fn due_families(
        &self,
        tenant_id: TenantId,
        edges: Edges,
        status: Status,
        after: Option<DueCursor>,
        limit: u32,
    ) -> Result<DuePage, Error> {
        self.read(move |connection| due(connection, &tenant_id.to_string(), &edges, status, after, limit)).await
    }
}

type PolicyRow = (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn policy(connection: &mut AnyConnection, tenant_id: &str) -> Result<RetentionPolicy, Error> {
    use retention_policies as columns;
    let row = columns::table
        .find(tenant_id)
        .select((
            columns::succeeded_days,
            columns::succeeded_count,
            columns::failed_days,
            columns::failed_count,
            columns::cancelled_days,
            columns::cancelled_count,
            columns::usage_days,
        ))
        .first::<PolicyRow>(connection)
        .optional()?;
    let Some(row) = row else { return Ok(RetentionPolicy::default()) };
    let number = |value: Option<i64>| value.map(|number| small("retention", number)).transpose();
    let choice = |days, count| Ok::<_, Error>(RetentionChoice { days: number(days)?, count: number(count)? });
    Ok(RetentionPolicy {
        succeeded: choice(row.0, row.1)?,
        failed: choice(row.2, row.3)?,
        cancelled: choice(row.4, row.5)?,
        usage_days: number(row.6)?,
    })
}

fn set_policy(
    connection: &mut AnyConnection,
    tenant_id: &str,
    policy: &RetentionPolicy,
    by: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let number = |value: Option<u32>| Bind::OptionalInteger(value.map(i64::from));
    Statement::new(
        "INSERT INTO retention_policies (tenant_id, succeeded_days, succeeded_count, failed_days, failed_count, \
         cancelled_days, cancelled_count, usage_days, updated_by, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant_id) DO UPDATE SET succeeded_days = excluded.succeeded_days, \
         succeeded_count = excluded.succeeded_count, failed_days = excluded.failed_days, \
         failed_count = excluded.failed_count, cancelled_days = excluded.cancelled_days, \
         cancelled_count = excluded.cancelled_count, usage_days = excluded.usage_days, \
         updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        vec![
            Bind::Text(tenant_id),
            number(policy.succeeded.days),
            number(policy.succeeded.count),
            number(policy.failed.days),
            number(policy.failed.count),
            number(policy.cancelled.days),
            number(policy.cancelled.count),
            number(policy.usage_days),
            Bind::OptionalText(by),
            Bind::Integer(now.as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(())
}

/// The tenant after `last` in the order of ids; each step is one look into an index.
fn next_tenant(connection: &mut AnyConnection, last: &str) -> Result<Option<String>, Error> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
        tenant_id: Option<String>,
    }
    let next: Next = Statement::new(
        "SELECT MIN(tenant_id) AS tenant_id FROM ( \
         SELECT MIN(tenant_id) AS tenant_id FROM executions WHERE tenant_id > ? \
         UNION ALL SELECT MIN(tenant_id) AS tenant_id FROM usage_records WHERE tenant_id > ?) AS next",
        vec![Bind::Text(last), Bind::Text(last)],
    )
    .get_result(connection)?;
    Ok(next.tenant_id)
}

/// The newest execution beyond the `count` newest of a status.
fn surplus(
    connection: &mut AnyConnection,
    tenant_id: &str,
    status: Status,
    count: u32,
) -> Result<Option<(i64, i64)>, Error> {
    if count == 0 {
        return Ok(None);
    }
    let found = executions::table
        .filter(executions::status.eq(status.as_str()).and(executions::tenant_id.eq(tenant_id)))
        .order((executions::created_at.desc(), executions::created_position.desc()))
        .offset(i64::from(count))
        .select((executions::created_at, executions::created_position))
        .first::<(i64, i64)>(connection)
        .optional()?;
    Ok(found)
}

#[derive(Clone, Queryable)]
struct Row {
    id: String,
    status: String,
    created_at: i64,
    created_position: i64,
    finished_at: Option<i64>,
    parent_execution_id: Option<String>,
}

const COLUMNS: (
    executions::id,
    executions::status,
    executions::created_at,
    executions::created_position,
    executions::finished_at,
    executions::parent_execution_id,
) = (
    executions::id,
    executions::status,
    executions::created_at,
    executions::created_position,
    executions::finished_at,
    executions::parent_execution_id,
);

fn due(
    connection: &mut AnyConnection,
    tenant_id: &str,
    edges: &Edges,
    status: Status,
    after: Option<DueCursor>,
    limit: u32,
) -> Result<DuePage, Error> {
    let Some((edge, last_creation)) = edges.of(status).and_then(|edge| Some((edge, edge.last_creation()?))) else {
        return Ok(DuePage::default());
    };
    let mut query = executions::table
        .filter(executions::status.eq(status.as_str()).and(executions::tenant_id.eq(tenant_id)))
        .filter(executions::created_at.le(last_creation))
        .into_boxed::<MultiBackend>();
    if let Some(DueCursor(created_at, position)) = after {
        query = query.filter(executions::created_at.ge(created_at)).filter(
            executions::created_at
                .gt(created_at)
                .or(executions::created_at.eq(created_at).and(executions::created_position.gt(position))),
        );
    }
    let rows = query
        .order((executions::created_at, executions::created_position))
        .limit(i64::from(limit.max(1)))
        .select(COLUMNS)
        .load::<Row>(connection)?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|length| length >= limit.max(1));
    let next = rows.last().filter(|_| is_full).map(|last| DueCursor(last.created_at, last.created_position));
    let candidates: Vec<Row> = rows.into_iter().filter(|row| edge.lets_go(row)).collect();
    let parents = candidates.iter().filter_map(|row| row.parent_execution_id.clone()).collect();
    let parents = existing(connection, tenant_id, parents)?;
    let is_first = |row: &Row| row.parent_execution_id.as_ref().is_none_or(|parent| !parents.contains(parent));
    let firsts = candidates.into_iter().filter(is_first).collect();
    Ok(DuePage { families: families(connection, tenant_id, edges, firsts)?, next })
}

fn existing(connection: &mut AnyConnection, tenant_id: &str, ids: HashSet<String>) -> Result<HashSet<String>, Error> {
    let ids: Vec<String> = ids.into_iter().collect();
    let mut found = HashSet::new();
    for chunk in ids.chunks(IDS_PER_READ) {
        let known = executions::table
            .filter(executions::tenant_id.eq(tenant_id).and(executions::id.eq_any(chunk)))
            .select(executions::id)
            .load::<String>(connection)?;
        found.extend(known);
    }
    Ok(found)
}

/// The families of `firsts` that are due as a whole, generation by generation.
fn families(
    connection: &mut AnyConnection,
    tenant_id: &str,
    edges: &Edges,
    firsts: Vec<Row>,
) -> Result<Vec<Vec<DueExecution>>, Error> {
    let mut families: Vec<Option<Vec<DueExecution>>> = Vec::with_capacity(firsts.len());
    // The generation at hand, with the family each of it belongs to.
    let mut generation: HashMap<String, usize> = HashMap::new();
    for (index, first) in firsts.into_iter().enumerate() {
        families.push(Some(vec![due_execution(&first)?]));
        generation.insert(first.id, index);
    }
    while !generation.is_empty() {
        let mut next = HashMap::new();
        for child in children(connection, tenant_id, generation.keys().cloned().collect())? {
            let family = child.parent_execution_id.as_ref().and_then(|parent| generation.get(parent)).copied();
            let Some((index, slot)) = family.and_then(|index| Some((index, families.get_mut(index)?))) else {
                continue;
            };
            let status: Status = word("status", &child.status)?;
            if !edges.of(status).is_some_and(|edge| edge.lets_go(&child)) {
                *slot = None;
            } else if let Some(members) = slot {
                members.push(due_execution(&child)?);
                next.insert(child.id, index);
            }
        }
        generation = next;
    }
    let whole = families.into_iter().flatten();
    Ok(whole.map(|members| members.into_iter().rev().collect()).collect())
}

fn children(connection: &mut AnyConnection, tenant_id: &str, parents: Vec<String>) -> Result<Vec<Row>, Error> {
    let mut found = Vec::new();
    for chunk in parents.chunks(IDS_PER_READ) {
        let rows = executions::table
            .filter(executions::tenant_id.eq(tenant_id).and(executions::parent_execution_id.eq_any(chunk)))
            .select(COLUMNS)
            .load::<Row>(connection)?;
        found.extend(rows);
    }
    Ok(found)
}

fn due_execution(row: &Row) -> Result<DueExecution, Error> {
    Ok(DueExecution {
        id: word("id", &row.id)?,
        status: word("status", &row.status)?,
        finished_at: Timestamp::from_micros(row.finished_at.unwrap_or_default()),
    })
}
