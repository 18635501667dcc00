//! Numbers that never fall: the position below which nothing new is ever written, whatever has been deleted, so that cursors
//! that were handed out stay valid; and how often the database was opened, which tells a process that lost its connection
//! whether another one has worked on it since.

use super::Error;
use super::connection::AnyConnection;
use super::schema::{journal, watermarks};
use super::statement::Statement;
use diesel::prelude::*;

const POSITION: &str = "position";
const OPENINGS: &str = "openings";

/// How often the database was opened for a service.
pub(super) fn openings(connection: &mut AnyConnection) -> Result<i64, Error> {
    let known = watermarks::table.find(OPENINGS).select(watermarks::value).first::<i64>(connection).optional()?;
    Ok(known.unwrap_or(0))
}

/// Counts one more opening. To be called by who holds the lock, in a transaction.
pub(super) fn count_opening(connection: &mut AnyConnection) -> Result<i64, Error> {
    Statement::new(
        "INSERT INTO watermarks (name, value) VALUES ('openings', 1) \
         ON CONFLICT (name) DO UPDATE SET value = watermarks.value + 1",
        Vec::new(),
    )
    .execute(connection)?;
    openings(connection)
}

/// The newest position that was ever written; 0 in a store that never was.
pub(super) fn last_position(connection: &mut AnyConnection) -> Result<u64, Error> {
    let last = journal::table.select(diesel::dsl::max(journal::position)).first::<Option<i64>>(connection)?;
    let mark = watermarks::table.find(POSITION).select(watermarks::value).first::<i64>(connection).optional()?;
    Ok(last.max(mark).and_then(|last| u64::try_from(last).ok()).unwrap_or(0))
}

/// To be called before rows of the journal are deleted, in the same transaction.
pub(super) fn keep_position(connection: &mut AnyConnection) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO watermarks (name, value) VALUES ('position', COALESCE((SELECT MAX(position) FROM journal), 0)) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > watermarks.value",
        Vec::new(),
    )
    .execute(connection)?;
    Ok(())
}
