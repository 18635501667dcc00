//! Networks: ranges of addresses, as in `10.1.0.0/16, fd12::/48, 10.2.0.7`.

use super::value::{Setting, quoted};
use config::Value;
use ipnet::IpNet;
use std::net::IpAddr;

/// A setting of several networks, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether an address lies in one of them. An IPv4 address in the clothes of an IPv6 one is the IPv4 address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    fn parse(text: &str) -> Option<Self> {
        let each = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        let network = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        each.map(network).collect::<Option<_>>().map(Self)
    }
}

impl Setting for Networks {
    fn expected() -> String {
        "networks such as `10.1.0.0/16, fd12::/48, 10.2.0.7`".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        Self::parse(&String::read(value)?)
    }

    fn to_toml(&self) -> String {
        quoted(&self.0.iter().map(IpNet::to_string).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
impl From<&str> for Networks {
    fn from(text: &str) -> Self {
        Self::parse(text).expect("networks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_its_network() {
        let networks = Networks::from("10.1.0.0/16, fd12::/48 ,192.0.2.7");
        for (address, is_in) in [
            ("10.1.255.255", true),
            ("10.2.0.1", false),
            ("::ffff:10.1.0.1", true),
            ("fd12::1", true),
            ("fd13::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(networks.contain(address.parse().unwrap()), is_in, "{address}");
        }
        for text in ["10.1.0.0/33", "10.1", "proxy.example", "*"] {
            assert_eq!(Networks::parse(text), None, "{text}");
        }
        assert_eq!(Networks::parse(""), Some(Networks::default()));
    }
}
