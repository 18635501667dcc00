//! Origins: scheme, host and port of an address, as browsers compare them. Whoever answers requests compares them too.

use super::value::{Setting, quoted};
use config::Value;
use std::fmt;
use url::{Host, Url};

/// How an address begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port. Upper case, a final dot of the name and a default port that is written out make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: Host<String>,
    port: u16,
}

impl Origin {
    /// Reads `https://callboard.example.com` or `http://[::1]:8080/`. `None` for anything that is no origin: another scheme,
    /// a name or password, a path, `null`.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let is_bare = url.username().is_empty() && url.password().is_none();
        let is_whole = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !is_bare || !is_whole {
            return None;
        }
        let host = match url.host()? {
            Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(name).to_owned()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        };
        let is_named = !matches!(&host, Host::Domain(name) if name.is_empty());
        is_named.then_some(Self { scheme, host, port: url.port().unwrap_or(scheme.default_port()) })
    }

    /// The origin of what a `Host` header names, reached under a scheme.
    pub fn of_host(scheme: Scheme, host: &str) -> Option<Self> {
        // What else an address may hold would be read as something else than a host.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_plain) {
            return None;
        }
        Self::parse(&format!("{}://{host}", scheme.as_str()))
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether what is sent there is encrypted on its way.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Whether it names the own machine: `localhost`, a name below it, or a loopback address.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        }
    }

    /// Whether it names a machine by its address: no owner of a name can make a browser believe that it is theirs.
    pub fn is_address(&self) -> bool {
        match self.host {
            Host::Domain(_) => false,
            Host::Ipv4(_) | Host::Ipv6(_) => true,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// A setting of several origins, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(pub Vec<Origin>);

impl Setting for Origins {
    fn expected() -> String {
        "addresses such as `https://callboard.example.com`, without a path, separated by commas".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        let text = String::read(value)?;
        let each = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        each.map(Origin::parse).collect::<Option<_>>().map(Self)
    }

    fn to_toml(&self) -> String {
        quoted(&self.0.iter().map(Origin::to_string).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_origin_are_equal() {
        let origin = Origin::parse("https://callboard.example.com").unwrap();
        for spelling in [
            "HTTPS://CallBoard.Example.COM",
            "https://callboard.example.com/",
            "https://callboard.example.com:443",
            "https://callboard.example.com.",
            "https://callboard.example.com.:443/",
        ] {
            assert_eq!(Origin::parse(spelling), Some(origin.clone()), "{spelling}");
        }
        for other in ["http://callboard.example.com", "https://callboard.example.com:8443", "https://example.com"] {
            assert_ne!(Origin::parse(other), Some(origin.clone()), "{other}");
        }
        let address = Origin::parse("http://[0:0:0:0:0:0:0:1]:80").unwrap();
        assert_eq!(
            (Origin::of_host(Scheme::Http, "[::1]"), address.to_string()),
            (Some(address), "http://[::1]".into())
        );
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "null",
            "callboard.example.com",
            "ftp://callboard.example.com",
            "https://",
            "https://.",
            "https://user@callboard.example.com",
            "https://callboard.example.com/path",
            "https://callboard.example.com?a=b",
            "https://callboard.example.com#a",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
        for host in ["", "a@b", "a/b", "a?b", "a#b", "a\\b", "a b", "a\tb", "[::1", "a:b", "a:99999", "%61", "a,b"] {
            assert_eq!(Origin::of_host(Scheme::Http, host), None, "{host}");
        }
    }
}
