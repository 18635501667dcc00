//! Rate limits: how many requests a principal and an address may send, told in every answer.
//!
//! Each has a bucket that refills evenly and holds what may come at once. The headers are those of the IETF draft
//! "RateLimit header fields for HTTP"; a refusal is a problem with `Retry-After`. Addresses are counted by the door, before
//! anybody is asked who they are, and principals by `authorization`, as soon as that is known.

use super::client_address;
use super::error::{Error, Result};
use crate::domain::Principal;
use crate::settings;
use crate::wire::catalog::Code;
use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use uuid::Uuid;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Limits are so many requests per minute.
const WINDOW_SECONDS: u32 = 60;
/// What asks for the state of the service, and is not counted when it comes from this machine.
const HEALTH: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// The limits of a service.
pub struct Throttle {
    principals: Option<Buckets<Uuid>>,
    addresses: Option<Buckets<IpAddr>>,
    policy: Option<HeaderValue>,
}

/// What an answer says about the limits.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// One bucket per key.
struct Buckets<K: Hash + Eq + Clone> {
    name: &'static str,
    per_minute: NonZeroU32,
    limiter: Limiter<Option<K>>,
    clock: DefaultClock,
    max_keys: usize,
}

/// How the buckets of a request stand, for its answer.
#[derive(Default)]
struct Levels(Vec<Level>);

/// How a bucket stands after a request.
#[derive(Clone, Copy)]
struct Level {
    name: &'static str,
    remaining: u32,
    /// Until it is full again.
    full_in_seconds: u32,
}

impl Throttle {
    pub fn new(settings: &settings::RateLimits) -> Self {
        let max_keys = settings.max_keys;
        let principals = Buckets::new("principal", settings.per_principal, max_keys);
        let addresses = Buckets::new("address", settings.per_address, max_keys);
        let policies: Vec<String> =
            principals.iter().map(Buckets::policy).chain(addresses.iter().map(Buckets::policy)).collect();
        let policy = (!policies.is_empty()).then(|| HeaderValue::from_str(&policies.join(", ")).ok()).flatten();
        Self { principals, addresses, policy }
    }

    /// Counts a request against the limit of its address.
    ///
    /// # Errors
    /// 429 when it is one too many.
    pub fn count_address(&self, request: &ServiceRequest) -> Result<()> {
        let address = client_address::of(request);
        let is_own_health = HEALTH.contains(&request.path()) && address.is_some_and(|address| address.is_loopback());
        match &self.addresses {
            Some(addresses) if !is_own_health => count(addresses, address.map(network), request),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a request against the limit of whoever has sent it.
    ///
    /// # Errors
    /// 429 when it is one too many.
    pub fn count_principal(&self, request: &ServiceRequest, principal: &Principal) -> Result<()> {
        self.principals.as_ref().map_or(Ok(()), |principals| count(principals, Some(principal.id), request))
    }

    /// What the answer to a request says about the limits it was counted against.
    pub fn headers(&self, request: &impl HttpMessage) -> Headers {
        request.extensions().get::<Levels>().map(|levels| self.shown(&levels.0)).unwrap_or_default()
    }

    /// The bucket that is closest to empty, of two equal ones that of the principal, and the policies.
    fn shown(&self, levels: &[Level]) -> Headers {
        let Some(level) = levels.iter().rev().min_by_key(|level| level.remaining) else { return Vec::new() };
        let text = format!("\"{}\";r={};t={}", level.name, level.remaining, level.full_in_seconds);
        let state = HeaderValue::from_str(&text).ok().map(|value| (RATE_LIMIT, value));
        let policy = self.policy.clone().map(|value| (RATE_LIMIT_POLICY, value));
        state.into_iter().chain(policy).collect()
    }
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// `None` when nothing is limited.
    fn new(name: &'static str, per_minute: u32, max_keys: usize) -> Option<Self> {
        let per_minute = NonZeroU32::new(per_minute)?;
        let limiter = RateLimiter::hashmap(Quota::per_minute(per_minute)).with_middleware();
        Some(Self { name, per_minute, limiter, clock: DefaultClock::default(), max_keys })
    }

    fn policy(&self) -> String {
        format!("\"{}\";q={};w={WINDOW_SECONDS}", self.name, self.per_minute)
    }

    /// Takes one request out of the bucket of a key; how many seconds to wait when it is empty. Keys beyond the most that
    /// are remembered share one bucket, as do requests without a key.
    fn take(&self, key: Option<K>) -> std::result::Result<Level, u64> {
        if self.limiter.len() >= self.max_keys {
            self.limiter.retain_recent();
        }
        let key = key.filter(|_| self.limiter.len() < self.max_keys);
        match self.limiter.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = u64::from(self.per_minute.get().saturating_sub(remaining)) * u64::from(WINDOW_SECONDS);
                let full_in_seconds = missing.div_ceil(u64::from(self.per_minute.get()));
                let full_in_seconds = u32::try_from(full_in_seconds).unwrap_or(WINDOW_SECONDS);
                Ok(Level { name: self.name, remaining, full_in_seconds })
            }
            Err(refusal) => {
                let wait = refusal.wait_time_from(self.clock.now());
                Err(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1))
            }
        }
    }
}

/// Takes a request out of a bucket and notes how that stands.
fn count<K: Hash + Eq + Clone>(buckets: &Buckets<K>, key: Option<K>, request: &ServiceRequest) -> Result<()> {
    let taken = buckets.take(key);
    let empty = Level { name: buckets.name, remaining: 0, full_in_seconds: WINDOW_SECONDS };
    let level = *taken.as_ref().unwrap_or(&empty);
    let mut extensions = request.extensions_mut();
    if extensions.get::<Levels>().is_none() {
        extensions.insert(Levels::default());
    }
    if let Some(levels) = extensions.get_mut::<Levels>() {
        levels.0.push(level);
    }
    taken.map(|_| ()).map_err(|wait_seconds| {
        let detail =
            format!("More than {} requests per minute of this {} have come.", buckets.per_minute, buckets.name);
        Error::new(Code::RateLimited, detail).with_header(header::RETRY_AFTER, HeaderValue::from(wait_seconds))
    })
}

/// What is counted together: an IPv4 address, or the half of an IPv6 address that a provider gives to one customer.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_and_says_when_to_come_back() {
        let buckets = Buckets::new("address", 2, 100).unwrap();
        assert_eq!(buckets.take(Some(1)).map(|level| level.remaining), Ok(1));
        assert_eq!(buckets.take(Some(1)).map(|level| (level.remaining, level.full_in_seconds)), Ok((0, 60)));
        assert!(buckets.take(Some(1)).is_err_and(|wait| (1..=30).contains(&wait)));
        assert_eq!(buckets.take(Some(2)).map(|level| level.remaining), Ok(1), "another one has a bucket of its own");
        assert!(Buckets::<u8>::new("address", 0, 100).is_none());
    }

    #[test]
    fn a_flood_of_keys_shares_one_bucket() {
        let buckets = Buckets::new("address", 10, 50).unwrap();
        let refused = (0..200).filter(|key| buckets.take(Some(*key)).is_err()).count();
        assert!(refused >= 130, "only {refused} were refused");
        assert!(buckets.limiter.len() <= 51);
    }

    #[test]
    fn an_ipv6_customer_is_one_address() {
        let parse = |text: &str| network(text.parse().unwrap());
        assert_eq!(parse("2001:db8:1:2:3::4"), parse("2001:db8:1:2:ffff::9"));
        assert_ne!(parse("2001:db8:1:2::1"), parse("2001:db8:1:3::1"));
        assert_eq!(parse("::ffff:10.0.0.1"), parse("10.0.0.1"));
    }
}
