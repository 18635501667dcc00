//! What failed or was cancelled and is done again: who goes on with it is noted in the transaction that creates the new
//! execution.
//!
//! A note goes with the execution that it is about, and outlives the one that it names: what has been done again does not
//! become a failure to look after because retention has deleted the success.

use super::Error;
use super::append::Append;
use super::column_types::word;
use super::connection::AnyConnection;
use super::schema::continued_executions;
use super::statement::{Bind, Statement};
use crate::domain::{Execution, ExecutionId, Status};
use diesel::prelude::*;
use std::collections::HashMap;

impl Append {
    /// Names children of the execution that is retried which the new one does not take over but starts anew: it goes on with
    /// them, and with all below them.
    #[must_use]
    pub fn doing_again(mut self, children: impl IntoIterator<Item = ExecutionId>) -> Self {
        if let Some(create) = &mut self.create {
            create.parts_done_again = children.into_iter().map(|child| child.to_string()).collect();
        }
        self
    }
}

/// Notes the execution that an append creates on those that it goes on with. Of several the newest stays noted, whichever is
/// stored last.
pub(super) fn write(connection: &mut AnyConnection, append: &Append) -> Result<(), Error> {
    let (Some(create), Some(origin)) = (&append.create, append.subject.creation.continues()) else { return Ok(()) };
    let (tenant_id, id) = (append.row.tenant_id.as_str(), append.row.execution_id.as_str());
    let origin = origin.to_string();
    Statement::new(
        "INSERT INTO continued_executions (tenant_id, execution_id, continued_by) \
         SELECT tenant_id, id, ? FROM executions \
         WHERE tenant_id = ? AND id = ? AND status IN ('failed', 'cancelled') \
         ON CONFLICT (tenant_id, execution_id) DO UPDATE SET continued_by = excluded.continued_by \
         WHERE continued_executions.continued_by < excluded.continued_by",
        vec![Bind::Text(id), Bind::Text(tenant_id), Bind::Text(&origin)],
    )
    .execute(connection)?;
    for part in &create.parts_done_again {
        Statement::new(
            "WITH RECURSIVE part (id, status) AS (SELECT id, status FROM executions WHERE tenant_id = ? AND id = ? \
             UNION ALL SELECT child.id, child.status FROM part JOIN executions AS child \
             ON child.tenant_id = ? AND child.parent_execution_id = part.id) \
             INSERT INTO continued_executions (tenant_id, execution_id, continued_by) \
             SELECT ?, id, ? FROM part WHERE status IN ('failed', 'cancelled') \
             ON CONFLICT (tenant_id, execution_id) DO UPDATE SET continued_by = excluded.continued_by \
             WHERE continued_executions.continued_by < excluded.continued_by",
            vec![Bind::Text(tenant_id), Bind::Text(part), Bind::Text(tenant_id), Bind::Text(tenant_id), Bind::Text(id)],
        )
        .execute(connection)?;
    }
    Ok(())
}

/// Fills in who goes on with those that have failed or were cancelled.
pub(super) fn resolve(connection: &mut AnyConnection, executions: &mut [Execution]) -> Result<(), Error> {
    let ended = executions.iter().filter(|one| matches!(one.status, Status::Failed | Status::Cancelled));
    let (tenants, ids): (Vec<String>, Vec<String>) =
        ended.map(|one| (one.tenant_id.to_string(), one.id.to_string())).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = continued_executions::table
        .filter(continued_executions::tenant_id.eq_any(tenants))
        .filter(continued_executions::execution_id.eq_any(ids))
        .load::<(String, String, String)>(connection)?;
    let found: HashMap<(String, String), String> =
        rows.into_iter().map(|(tenant_id, id, continued_by)| ((tenant_id, id), continued_by)).collect();
    if found.is_empty() {
        return Ok(());
    }
    for one in executions {
        let continued_by = found.get(&(one.tenant_id.to_string(), one.id.to_string()));
        one.continued_by = continued_by.map(|id| word("continued_by", id)).transpose()?;
    }
    Ok(())
}
