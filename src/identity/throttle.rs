//! Sign-ins that failed: whoever guesses passwords has to wait longer and longer.
//!
//! Counted per account and per address, in memory: a restart forgives, which is no help to somebody who cannot cause one.

use super::Error;
use crate::clock::Clock;
use crate::domain::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Failures of one account that are free of charge.
const FREE_PER_ACCOUNT: u32 = 5;
/// Failures from one address that are free of charge: many people may share one.
const FREE_PER_ADDRESS: u32 = 20;
/// The first wait; each further failure doubles it.
const FIRST_WAIT_SECONDS: u64 = 2;
const LONGEST_WAIT_SECONDS: u64 = 15 * 60;
/// Failures are forgotten after this time without one.
const MEMORY_SECONDS: u64 = 60 * 60;
/// More than this is not remembered; the oldest failures go first.
const CAPACITY: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    /// When the next attempt is welcome.
    fn open_at(self, free: u32) -> Timestamp {
        let Some(beyond) = self.count.checked_sub(free) else { return self.last };
        let doubled = FIRST_WAIT_SECONDS.checked_shl(beyond).filter(|wait| *wait >= FIRST_WAIT_SECONDS);
        let wait = doubled.map_or(LONGEST_WAIT_SECONDS, |wait| wait.min(LONGEST_WAIT_SECONDS));
        self.last.plus_micros(micros(wait))
    }
}

fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Account(String),
    Address(IpAddr),
}

impl Subject {
    const fn free(&self) -> u32 {
        match self {
            Self::Account(_) => FREE_PER_ACCOUNT,
            Self::Address(_) => FREE_PER_ADDRESS,
        }
    }
}

/// The memory of failures.
pub struct Throttle {
    clock: Arc<dyn Clock>,
    failures: Mutex<HashMap<Subject, Failures>>,
}

impl Throttle {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, failures: Mutex::default() }
    }

    /// Whether an attempt is welcome now.
    ///
    /// # Errors
    /// [`Error::Throttled`] with the time to wait.
    pub fn check(&self, account: &str, address: Option<IpAddr>) -> Result<(), Error> {
        let now = self.clock.now();
        let failures = self.failures();
        let open_at = subjects(account, address)
            .filter_map(|subject| failures.get(&subject).map(|failures| failures.open_at(subject.free())))
            .max();
        match open_at.filter(|open_at| *open_at > now) {
            Some(open_at) => {
                let seconds = u64::try_from(open_at.micros_since(now)).unwrap_or(0).div_ceil(1_000_000);
                Err(Error::Throttled { retry_after_seconds: seconds.max(1) })
            }
            None => Ok(()),
        }
    }

    /// Notes an attempt before its outcome is known, so that many at the same time count as many.
    pub fn failed(&self, account: &str, address: Option<IpAddr>) {
        let now = self.clock.now();
        let mut failures = self.failures();
        if failures.len() >= CAPACITY {
            failures.retain(|_, known| now.micros_since(known.last) < micros(MEMORY_SECONDS));
        }
        if failures.len() >= CAPACITY {
            let oldest = failures.iter().min_by_key(|(_, known)| known.last).map(|(subject, _)| subject.clone());
            oldest.map(|subject| failures.remove(&subject));
        }
        for subject in subjects(account, address) {
            let known = failures.entry(subject).or_insert(Failures { count: 0, last: now });
            if now.micros_since(known.last) >= micros(MEMORY_SECONDS) {
                known.count = 0;
            }
            *known = Failures { count: known.count.saturating_add(1), last: now };
        }
    }

    /// Forgives the account; its address gets the one attempt back.
    pub fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        let mut failures = self.failures();
        failures.remove(&Subject::Account(account.to_owned()));
        if let Some(known) = address.and_then(|address| failures.get_mut(&Subject::Address(address))) {
            known.count = known.count.saturating_sub(1);
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Subject, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn subjects(account: &str, address: Option<IpAddr>) -> impl Iterator<Item = Subject> {
    [Some(Subject::Account(account.to_owned())), address.map(Subject::Address)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::time::Duration;

    fn wait(throttle: &Throttle, account: &str, address: [u8; 4]) -> Option<u64> {
        match throttle.check(account, Some(IpAddr::from(address))) {
            Err(Error::Throttled { retry_after_seconds }) => Some(retry_after_seconds),
            _ => None,
        }
    }

    #[test]
    fn waits_grow_per_account_and_end_with_a_success() {
        let clock = ManualClock::new(Timestamp::from_micros(0));
        let throttle = Throttle::new(Arc::new(clock.clone()));
        for attempt in 0..5 {
            // From a different address each time.
            assert_eq!(wait(&throttle, "ada", [10, 0, 0, attempt]), None);
            throttle.failed("ada", Some(IpAddr::from([10, 0, 0, attempt])));
        }
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), Some(2));
        assert_eq!(wait(&throttle, "bob", [10, 0, 0, 9]), None);
        clock.advance(Duration::from_secs(2));
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), None);
        throttle.failed("ada", None);
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), Some(4));
        for _ in 0..100 {
            throttle.failed("ada", None);
        }
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), Some(900));
        clock.advance(Duration::from_secs(900));
        throttle.succeeded("ada", None);
        throttle.failed("ada", None);
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_too() {
        let throttle = Throttle::new(Arc::new(ManualClock::new(Timestamp::from_micros(0))));
        for account in 0..20 {
            throttle.failed(&account.to_string(), Some(IpAddr::from([10, 0, 0, 1])));
        }
        assert_eq!(wait(&throttle, "fresh", [10, 0, 0, 1]), Some(2));
        assert_eq!(wait(&throttle, "fresh", [10, 0, 0, 2]), None);
    }
}
