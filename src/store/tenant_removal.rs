//! Deleting a tenant: a note that outlives the process, then everything that bears the tenant's id, whichever table it is
//! in. The tables are asked of the database, so that a new one cannot be forgotten.
//!
//! Executions are not deleted here: they go the way of `removal`, which knows their journals and blobs.

use super::column_types::word;
use super::connection::AnyConnection;
use super::schema::{executions, removed_executions, tenant_removals, tenants};
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::{TenantId, Timestamp};
use diesel::prelude::*;
use diesel::sql_types::Text;

/// Tables that empty themselves with the executions, or with the note.
const LATER: &[&str] = &["executions", "journal", "logs", "snapshots", "removed_executions", "tenant_removals"];

/// A tenant that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRemoval {
    pub tenant_id: TenantId,
    pub requested_by: Option<String>,
    pub requested_at: Timestamp,
}

impl Store {
    /// Notes that a tenant is to be deleted. A second note changes nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] for the default tenant: what comes with the program belongs to it.
    pub async fn begin_tenant_removal(&self, tenant_id: TenantId, by: Option<String>) -> Result<(), Error> {
        if tenant_id == TenantId::DEFAULT {
            return Err(Error::Conflict { message: "the default tenant cannot be deleted".to_owned() });
        }
        let now = self.clock.now();
        self.write(move |connection| {
            let tenant_id = tenant_id.to_string();
            Statement::new(
                "INSERT INTO tenant_removals (tenant_id, requested_by, requested_at) VALUES (?, ?, ?) \
                 ON CONFLICT (tenant_id) DO NOTHING",
                vec![Bind::Text(&tenant_id), Bind::OptionalText(by.as_deref()), Bind::Integer(now.as_micros())],
            )
            .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// The tenants that are being deleted, oldest request first.
    pub async fn tenant_removals(&self) -> Result<Vec<TenantRemoval>, Error> {
        self.read(|connection| {
            let rows = tenant_removals::table
                .order(tenant_removals::requested_at)
                .load::<(String, Option<String>, i64)>(connection)?;
            rows.into_iter()
                .map(|(tenant_id, requested_by, requested_at)| {
                    let requested_at = Timestamp::from_micros(requested_at);
                    Ok(TenantRemoval { tenant_id: word("tenant id", &tenant_id)?, requested_by, requested_at })
                })
                .collect()
        })
        .await
    }

    /// The tables whose rows [`Store::sweep_tenant`] deletes.
    pub async fn tenant_tables(&self) -> Result<Vec<String>, Error> {
        self.read(|connection| {
            let tables = tables(connection)?;
            Ok(tables.into_iter().filter(|table| !LATER.contains(&table.as_str())).collect())
        })
        .await
    }

    /// Deletes up to `limit` rows of a tenant from one table and returns their number.
    ///
    /// # Errors
    /// [`Error::Database`] while rows of another table refer to them.
    pub async fn sweep_tenant(&self, tenant_id: TenantId, table: String, limit: u32) -> Result<usize, Error> {
        // Nobody is let in any more who might be remembered: the tenant is not active.
        self.write(move |connection| sweep(connection, &tenant_id.to_string(), &table, limit)).await
    }

    /// Deletes the note and the tenant itself, unless an execution of the tenant is still there. Returns whether the tenant is gone.
    pub async fn finish_tenant_removal(&self, tenant_id: TenantId) -> Result<bool, Error> {
        self.write_people(move |connection| {
            let tenant_id = tenant_id.to_string();
            let execution = executions::table
                .filter(executions::tenant_id.eq(&tenant_id))
                .select(executions::created_position)
                .first::<i64>(connection)
                .optional()?;
            let rest = removed_executions::table
                .filter(removed_executions::tenant_id.eq(&tenant_id))
                .select(removed_executions::execution_id)
                .first::<String>(connection)
                .optional()?;
            if execution.is_some() || rest.is_some() {
                return Ok(false);
            }
            diesel::delete(tenants::table.find(&tenant_id)).execute(connection)?;
            diesel::delete(tenant_removals::table.find(&tenant_id)).execute(connection)?;
            Ok(true)
        })
        .await
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Every table with a column `tenant_id`.
fn tables(connection: &mut AnyConnection) -> Result<Vec<String>, Error> {
    let sql = match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT m.name AS name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND c.name = 'tenant_id' ORDER BY m.name"
        }
        AnyConnection::Postgres(_) => {
            "SELECT table_name::text AS name FROM information_schema.columns \
             WHERE table_schema = current_schema() AND column_name = 'tenant_id' ORDER BY 1"
        }
    };
    let names: Vec<Name> = Statement::new(sql, Vec::new()).load(connection)?;
    Ok(names.into_iter().map(|row| row.name).collect())
}

/// The columns of a table's primary key.
fn key(connection: &mut AnyConnection, table: &str) -> Result<Vec<String>, Error> {
    let sql = match connection {
        AnyConnection::Sqlite(_) => "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
        AnyConnection::Postgres(_) => {
            "SELECT c.column_name::text AS name FROM information_schema.table_constraints AS t \
             JOIN information_schema.key_column_usage AS c ON c.constraint_schema = t.constraint_schema \
             AND c.constraint_name = t.constraint_name AND c.table_name = t.table_name \
             WHERE t.table_schema = current_schema() AND t.table_name = ? AND t.constraint_type = 'PRIMARY KEY' \
             ORDER BY c.ordinal_position"
        }
    };
    let names: Vec<Name> = Statement::new(sql, vec![Bind::Text(table)]).load(connection)?;
    Ok(names.into_iter().map(|row| row.name).collect())
}

fn sweep(connection: &mut AnyConnection, tenant_id: &str, table: &str, limit: u32) -> Result<usize, Error> {
    // The names come from the database's own catalog; quoted, none of them can be anything else.
    let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = key(connection, table)?.iter().map(quoted).collect();
    let table = quoted(&table.to_owned());
    let columns = columns.join(", ");
    if columns.is_empty() {
        return Err(Error::corrupt("schema", format!("table {table} has no primary key")));
    }
    let sql = format!(
        "DELETE FROM {table} WHERE ({columns}) IN (SELECT {columns} FROM {table} WHERE tenant_id = {} LIMIT {limit})",
        match connection {
            AnyConnection::Sqlite(_) => "?",
            AnyConnection::Postgres(_) => "$1",
        }
    );
    Ok(diesel::sql_query(sql).bind::<Text, _>(tenant_id).execute(connection)?)
}
