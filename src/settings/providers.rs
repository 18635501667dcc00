//! Providers that people may sign in with: one section each, `identity.oidc.NAME`, as many as there are names.

use super::Problem;
use super::layers::Layers;
use super::reference::{Key, Section, section};
use super::value::{SecretText, Texts};
use url::{Host, Url};

/// The section below which each provider has one of its own.
const PARENT: &str = "identity.oidc";

section! { each
    /// A provider that people may sign in with, over OpenID Connect. NAME is a word of your choice (lower-case letters, digits,
    /// hyphens); the provider has to allow the address of return `PUBLIC_URL/api/v1/auth/oidc/NAME/callback`.
    Provider "identity.oidc.NAME" {
        /// What the button on the sign-in page says; NAME when empty.
        label: String = "",
        /// The provider, letter by letter as it names itself, as in `https://login.example.com/realms/staff`.
        issuer: String = "",
        /// The name under which the provider knows this service.
        client_id: String = "",
        /// The secret that goes with it, or `file:` and the file that it stands in. Empty for a public client.
        client_secret: SecretText = "",
        /// What the provider is asked for, separated by spaces.
        scopes: String = "openid email profile",
        /// The claim with the e-mail address of a person.
        email_claim: String = "email",
        /// The claim with their groups; one inside another is written `realm_access.roles`.
        groups_claim: String = "groups",
        /// Which group makes what of a person, as in `callboard-admins=admin, staff=member`; `*` is everybody. The highest role counts,
        /// at each sign-in; nobody comes in without one.
        roles: Texts = "",
        /// Which group leads to which tenant, by its slug, as in `blue-team=blue, *=default`. The first that fits counts.
        tenants: Texts = "*=default",
        /// Whether e-mail addresses count as verified although the provider does not say so (`email_verified`).
        trust_email: bool = false,
        /// Whether somebody who is known here by a verified address comes in as that person. Otherwise they are refused.
        link_by_email: bool = false,
    }
}

/// A provider and its name.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub provider: Provider,
}

impl Named {
    /// Every provider that a layer has something about, by name.
    pub(super) fn read_all(layers: &Layers, problems: &mut Vec<Problem>) -> Vec<Self> {
        let names = layers.names(PARENT);
        let read = |name: String| {
            let provider = Provider::read_at(layers, &format!("{PARENT}.{name}"), problems);
            Self { name, provider }
        };
        names.into_iter().map(read).collect()
    }

    pub(super) fn to_toml(&self) -> String {
        self.provider.to_toml_at(&format!("{PARENT}.{}", self.name))
    }

    /// The dotted name of one of its keys.
    pub fn key(&self, name: &str) -> String {
        format!("{PARENT}.{}.{name}", self.name)
    }

    /// What has the right type and still cannot work.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let Provider { issuer, client_id, scopes, roles, .. } = &self.provider;
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: String, message: &str| {
            if !holds {
                problems.push(Problem { key, message: message.to_owned() });
            }
        };
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = !self.name.is_empty() && self.name.bytes().all(is_plain);
        require(
            is_name,
            format!("{PARENT}.{}", self.name),
            "is no name of a provider: lower-case letters, digits and hyphens",
        );
        require(
            is_issuer(issuer),
            self.key("issuer"),
            "must be the address that the provider names itself by, beginning with `https://` (`http://` on the own machine)",
        );
        require(!client_id.is_empty(), self.key("client_id"), "must be set");
        let asks = scopes.split_whitespace().any(|scope| scope == "openid");
        require(asks, self.key("scopes"), "must have `openid` among them");
        require(
            !roles.0.is_empty(),
            self.key("roles"),
            "must give somebody a role, as in `callboard-admins=admin, *=member`: nobody could come in",
        );
        problems
    }
}

fn is_issuer(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    is_bare && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}
