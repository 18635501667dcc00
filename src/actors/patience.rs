//! How long a write is tried again: as long as it takes while the database is away, and not for ever when the database takes
//! other writes. Why it is so: ADR 0042.

use crate::store::{self, Store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The first pause before a write is tried again; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Tries after which a write counts as refused, when the database took others behind each of them: about five seconds.
const TRIES: u32 = 8;
/// The same when somebody wants the execution cancelled: one may be refused for a reason that the next does not meet.
const TRIES_IN_A_HURRY: u32 = 2;

/// What one write has met so far.
#[derive(Debug)]
pub struct Patience {
    /// In a row, while the database took other writes.
    refusals: u32,
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { refusals: 0, pause: FIRST_PAUSE }
    }
}

impl Patience {
    /// Whether the same write may be taken when it is tried again.
    pub const fn is_for(error: &store::Error) -> bool {
        matches!(
            error,
            store::Error::Unavailable { .. } | store::Error::Unexplained { .. } | store::Error::Database { .. }
        )
    }

    /// Waits before the next try of a write of so many bytes that has met an error. False when there is no use in one.
    pub async fn goes_on(
        &mut self,
        error: &store::Error,
        size_bytes: usize,
        store: &Store,
        hurry: &CancellationToken,
    ) -> bool {
        let is_doubtful = matches!(error, store::Error::Unexplained { .. });
        let is_refused = matches!(error, store::Error::Database { .. })
            || (is_doubtful && store.try_write(size_bytes).await.is_ok());
        self.refusals = if is_refused { self.refusals + 1 } else { 0 };
        let tries = || if hurry.is_cancelled() { TRIES_IN_A_HURRY } else { TRIES };
        if self.refusals >= tries() {
            return false;
        }
        let pause = tokio::time::sleep(self.pause);
        if is_refused && !hurry.is_cancelled() {
            tokio::select! {
                () = pause => {}
                () = hurry.cancelled() => {}
            }
        } else {
            pause.await;
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.refusals < tries()
    }
}
