//! One process per database: a lock beside the SQLite file, an advisory lock on PostgreSQL.
//!
//! Both end with the process, however it ends.

use super::Error;
use super::connection::{AnyConnection, Location};
use super::statement::Statement;
use diesel::prelude::*;
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The advisory lock's number: the ASCII of "callboar".
const ADVISORY_LOCK: &str = "SELECT pg_try_advisory_lock(7161129145055437170) AS locked";

/// How long the lock of a process that has just died may linger on a PostgreSQL server.
const LINGER: Duration = Duration::from_secs(3);
const LINGER_POLL: Duration = Duration::from_millis(50);

/// Held as long as the store is open. On PostgreSQL the lock lives in the writer's connection instead.
#[derive(Debug)]
pub(super) struct FileLock(#[expect(dead_code, reason = "the lock ends when the file is closed")] File);

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    locked: bool,
}

/// Takes the lock beside a SQLite file; nothing to do for PostgreSQL.
pub(super) fn lock_file(location: &Location) -> Result<Option<FileLock>, Error> {
    let Location::Sqlite(path) = location else {
        return Ok(None);
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    if let Some(directory) = name.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)
            .map_err(|error| Error::unavailable(format!("cannot create {}: {error}", directory.display())))?;
    }
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&name)
        .map_err(|error| Error::unavailable(format!("cannot open {}: {error}", name.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock(file))),
        Err(TryLockError::WouldBlock) => Err(occupied(&format!("{location:?}"))),
        Err(TryLockError::Error(error)) => Err(Error::unavailable(format!("cannot lock {}: {error}", name.display()))),
    }
}

/// Makes a SQLite file that is not there yet, for its owner only: SQLite gives the files beside it the same permissions. To be
/// done under the lock: nobody may have it open, whose own locks on it would end when it is closed here.
pub(super) fn make_private(location: &Location) {
    if let Location::Sqlite(path) = location {
        // What keeps a file from being made SQLite tells in its own words.
        let _ = File::options().write(true).create_new(true).mode(0o600).open(path);
    }
}

/// Takes the advisory lock for the life of this connection; nothing to do for SQLite.
pub(super) fn lock_connection(connection: &mut AnyConnection, location: &Location) -> Result<(), Error> {
    if matches!(connection, AnyConnection::Sqlite(_)) {
        return Ok(());
    }
    let begin = Instant::now();
    loop {
        let answer: Locked = Statement::new(ADVISORY_LOCK, Vec::new()).get_result(connection)?;
        if answer.locked {
            return Ok(());
        }
        if begin.elapsed() >= LINGER {
            return Err(occupied(&format!("{location:?}")));
        }
        std::thread::sleep(LINGER_POLL);
    }
}

fn occupied(shown: &str) -> Error {
    let message = format!("another process works on {shown}; stop it first, or give this one a database of its own");
    Error::Occupied { message }
}
