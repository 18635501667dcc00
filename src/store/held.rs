//! The database as the writer holds it: locks, and a connection that is made anew when it was lost, for as long as no other
//! process has taken the database meanwhile. What this process knows of executions would not be true any longer then.

use super::connection::{AnyConnection, Location, Purpose};
use super::lock::{self, FileLock};
use super::{Error, watermark};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two attempts to reach a database that is gone, everything that arrives is refused at once.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// A database that this process has taken.
pub(super) struct Held {
    location: Location,
    _file_lock: Option<FileLock>,
    /// The number of this opening; see [`watermark`].
    opening: i64,
    connection: Option<AnyConnection>,
    failed_at: Option<(Instant, Error)>,
    /// Cancelled when another process has taken the database, and at the end.
    lost: CancellationToken,
}

impl Held {
    /// Both locks are held, and the opening is counted.
    pub fn new(location: Location, file_lock: Option<FileLock>, opening: i64, connection: AnyConnection) -> Self {
        let (connection, lost) = (Some(connection), CancellationToken::new());
        Self { location, _file_lock: file_lock, opening, connection, failed_at: None, lost }
    }

    /// See [`Store::lost`](super::Store::lost).
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// The connection, made anew if the last one was not given back. Then the newest position that was ever written comes
    /// along.
    pub fn take(&mut self) -> Result<(AnyConnection, Option<u64>), Error> {
        if let Some(connection) = self.connection.take() {
            return Ok((connection, None));
        }
        if let Some((at, error)) = &self.failed_at
            && (at.elapsed() < RECONNECT_PAUSE || self.lost.is_cancelled())
        {
            return Err(error.clone());
        }
        match self.connect() {
            Ok((connection, last_position)) => {
                tracing::info!("the writer has reached the database again");
                self.failed_at = None;
                Ok((connection, Some(last_position)))
            }
            Err(error) => {
                self.failed_at = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Gives back a connection that came through its transaction unharmed.
    pub fn give_back(&mut self, connection: AnyConnection) {
        self.connection = Some(connection);
    }

    fn connect(&self) -> Result<(AnyConnection, u64), Error> {
        let mut connection = self.location.connect(Purpose::Write)?;
        self.refuse_lost(&mut connection)?;
        let locked = lock::lock_connection(&mut connection, &self.location);
        // Most often the server still holds the connection that was lost. It finds out, and then the lock is free.
        if let Err(Error::Occupied { message }) = locked {
            return Err(Error::unavailable(message));
        }
        locked?;
        self.refuse_lost(&mut connection)?;
        let last_position = watermark::last_position(&mut connection)?;
        Ok((connection, last_position))
    }

    fn refuse_lost(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        if watermark::openings(connection)? == self.opening {
            return Ok(());
        }
        tracing::error!("another process has taken the database over; this one writes no more");
        self.lost.cancel();
        let message = "another process has taken the database over; this one is at its end".to_owned();
        Err(Error::Occupied { message })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lost.cancel();
    }
}
