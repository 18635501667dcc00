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
    /// An e-mail address, in whichever tenant: whether it is known there must not show.
    Account(String),
    /// The part of an account's failures that came with this tenant, or with none. Only these does a success forgive: the same
    /// address in another tenant may be somebody else's.
    Part(Account),
    Address(IpAddr),
}

impl Subject {
    /// Failures that are free of charge; none are counted by themselves for a part.
    const fn free(&self) -> Option<u32> {
        match self {
            Self::Account(_) => Some(FREE_PER_ACCOUNT),
            Self::Address(_) => Some(FREE_PER_ADDRESS),
            Self::Part(_) => None,
        }
    }
}

/// Where somebody tries to get in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// An e-mail address in the form in which it is kept, or the id of somebody who is in already.
    pub name: String,
    /// As it was given.
    pub tenant: Option<String>,
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
    pub fn check(&self, account: &Account, address: Option<IpAddr>) -> Result<(), Error> {
        let now = self.clock.now();
        let failures = self.failures();
        let open_at = subjects(account, address)
            .filter_map(|subject| {
                let free = subject.free()?;
                failures.get(&subject).map(|failures| failures.open_at(free))
            })
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
    pub fn failed(&self, account: &Account, address: Option<IpAddr>) {
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

    /// Forgives what was tried there; the address gets the one attempt back.
    pub fn succeeded(&self, account: &Account, address: Option<IpAddr>) {
        let mut failures = self.failures();
        let forgiven = failures.remove(&Subject::Part(account.clone())).map_or(0, |part| part.count);
        let whole = Subject::Account(account.name.clone());
        if let Some(known) = failures.get_mut(&whole) {
            known.count = known.count.saturating_sub(forgiven);
            if known.count == 0 {
                failures.remove(&whole);
            }
        }
        if let Some(known) = address.and_then(|address| failures.get_mut(&Subject::Address(address))) {
            known.count = known.count.saturating_sub(1);
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Subject, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn subjects(account: &Account, address: Option<IpAddr>) -> impl Iterator<Item = Subject> {
    let own = [Subject::Account(account.name.clone()), Subject::Part(account.clone())];
    own.into_iter().chain(address.map(Subject::Address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use std::time::Duration;

    fn account(name: &str) -> Account {
        Account { name: name.to_owned(), tenant: None }
    }

    fn wait(throttle: &Throttle, name: &str, address: [u8; 4]) -> Option<u64> {
        match throttle.check(&account(name), Some(IpAddr::from(address))) {
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
            throttle.failed(&account("ada"), Some(IpAddr::from([10, 0, 0, attempt])));
        }
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), Some(2));
        assert_eq!(wait(&throttle, "bob", [10, 0, 0, 9]), None);
        clock.advance(Duration::from_secs(2));
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), None);
        throttle.failed(&account("ada"), None);
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), Some(4));
        for _ in 0..100 {
            throttle.failed(&account("ada"), None);
        }
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), Some(900));
        clock.advance(Duration::from_secs(900));
        throttle.succeeded(&account("ada"), None);
        throttle.failed(&account("ada"), None);
        assert_eq!(wait(&throttle, "ada", [10, 0, 0, 9]), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_too() {
        let throttle = Throttle::new(Arc::new(ManualClock::new(Timestamp::from_micros(0))));
        for name in 0..20 {
            throttle.failed(&account(&name.to_string()), Some(IpAddr::from([10, 0, 0, 1])));
        }
        assert_eq!(wait(&throttle, "fresh", [10, 0, 0, 1]), Some(2));
        assert_eq!(wait(&throttle, "fresh", [10, 0, 0, 2]), None);
    }

    #[test]
    fn a_success_in_one_tenant_forgives_nothing_in_another() {
        let throttle = Throttle::new(Arc::new(ManualClock::new(Timestamp::from_micros(0))));
        let of = |tenant: &str| Account { tenant: Some(tenant.to_owned()), ..account("ada") };
        for _ in 0..3 {
            throttle.failed(&of("red"), None);
        }
        throttle.failed(&account("ada"), None);
        throttle.failed(&of("blue"), None);
        assert!(throttle.check(&of("red"), None).is_err(), "five, wherever they came from");
        throttle.succeeded(&of("blue"), None);
        assert!(throttle.check(&of("red"), None).is_ok());
        throttle.failed(&of("red"), None);
        assert!(throttle.check(&of("red"), None).is_err());
        throttle.succeeded(&of("blue"), None);
        assert!(throttle.check(&of("blue"), None).is_err(), "there is nothing left to forgive");
        throttle.succeeded(&of("red"), None);
        assert!(throttle.check(&of("red"), None).is_ok());
    }
}
