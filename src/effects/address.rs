//! Which network addresses effects may connect to, enforced where a connection comes about.
//!
//! A name is checked after it is resolved, inside the resolver of the HTTP client, so that a name whose address changes
//! between check and connection gains nothing. Addresses written into a URL never reach a resolver: [`Policy::check_url`]
//! looks at them before every request and every redirect.

use crate::domain::{Failure, StandardType};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// The answer to "may we connect there?".
#[derive(Clone, Debug)]
pub struct Policy {
    /// `effects.http.allow_private`.
    allow_private: bool,
    /// `effects.http.permitted_networks`: exceptions.
    permitted_networks: Arc<[Network]>,
}

/// A range of addresses, written `10.1.0.0/16`, `fd12::/48` or as a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many leading bits of the address count.
    prefix: u32,
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network: write an address such as 10.1.2.3, or one with a prefix such as 10.1.0.0/16")]
pub struct InvalidNetwork(String);

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let invalid = || InvalidNetwork(text.to_owned());
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), str::parse).ok().filter(|prefix| *prefix <= bits);
        Ok(Self { address, prefix: prefix.ok_or_else(invalid)? })
    }
}

impl Network {
    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.prefix,
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.prefix,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// A host that the policy does not let us connect to. Travels through the HTTP client as an error source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is not a public address")]
pub struct Refused {
    /// As written in the URL.
    pub host: String,
}

impl Refused {
    /// What the author of the definition gets to see. The resolved address is left out on purpose: it would tell
    /// outsiders how the inside of a network is laid out.
    pub fn failure(&self) -> Failure {
        Failure::new(
            StandardType::Authorization,
            "Address not allowed",
            format!("{} is a loopback, private, link-local, metadata or otherwise not public address", self.host),
        )
        .retryable(false)
        .with_suggestion("if executions may reach internal services, set `effects.http.allow_private = true`")
    }
}

impl Policy {
    pub fn new(allow_private: bool, permitted_networks: &[Network]) -> Self {
        Self { allow_private, permitted_networks: permitted_networks.into() }
    }

    /// Checks a host that is written as an address. Names are checked when they are resolved.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.permits(address) { Ok(()) } else { Err(Refused { host: address.to_string() }) }
    }

    fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_private
            || is_public(address)
            || self.permitted_networks.iter().any(|network| network.contains(address))
    }
}

/// How long a name may take to be resolved when it is only looked at.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(2);

/// What is known of an address before anything is sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// A connection would be tried.
    Permitted,
    /// The policy does not let us connect there.
    Refused,
    /// The name has no address now.
    Unresolved,
    /// It is no address of HTTP.
    Invalid,
}

impl Policy {
    /// What would become of a request. Only the name is resolved; nothing is connected to.
    pub async fn look_at(&self, address: &str) -> Outlook {
        let Ok(url) = Url::parse(address) else { return Outlook::Invalid };
        if !matches!(url.scheme(), "http" | "https") {
            return Outlook::Invalid;
        }
        if self.check_url(&url).is_err() {
            return Outlook::Refused;
        }
        let Some(Host::Domain(name)) = url.host() else { return Outlook::Permitted };
        let lookup = tokio::time::timeout(LOOKUP_PATIENCE, tokio::net::lookup_host((name, 0))).await;
        let found: Vec<SocketAddr> = match lookup {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        match (found.is_empty(), found.iter().any(|address| self.permits(address.ip()))) {
            (true, _) => Outlook::Unresolved,
            (false, true) => Outlook::Permitted,
            (false, false) => Outlook::Refused,
        }
    }
}

impl Resolve for Policy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let permitted: Vec<SocketAddr> = found.iter().copied().filter(|a| policy.permits(a.ip())).collect();
            if permitted.is_empty() && !found.is_empty() {
                return Err(Refused { host: name.as_str().to_owned() }.into());
            }
            Ok::<Addrs, _>(Box::new(permitted.into_iter()))
        })
    }
}

/// Whether an address belongs to the public internet (IANA special-purpose address registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Azure's metadata and agent address: the one such address outside the reserved ranges.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = match (a, b, c) {
        (0 | 10 | 127, _, _) => true,                         // this network, private, loopback
        (100, 64..=127, _) => true,                           // carrier-grade NAT, Alibaba metadata
        (169, 254, _) => true,                                // link-local, cloud metadata
        (172, 16..=31, _) | (192, 168, _) => true,            // private
        (192, 0, 0) => true,                                  // protocol assignments, Oracle metadata
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => true, // documentation
        (192, 88, 99) => true,                                // 6to4 relays
        (198, 18..=19, _) => true,                            // benchmarking
        (224.., _, _) => true,                                // multicast, reserved, broadcast
        (_, _, _) => false,
    };
    !reserved && address != AZURE_WIRE_SERVER
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (s0, s1, s2, s3, s4, s5) {
        (0, 0, 0, 0, 0, 0xffff) => embedded(s6, s7),    // IPv4-mapped
        (0x64, 0xff9b, 0, 0, 0, 0) => embedded(s6, s7), // NAT64
        (0x2002, _, _, _, _, _) => embedded(s1, s2),    // 6to4
        (0x2001, 0..=0x1ff, _, _, _, _) => false,       // Teredo, ORCHID, benchmarking
        (0x2001, 0xdb8, _, _, _, _) => false,           // documentation
        (0x3fff, 0..=0xfff, _, _, _, _) => false,       // documentation
        // Only 2000::/3 is global unicast: loopback, unique local, link-local and multicast lie outside.
        (0x2000..=0x3fff, _, _, _, _, _) => true,
        (_, _, _, _, _, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> bool {
        Policy::new(false, &[]).check_url(&Url::parse(url).unwrap()).is_err()
    }

    #[test]
    fn every_special_range_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2002:c0a8:101::1]",
            "[2001:0:1::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[64:ff9b:1::1]",
        ] {
            assert!(refused(&format!("http://{host}/")), "{host} must be refused");
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for host in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[::ffff:1.1.1.1]",
            "[64:ff9b::101:101]",
            "[2001:4860:4860::8888]",
            "example.com",
        ] {
            assert!(!refused(&format!("http://{host}/")), "{host} must pass");
        }
        assert!(Policy::new(true, &[]).check_url(&Url::parse("http://127.0.0.1/").unwrap()).is_ok());
    }

    #[test]
    fn single_networks_can_be_permitted() {
        let networks: Vec<Network> = ["10.1.0.0/16", "fd12::/48", "127.0.0.1"].map(|text| text.parse().unwrap()).into();
        let policy = Policy::new(false, &networks);
        for (host, permitted) in [
            ("10.1.255.1", true),
            ("10.2.0.1", false),
            ("[fd12::1]", true),
            ("[fd13::1]", false),
            ("127.0.0.1", true),
            ("[::ffff:127.0.0.1]", true),
            ("127.0.0.2", false),
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(policy.check_url(&url).is_ok(), permitted, "{host}");
        }
        for text in ["10.1.0.0/33", "10.1", "fd12::/x", "host"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let strict = Policy::new(false, &[]).resolve("localhost".parse().unwrap()).await;
        let Err(error) = strict else { panic!("localhost must be refused") };
        assert_eq!(error.downcast_ref::<Refused>(), Some(&Refused { host: "localhost".into() }));
        assert!(Policy::new(true, &[]).resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
