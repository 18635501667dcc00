//! Time and fresh ids: the only place where either comes into being.
//!
//! The actors own a [`Clock`]; everything below them gets instants and ids handed in.

use crate::domain::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// A source of instants, and the means to wait for one.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Resolves when [`Clock::now`] has reached `instant`; at once when it already has.
    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time enters")]
    fn now(&self) -> Timestamp {
        Timestamp::from(jiff::Timestamp::now())
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let micros = u64::try_from(instant.micros_since(self.now())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_micros(micros)))
    }
}

/// A clock that stands still until a test moves it.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<Mutex<Timestamp>>,
    moved: Arc<Notify>,
}

impl ManualClock {
    pub fn new(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)), moved: Arc::new(Notify::new()) }
    }

    /// Moves the clock forward and wakes everybody who waits for an instant up to there.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.plus_micros(micros);
        drop(now);
        self.moved.notify_waiters();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let moved = clock.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if clock.now() >= instant {
                    return;
                }
                moved.await;
            }
        })
    }
}

/// A fresh UUIDv7: ordered by creation time, so that ids sort like their rows.
#[expect(clippy::disallowed_methods, reason = "the one place where ids come into being")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
