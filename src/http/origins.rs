//! Under which names the service answers, and which pages may act: those of the origin that is asked.
//!
//! A web page in somebody's browser must not use it against the service: neither under a name that its owner points at the
//! service's address (DNS rebinding), nor by sending requests across origins. Loopback names and the public addresses of the
//! settings cannot be taken by a stranger; `door` refuses the rest.

use crate::settings::{Origin, Origins as PublicUrls, Scheme};
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};

/// The names of a service.
pub struct Origins(Vec<Origin>);

impl Origins {
    pub fn new(public: &PublicUrls) -> Self {
        Self(public.0.clone())
    }

    /// The origins that a request to a host may belong to, the safest first; none when the service does not answer there.
    /// Which of http and https it is only the settings know, since a proxy may have taken the TLS off.
    pub fn of_host(&self, host: &str) -> Vec<Origin> {
        let under = |scheme| Origin::of_host(scheme, host);
        let (plain, secure) = (under(Scheme::Http), under(Scheme::Https));
        let is_here = |origin: &Origin| [&plain, &secure].into_iter().flatten().any(|asked| asked == origin);
        let mut own: Vec<Origin> = self.0.iter().filter(|origin| is_here(origin)).cloned().collect();
        own.extend(plain.filter(Origin::is_loopback));
        own.sort_by_key(|origin| !origin.is_secure());
        own
    }

    /// The origin of a request as the browser that sent it sees it.
    pub fn of_request(&self, uri: &Uri, headers: &HeaderMap) -> Option<Origin> {
        self.of_host(host(uri, headers)).into_iter().next()
    }
}

/// The host that a request is addressed to; empty when it does not say.
pub fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().unwrap_or("?"),
        None => uri.authority().map_or("", |authority| authority.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(public: &[&str]) -> Origins {
        Origins(public.iter().map(|text| Origin::parse(text).unwrap()).collect())
    }

    fn shown(origins: &Origins, host: &str) -> Vec<String> {
        origins.of_host(host).iter().map(Origin::to_string).collect()
    }

    #[test]
    fn loopback_names_are_always_answered() {
        let origins = origins(&[]);
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::1]", "App.LocalHost.:3"]
        {
            assert_eq!(shown(&origins, host).len(), 1, "{host}");
        }
        for host in ["example.org", "localhost.example.org", "10.0.0.1:80", "[::2]", "127.0.0.1.example.org", "[::1"] {
            assert!(shown(&origins, host).is_empty(), "{host}");
        }
    }

    #[test]
    fn public_names_are_answered_on_their_port() {
        let origins = origins(&["https://callboard.example.com", "https://localhost:8443", "http://[fd00::1]:8080"]);
        for host in ["callboard.example.com", "CALLBOARD.example.com.", "callboard.example.com:443"] {
            assert_eq!(shown(&origins, host), ["https://callboard.example.com"], "{host}");
        }
        for host in ["callboard.example.com:80", "callboard.example.com:8080", "example.com", "a.callboard.example.com"]
        {
            assert!(shown(&origins, host).is_empty(), "{host}");
        }
        assert_eq!(shown(&origins, "[fd00:0::1]:8080"), ["http://[fd00::1]:8080"]);
        assert_eq!(shown(&origins, "localhost:8443"), ["https://localhost:8443", "http://localhost:8443"]);
    }
}
