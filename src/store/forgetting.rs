//! What grows beside the executions and is let go in the course of time: old usage records of deleted executions, and
//! definitions that nothing refers to any more.

use super::backend::on_backend;
use super::connection::AnyConnection;
use super::schema::usage_records;
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::{TenantId, Timestamp};
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A definition's key.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct DefinitionKey {
    #[diesel(sql_type = Text)]
    tenant_id: String,
    #[diesel(sql_type = Text)]
    digest: String,
}

/// `FROM definitions` with the condition that nothing refers to one, for each database: a version of a workflow does, and
/// an execution of a definition that was not registered.
macro_rules! orphaned {
    ($before:literal, $digest:literal, $after:literal) => {
        concat!(
            $before,
            " FROM definitions WHERE NOT EXISTS (SELECT 1 FROM workflows WHERE workflows.tenant_id = definitions.tenant_id \
             AND workflows.digest = definitions.digest) AND NOT EXISTS (SELECT 1 FROM executions \
             WHERE executions.tenant_id = definitions.tenant_id AND executions.workflow_id IS NULL AND ",
            $digest,
            " = definitions.digest) ",
            $after
        )
    };
}

impl Store {
    /// Deletes up to `limit` of a tenant's usage records from before an instant, unless their execution is still there.
    pub async fn forget_usage(&self, tenant_id: TenantId, before: Timestamp, limit: u32) -> Result<usize, Error> {
        let tenant = tenant_id.to_string();
        let found = self.read(move |connection| old_usage(connection, &tenant, before, limit)).await?;
        if found.is_empty() {
            return Ok(0);
        }
        self.write(move |connection| {
            let mut deleted = 0;
            for (execution_id, seq) in found {
                deleted += diesel::delete(usage_records::table.find((execution_id, seq))).execute(connection)?;
            }
            Ok(deleted)
        })
        .await
    }

    /// Up to `limit` definitions that nothing refers to.
    pub async fn orphaned_definitions(&self, limit: u32) -> Result<Vec<DefinitionKey>, Error> {
        self.read(move |connection| {
            let limit = vec![Bind::Integer(i64::from(limit))];
            let found = on_backend!(connection, inner => {
                sqlite: Statement::new(
                    orphaned!(
                        "SELECT tenant_id, digest",
                        "json_extract(executions.creation, '$.definition.digest')",
                        "LIMIT ?"
                    ),
                    limit,
                ).load(inner),
                postgres: Statement::new(
                    orphaned!(
                        "SELECT tenant_id, digest",
                        "((executions.creation::json) #>> '{definition,digest}')",
                        "LIMIT ?"
                    ),
                    limit,
                ).load(inner),
            });
            Ok(found?)
        })
        .await
    }

    /// Deletes those of the definitions that nothing refers to even now, and returns their number.
    pub async fn forget_definitions(&self, keys: Vec<DefinitionKey>) -> Result<usize, Error> {
        self.write(move |connection| keys.iter().map(|key| forget_definition(connection, key)).sum()).await
    }
}

fn old_usage(
    connection: &mut AnyConnection,
    tenant_id: &str,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(String, i64)>, Error> {
    #[derive(QueryableByName)]
    struct Key {
        #[diesel(sql_type = Text)]
        execution_id: String,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        seq: i64,
    }
    let found: Vec<Key> = Statement::new(
        "SELECT execution_id, seq FROM usage_records WHERE tenant_id = ? AND at < ? AND NOT EXISTS \
         (SELECT 1 FROM executions WHERE executions.tenant_id = usage_records.tenant_id \
         AND executions.id = usage_records.execution_id) ORDER BY at LIMIT ?",
        vec![Bind::Text(tenant_id), Bind::Integer(before.as_micros()), Bind::Integer(i64::from(limit))],
    )
    .load(connection)?;
    Ok(found.into_iter().map(|key| (key.execution_id, key.seq)).collect())
}

fn forget_definition(connection: &mut AnyConnection, key: &DefinitionKey) -> Result<usize, Error> {
    let binds = vec![Bind::Text(&key.tenant_id), Bind::Text(&key.digest)];
    let deleted = on_backend!(connection, inner => {
        sqlite: Statement::new(
            orphaned!(
                "DELETE",
                "json_extract(executions.creation, '$.definition.digest')",
                "AND tenant_id = ? AND digest = ?"
            ),
            binds,
        ).execute(inner),
        postgres: Statement::new(
            orphaned!(
                "DELETE",
                "((executions.creation::json) #>> '{definition,digest}')",
                "AND tenant_id = ? AND digest = ?"
            ),
            binds,
        ).execute(inner),
    });
    Ok(deleted?)
}
