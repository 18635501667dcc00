//! One connection to either database, and how it is made: the URL's scheme selects, nothing is guessed.

use super::Error;
use super::backend::on_backend;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use std::fmt;
use std::path::{Path, PathBuf};

/// A connection to SQLite or PostgreSQL.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Where the database is. Shown without credentials.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Location {
    Sqlite(PathBuf),
    /// A libpq connection URL, credentials and all.
    Postgres(String),
}

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// How long SQLite waits for a lock of another connection of ours (a checkpoint, a backup).
const SQLITE_BUSY_TIMEOUT_MS: u32 = 5_000;
/// Page cache of the writing connection.
const SQLITE_WRITE_CACHE_KIB: u32 = 32 * 1024;
/// Page cache of each reading connection.
const SQLITE_READ_CACHE_KIB: u32 = 4 * 1024;
/// Pages of the write-ahead log after which it is copied into the database. Large, so that pages that are written again
/// and again are copied once.
const SQLITE_CHECKPOINT_PAGES: u32 = 8_000;
/// The write-ahead log is cut back to this when it has been copied into the database.
const SQLITE_WAL_BYTES: u32 = 64 * 1024 * 1024;
/// How long PostgreSQL may take to accept a connection, and to acknowledge what was sent, before it counts as gone.
const POSTGRES_CONNECT_TIMEOUT_S: u32 = 5;
const POSTGRES_TCP_TIMEOUT_MS: u32 = 10_000;
/// After how many seconds of silence the server asks whether the writer is still there, how often, and in which pauses. Until it
/// has found out it keeps the lock of a writer that was cut off, and its successor has to wait.
const POSTGRES_KEEPALIVES: [(&str, u32); 3] =
    [("tcp_keepalives_idle", 10), ("tcp_keepalives_count", 3), ("tcp_keepalives_interval", 5)];

impl Location {
    /// # Errors
    /// [`Error::Configuration`] for a scheme that is not known.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path == ":memory:" {
                    let message = "store.url names no file: write sqlite:data/callboard.db".to_owned();
                    return Err(Error::Configuration { message });
                }
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            "postgres" | "postgresql" => Ok(Self::Postgres(with_timeouts(url))),
            // The scheme alone is shown: what follows may be a password.
            other => {
                let shown: String = if url.contains(':') { other.chars().take(20).collect() } else { String::new() };
                let message = format!(
                    "store.url has the unknown scheme '{shown}'; allowed are sqlite:<file>, postgres:// and postgresql://"
                );
                Err(Error::Configuration { message })
            }
        }
    }

    /// For what is done with a database that is there: connecting would make an empty one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a SQLite file is not there. What is on a server is told by connecting.
    pub fn must_exist(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(path) if !path.exists() => {
                Err(Error::unavailable(format!("there is no database {}", path.display())))
            }
            Self::Sqlite(_) | Self::Postgres(_) => Ok(()),
        }
    }

    /// Opens a connection. The directory of a SQLite file is created when missing.
    pub fn connect(&self, purpose: Purpose) -> Result<AnyConnection, Error> {
        match self {
            Self::Sqlite(path) => connect_sqlite(path, purpose).map(AnyConnection::Sqlite),
            Self::Postgres(url) => connect_postgres(url, purpose).map(AnyConnection::Postgres),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_credentials(url)),
        }
    }
}

/// A database URL as it may be shown: user, password and parameters are left out.
pub(super) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return if url.starts_with("sqlite:") { url.to_owned() } else { "…".to_owned() };
    };
    let rest = rest.split('?').next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, address)| address);
    format!("{scheme}://{rest}")
}

fn with_timeouts(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in
        [("connect_timeout", POSTGRES_CONNECT_TIMEOUT_S), ("tcp_user_timeout", POSTGRES_TCP_TIMEOUT_MS)]
    {
        if !url.contains(name) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}{name}={value}");
        }
    }
    url
}

fn connect_sqlite(path: &Path, purpose: Purpose) -> Result<SqliteConnection, Error> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)
            .map_err(|error| Error::unavailable(format!("cannot create {}: {error}", directory.display())))?;
    }
    let name = path.to_string_lossy();
    let mut connection = SqliteConnection::establish(&name)
        .map_err(|error| Error::unavailable(format!("cannot open {}: {error}", path.display())))?;
    let cache_kib = match purpose {
        Purpose::Read => SQLITE_READ_CACHE_KIB,
        Purpose::Write => SQLITE_WRITE_CACHE_KIB,
    };
    // A reader may not write: every write goes through the one writer. WAL is a property of the file, set by the writer;
    // so is auto_vacuum, which takes effect before the first table is made, or with the next VACUUM.
    let role = match purpose {
        Purpose::Read => "PRAGMA query_only = ON;".to_owned(),
        Purpose::Write => {
            format!(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; \
                 PRAGMA wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}; PRAGMA journal_size_limit = {SQLITE_WAL_BYTES};"
            )
        }
    };
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}; {role} PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{cache_kib};"
    ))?;
    Ok(connection)
}

fn connect_postgres(url: &str, purpose: Purpose) -> Result<PgConnection, Error> {
    let mut connection = PgConnection::establish(url)
        .map_err(|error| Error::unavailable(format!("cannot connect to {}: {error}", without_credentials(url))))?;
    let role = match purpose {
        Purpose::Read => "SET default_transaction_read_only = on; SET statement_timeout = '30s';",
        // The writer finds every row by its key. A plan that was made while a table was empty must not read all of it later.
        Purpose::Write => "SET synchronous_commit = on; SET enable_seqscan = off;",
    };
    connection.batch_execute(&format!("SET application_name = 'callboard'; SET timezone = 'UTC'; {role}"))?;
    if purpose == Purpose::Write {
        for (name, value) in POSTGRES_KEEPALIVES {
            connection.batch_execute(&format!("SET {name} = {value}"))?;
        }
    }
    Ok(connection)
}

impl AnyConnection {
    /// Whether the connection can still be used. Free on SQLite, one round trip on PostgreSQL.
    pub(super) fn is_alive(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(connection) => connection.batch_execute("SELECT 1").is_ok(),
        }
    }

    /// Runs SQL without values, several statements if need be.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Error> {
        Ok(on_backend!(self, connection => connection.batch_execute(sql))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_selects_and_an_unknown_one_is_refused_without_showing_the_rest() {
        assert_eq!(Location::parse("sqlite:data/x.db"), Ok(Location::Sqlite(PathBuf::from("data/x.db"))));
        assert_eq!(Location::parse("sqlite:///var/x.db"), Ok(Location::Sqlite(PathBuf::from("/var/x.db"))));
        assert!(matches!(Location::parse("postgresql://u@h/d"), Ok(Location::Postgres(_))));
        for url in ["mysql://root:hunter2@localhost/x", "hunter2", "sqlite:", ""] {
            let text = Location::parse(url).expect_err(url).to_string();
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains("sqlite:"), "{text}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let location = Location::parse("postgres://callboard:hunter2@db:5432/callboard?password=hunter2").unwrap();
        assert_eq!(format!("{location:?}"), "postgres://db:5432/callboard");
        let failure = Location::parse("postgres://callboard:hunter2@127.0.0.1:1/callboard").unwrap();
        let text = failure.connect(Purpose::Read).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("127.0.0.1") && !text.contains("hunter2"), "{text}");
    }
}
