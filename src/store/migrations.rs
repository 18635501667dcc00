//! Schema versions: twin folders for the two databases, compiled in.
//!
//! Opening a store applies what is pending; going down is only ever done on request.

use super::backend::on_backend;
use super::connection::{AnyConnection, Location, Purpose};
use super::statement::Statement;
use super::{Error, lock};
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::HashSet;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// One migration and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    pub name: String,
    pub is_applied: bool,
}

/// Applies all pending migrations and returns their names.
///
/// # Errors
/// [`Error::Occupied`] while a service works on the database; [`Error::Migration`] with the reason.
pub fn migrate_up(url: &str) -> Result<Vec<String>, Error> {
    locked(url, apply_pending)
}

/// Takes the last `steps` migrations back and returns their names, newest first. Their tables and data are gone then.
///
/// # Errors
/// As [`migrate_up`].
pub fn migrate_down(url: &str, steps: usize) -> Result<Vec<String>, Error> {
    locked(url, |connection| {
        let mut reverted = Vec::new();
        for _ in 0..steps {
            let applied = on_backend!(connection, inner => {
                sqlite: names_applied(inner, SQLITE),
                postgres: names_applied(inner, POSTGRES),
            })?;
            let Some(last) = applied.last() else { break };
            on_backend!(connection, inner => {
                sqlite: inner.revert_last_migration(SQLITE).map(|_| ()).map_err(failed),
                postgres: inner.revert_last_migration(POSTGRES).map(|_| ()).map_err(failed),
            })?;
            reverted.push(last.clone());
        }
        Ok(reverted)
    })
}

/// All migrations this program knows, oldest first. Only looks: a service may be working on the database.
///
/// # Errors
/// [`Error::Unavailable`] when there is no database; [`Error::Migration`] with the reason.
pub fn migration_status(url: &str) -> Result<Vec<MigrationStatus>, Error> {
    let location = Location::parse(url)?;
    location.must_exist()?;
    let mut connection = location.connect(Purpose::Read)?;
    let known = match &connection {
        AnyConnection::Sqlite(_) => known::<Sqlite>(SQLITE)?,
        AnyConnection::Postgres(_) => known::<Pg>(POSTGRES)?,
    };
    let applied = if has_versions(&mut connection)? { versions_applied(&mut connection)? } else { HashSet::new() };
    let status = |(name, version)| MigrationStatus { is_applied: applied.contains(&version), name };
    Ok(known.into_iter().map(status).collect())
}

/// Whether any migration was ever applied to the database.
fn has_versions(connection: &mut AnyConnection) -> Result<bool, Error> {
    #[derive(QueryableByName)]
    struct Tables {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let sql = match connection {
        AnyConnection::Sqlite(_) => {
            "SELECT COUNT(*) AS count FROM sqlite_master WHERE type = 'table' AND name = '__diesel_schema_migrations'"
        }
        AnyConnection::Postgres(_) => {
            "SELECT COUNT(*) AS count FROM pg_tables \
             WHERE schemaname = current_schema() AND tablename = '__diesel_schema_migrations'"
        }
    };
    let tables: Tables = Statement::new(sql, Vec::new()).get_result(connection)?;
    Ok(tables.count > 0)
}

fn versions_applied(connection: &mut AnyConnection) -> Result<HashSet<String>, Error> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let applied = Statement::new("SELECT version FROM __diesel_schema_migrations", Vec::new());
    let applied: Vec<Applied> =
        applied.load(connection).map_err(|error| failed(format!("this is no database of Callboard: {error}")))?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}

/// Refuses a database that a newer version of this program has made.
///
/// # Errors
/// [`Error::Migration`] with the name of a migration that is not known.
pub(super) fn refuse_newer(connection: &mut AnyConnection) -> Result<(), Error> {
    let known = match connection {
        AnyConnection::Sqlite(_) => known::<Sqlite>(SQLITE)?,
        AnyConnection::Postgres(_) => known::<Pg>(POSTGRES)?,
    };
    let known: HashSet<String> = known.into_iter().map(|(_, version)| version).collect();
    match versions_applied(connection)?.difference(&known).next() {
        Some(version) => Err(failed(format!("version {version} of the schema is newer than this program"))),
        None => Ok(()),
    }
}

/// Brings the database up to date and returns the names of what was missing. Refuses one of a newer version.
pub(super) fn apply_pending(connection: &mut AnyConnection) -> Result<Vec<String>, Error> {
    let applied = on_backend!(connection, inner => {
        sqlite: apply(inner, SQLITE),
        postgres: apply(inner, POSTGRES),
    })?;
    refuse_newer(connection)?;
    Ok(applied)
}

fn locked<T>(url: &str, work: impl FnOnce(&mut AnyConnection) -> Result<T, Error>) -> Result<T, Error> {
    let location = Location::parse(url)?;
    let _file_lock = lock::lock_file(&location)?;
    lock::make_private(&location);
    let mut connection = location.connect(Purpose::Write)?;
    lock::lock_connection(&mut connection, &location)?;
    work(&mut connection)
}

fn apply<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    source: impl MigrationSource<DB>,
) -> Result<Vec<String>, Error> {
    let pending = connection.pending_migrations(source).map_err(failed)?;
    pending
        .iter()
        .map(|migration| {
            let name = migration.name().to_string();
            connection.run_migration(migration).map_err(|error| failed(format!("{name}: {error}")))?;
            tracing::info!(migration = name, "applied");
            Ok(name)
        })
        .collect()
}

/// Name and version of every migration, oldest first.
fn known<DB: Backend>(source: impl MigrationSource<DB>) -> Result<Vec<(String, String)>, Error> {
    let migrations = source.migrations().map_err(failed)?;
    let names = migrations.iter().map(|migration| migration.name());
    let mut known: Vec<(String, String)> = names.map(|name| (name.to_string(), name.version().to_string())).collect();
    known.sort();
    Ok(known)
}

/// Oldest first.
fn names_applied<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    source: impl MigrationSource<DB>,
) -> Result<Vec<String>, Error> {
    let applied: HashSet<String> =
        connection.applied_migrations().map_err(failed)?.iter().map(|version| version.to_string()).collect();
    let mut names: Vec<String> = source
        .migrations()
        .map_err(failed)?
        .iter()
        .filter(|migration| applied.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort();
    Ok(names)
}

fn failed(reason: impl ToString) -> Error {
    Error::Migration { reason: reason.to_string() }
}
