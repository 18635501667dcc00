//! Giving disk space back. PostgreSQL does that by itself (autovacuum); SQLite is asked for it, a few pages at a time.

use super::connection::{AnyConnection, Location, Purpose};
use super::statement::Statement;
use super::{Error, Store, lock};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// Of every so many pages of a SQLite file one may stay free: the next executions will want them.
const ONE_FREE_OF: i64 = 20;
/// As many may stay free in any case, so that a small file is left alone.
const FREE_PAGES: i64 = 256;

/// How large the database is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    pub size_bytes: u64,
    /// Pages of a SQLite file that hold nothing; 0 for PostgreSQL, which keeps that to itself.
    pub free_bytes: u64,
    /// Whether the file can give pages back while the service runs. A SQLite file from before that was possible needs
    /// `callboard store compact` once.
    pub can_shrink: bool,
}

#[derive(QueryableByName)]
struct Pages {
    #[diesel(sql_type = BigInt)]
    size: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    free: i64,
    #[diesel(sql_type = BigInt)]
    mode: i64,
}

/// `auto_vacuum` as SQLite counts it.
const INCREMENTAL: i64 = 2;

impl Store {
    /// How large the database is.
    pub async fn space(&self) -> Result<Space, Error> {
        self.read(space).await
    }

    /// Gives back up to `pages` pages of a SQLite file and returns whether there are more. Nothing to do for PostgreSQL.
    pub async fn give_back(&self, pages: u32) -> Result<bool, Error> {
        let surplus = self.read(surplus_pages).await?;
        if surplus <= 0 {
            return Ok(false);
        }
        let step = surplus.min(i64::from(pages));
        self.write(move |connection| connection.run(&format!("PRAGMA incremental_vacuum({step})"))).await?;
        Ok(surplus > step)
    }

    /// Copies the write-ahead log of SQLite into its file, as far as that is possible without waiting for anybody. The
    /// file becomes as small as it can be with that. Nothing to do for PostgreSQL.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        self.read(|connection| match connection {
            AnyConnection::Sqlite(_) => connection.run("PRAGMA wal_checkpoint(PASSIVE)"),
            AnyConnection::Postgres(_) => Ok(()),
        })
        .await
    }
}

fn pages(connection: &mut AnyConnection) -> Result<Option<Pages>, Error> {
    if matches!(connection, AnyConnection::Postgres(_)) {
        return Ok(None);
    }
    let pages = Statement::new(
        "SELECT page_size AS size, page_count AS total, freelist_count AS free, auto_vacuum AS mode \
         FROM pragma_page_size, pragma_page_count, pragma_freelist_count, pragma_auto_vacuum",
        Vec::new(),
    );
    Ok(Some(pages.get_result(connection)?))
}

fn surplus_pages(connection: &mut AnyConnection) -> Result<i64, Error> {
    let pages = pages(connection)?.filter(|pages| pages.mode == INCREMENTAL);
    Ok(pages.map_or(0, |pages| pages.free - FREE_PAGES.max(pages.total / ONE_FREE_OF)))
}

fn space(connection: &mut AnyConnection) -> Result<Space, Error> {
    let bytes = |number: i64| u64::try_from(number).unwrap_or(0);
    if let Some(pages) = pages(connection)? {
        let (size_bytes, free_bytes) = (bytes(pages.total * pages.size), bytes(pages.free * pages.size));
        return Ok(Space { size_bytes, free_bytes, can_shrink: pages.mode == INCREMENTAL });
    }
    #[derive(QueryableByName)]
    struct Size {
        #[diesel(sql_type = BigInt)]
        size: i64,
    }
    let size: Size =
        Statement::new("SELECT pg_database_size(current_database()) AS size", Vec::new()).get_result(connection)?;
    Ok(Space { size_bytes: bytes(size.size), free_bytes: 0, can_shrink: true })
}

/// How large a database is, whether or not a service works on it.
///
/// # Errors
/// [`Error::Unavailable`] when it cannot be reached.
pub fn space_of(url: &str) -> Result<Space, Error> {
    let location = Location::parse(url)?;
    location.must_exist()?;
    space(&mut location.connect(Purpose::Read)?)
}

/// Writes a database anew, as small as it can be, and returns its size before and after in bytes. The service must not be
/// running, and for a while the disk holds it twice.
///
/// # Errors
/// [`Error::Occupied`] while a service works on the database; [`Error::Unavailable`] when the disk is full.
pub fn compact(url: &str) -> Result<(u64, u64), Error> {
    let location = Location::parse(url)?;
    location.must_exist()?;
    let _file_lock = lock::lock_file(&location)?;
    let mut connection = location.connect(Purpose::Write)?;
    lock::lock_connection(&mut connection, &location)?;
    let before = space(&mut connection)?.size_bytes;
    match connection {
        AnyConnection::Sqlite(_) => {
            connection.run("VACUUM")?;
            connection.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        AnyConnection::Postgres(_) => connection.run("VACUUM (FULL, ANALYZE)")?,
    }
    Ok((before, space(&mut connection)?.size_bytes))
}
