//! The only way to write.

use super::Error;
use super::backend::on_backend;
use super::connection::AnyConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

/// Runs `work` in a transaction that may write from its first statement on; commits on `Ok`, rolls back on `Err`.
///
/// `BEGIN IMMEDIATE` on SQLite: a transaction that begins by reading and writes later fails with "database is locked" as
/// soon as somebody else has written in between, and no waiting helps it.
pub(super) fn write_tx<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    on_backend!(connection, inner => {
        sqlite: AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE"),
        postgres: AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN"),
    })?;
    match work(connection) {
        Ok(value) => {
            <AnyConnection as TransactionManager<AnyConnection>>::commit_transaction(connection)?;
            Ok(value)
        }
        Err(error) => {
            // The first error says what happened; a connection that cannot roll back is found broken by its owner.
            let _ = <AnyConnection as TransactionManager<AnyConnection>>::rollback_transaction(connection);
            Err(error)
        }
    }
}
