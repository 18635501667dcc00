//! Where a request comes from: the other end of its connection, or what a trusted proxy says about it.
//!
//! Every proxy adds the address it was asked by at the end of a list, so the list is read from there: as long as an address is
//! that of a trusted proxy, the one before it counts. What stands further to the front anybody may have written. The door
//! finds it out once per request; limits, sign-ins and the audit ask for it here.

use crate::settings::{self, ForwardedHeader, Networks};
use actix_web::HttpMessage;
use actix_web::http::header::{HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

/// The proxies in front of the service.
pub struct Proxies {
    trusted: Networks,
    header: ForwardedHeader,
}

/// Where the request that carries it comes from.
#[derive(Clone, Copy, Debug)]
struct ClientAddress(IpAddr);

impl Proxies {
    pub fn new(settings: &settings::Server) -> Self {
        Self { trusted: settings.trusted_proxies.clone(), header: settings.forwarded_header }
    }

    /// Finds out where a request comes from, for whoever asks [`of`] later.
    pub fn note(&self, request: &impl HttpMessage, peer: Option<SocketAddr>) {
        if let Some(peer) = peer {
            let address = self.client(peer.ip().to_canonical(), request.headers());
            request.extensions_mut().insert(ClientAddress(address));
        }
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer;
        for hop in self.hops(headers).iter().rev() {
            if !self.trusted.contain(address) {
                break;
            }
            // A word such as `unknown`: the proxy that wrote it is all that is known.
            let Some(before) = hop else { break };
            address = *before;
        }
        address
    }

    /// The addresses in the header, as they stand there; `None` for what is no address.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let name = HeaderName::from_static(self.header.as_str());
        let values = headers.get_all(name).map(|value| value.to_str().unwrap_or_default());
        // A comma in quotes is no part of an address either: what is cut there is no address and ends the walk.
        let elements = values.flat_map(|value| value.split(','));
        elements
            .map(|element| match self.header {
                ForwardedHeader::XForwardedFor => address(element),
                ForwardedHeader::Forwarded => element.split(';').find_map(asked_by),
            })
            .collect()
    }
}

/// The address in `for="[2001:db8::1]:4711"`.
fn asked_by(pair: &str) -> Option<IpAddr> {
    let (name, value) = pair.trim().split_once('=')?;
    if name.eq_ignore_ascii_case("for") { address(value.trim_matches('"')) } else { None }
}

/// An address with or without port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// Where a request comes from; absent only where it came over no network.
pub fn of(request: &impl HttpMessage) -> Option<IpAddr> {
    request.extensions().get::<ClientAddress>().map(|address| address.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn client(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let proxies = Proxies { trusted: Networks::from("127.0.0.1, 10.1.0.0/16"), header };
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn what_strangers_say_is_not_believed() {
        let said = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(client(ForwardedHeader::XForwardedFor, "203.0.113.9", &said), "203.0.113.9");
        assert_eq!(client(ForwardedHeader::XForwardedFor, "127.0.0.1", &said), "192.0.2.1");
        let other = [("forwarded", "for=192.0.2.1")];
        assert_eq!(client(ForwardedHeader::XForwardedFor, "127.0.0.1", &other), "127.0.0.1");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts() {
        let each = |value| client(ForwardedHeader::XForwardedFor, "127.0.0.1", &[("x-forwarded-for", value)]);
        assert_eq!(each("198.51.100.66, 192.0.2.1, 10.1.0.7"), "192.0.2.1");
        assert_eq!(each("10.1.0.8, 10.1.0.7"), "10.1.0.8");
        assert_eq!(each("192.0.2.1:4711"), "192.0.2.1");
        assert_eq!(each("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(each("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(each("192.0.2.1, unknown, 10.1.0.7"), "10.1.0.7");
        assert_eq!(each(""), "127.0.0.1");
        let lines = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "10.1.0.7")];
        assert_eq!(client(ForwardedHeader::XForwardedFor, "127.0.0.1", &lines), "192.0.2.1");
    }

    #[test]
    fn the_standard_header_is_understood() {
        let each = |value| client(ForwardedHeader::Forwarded, "127.0.0.1", &[("forwarded", value)]);
        assert_eq!(each("for=198.51.100.66, For=192.0.2.1;proto=https;by=10.1.0.7"), "192.0.2.1");
        assert_eq!(each("proto=https; for=\"[2001:db8::1]:4711\""), "2001:db8::1");
        assert_eq!(each("for=\"evil, for=192.0.2.1"), "192.0.2.1", "an open quote swallows nothing");
        assert_eq!(each("for=_hidden"), "127.0.0.1");
    }
}
