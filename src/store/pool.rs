//! Reading: a pool of connections, used on blocking threads so that no arbiter ever waits for a disk.

use super::Error;
use super::connection::{AnyConnection, Location, Purpose};
use crate::failure_points::{FailurePoint, FailurePoints};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The pool behind a semaphore of the same size: who waits, waits without holding a thread.
#[derive(Clone)]
pub(super) struct Readers {
    pool: r2d2::Pool<Connector>,
    permits: Arc<Semaphore>,
    timeout: Duration,
    failure_points: FailurePoints,
}

#[derive(Debug)]
struct Connector(Location);

impl r2d2::ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = Error;

    fn connect(&self) -> Result<AnyConnection, Error> {
        self.0.connect(Purpose::Read)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        if connection.is_alive() { Ok(()) } else { Err(Error::unavailable("the connection was lost")) }
    }

    fn has_broken(&self, _connection: &mut AnyConnection) -> bool {
        // Also asked while a read unwinds: such a connection may hold a half-read result.
        std::thread::panicking()
    }
}

/// r2d2 reports every failed attempt to connect; the caller gets the last one as an error, and that is where it is logged.
#[derive(Debug)]
struct Silent;

impl r2d2::HandleError<Error> for Silent {
    fn handle_error(&self, _error: Error) {}
}

impl Readers {
    pub fn new(location: Location, size: u32, timeout: Duration, failure_points: FailurePoints) -> Result<Self, Error> {
        let size = size.max(1);
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(timeout)
            .error_handler(Box::new(Silent))
            .build(Connector(location))
            .map_err(Error::unavailable)?;
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Ok(Self { pool, permits, timeout, failure_points })
    }

    /// Runs `work` on a blocking thread, inside the caller's tracing span.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        let permit = tokio::time::timeout(self.timeout, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| Error::unavailable("all reading connections are busy"))?
            .map_err(|_| Error::Closed)?;
        let span = tracing::Span::current();
        let readers = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let _entered = span.entered();
            readers.failure_points.hit(FailurePoint::BeforeRead)?;
            let mut connection = readers.pool.get().map_err(Error::unavailable)?;
            work(&mut connection)
        });
        answer.await.map_err(|_| Error::unavailable("the read was broken off"))?
    }
}
