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

/// How long is slept at a time. A clock that is set forward, or a machine that was asleep, delays a timer by no more.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time enters")]
    fn now(&self) -> Timestamp {
        Timestamp::from(jiff::Timestamp::now())
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(sleep_until(|| Self.now(), instant, LONGEST_NAP))
    }
}

/// Sleeps in naps, and looks at the clock after each: clocks are set, and what measures a sleep is another one.
async fn sleep_until(now: impl Fn() -> Timestamp, instant: Timestamp, longest: Duration) {
    while let Ok(micros @ 1..) = u64::try_from(instant.micros_since(now())) {
        tokio::time::sleep(Duration::from_micros(micros).min(longest)).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_clock_that_is_set_while_somebody_sleeps_is_noticed() {
        // An hour away, then beyond it; a second away, then set back, then there.
        for times in [vec![0, 3_600_000_001], vec![3_599_999_000, 3_000_000_000, 3_600_000_000]] {
            let looks = Cell::new(0);
            let now = || {
                let look = looks.replace(looks.get() + 1);
                Timestamp::from_micros(times[look.min(times.len() - 1)])
            };
            sleep_until(now, Timestamp::from_micros(3_600_000_000), Duration::from_millis(1)).await;
            assert_eq!(looks.get(), times.len());
        }
    }
}
