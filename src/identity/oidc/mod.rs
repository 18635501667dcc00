//! Signing in with an OpenID Connect provider: the authorization code flow with PKCE.
//!
//! A browser is sent to the provider with a fresh state, nonce and challenge ([`attempt`]), comes back with a code, and the code
//! is exchanged for an ID token ([`exchange`]). The token's signature and claims are checked ([`id_token`]) with the keys
//! that the provider publishes ([`discovery`]), what it says about the person is read ([`person`]), and the person is let in
//! as a role of a tenant ([`sign_in`]). From there on it is a sign-in like any other.
//!
//! Addresses of providers are the operator's choice, in the settings: the rules for addresses that workflows call do not apply
//! to them. Nothing is asked of a provider before somebody wants to sign in with it, so one that is away keeps nothing
//! else from working.

mod attempt;
mod discovery;
mod exchange;
mod id_token;
mod mapping;
mod person;
mod sign_in;
mod transport;

pub use mapping::Mapping;
pub use sign_in::{Begun, Returned};

use crate::domain::{Role, UserId};
use discovery::Discovery;
use std::fmt;
use std::sync::Arc;
use transport::Transport;
use url::Url;

/// One provider, as the settings describe it.
#[derive(Clone)]
pub struct Options {
    /// What names it in addresses.
    pub id: String,
    /// What people read.
    pub label: String,
    /// How the provider names itself; its addresses are found below.
    pub issuer: Url,
    /// The same, letter by letter: issuers are compared as texts.
    pub issuer_text: String,
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<String>,
    pub scopes: Vec<String>,
    pub email_claim: String,
    pub groups_claim: String,
    /// Which role a group gives. Of several the highest counts.
    pub roles: Mapping<Role>,
    /// Which tenant, by its slug, a group leads to. Of several the first counts.
    pub tenants: Mapping<String>,
    /// Whether addresses of the provider count as verified although it does not say so.
    pub trust_email: bool,
    /// Whether somebody who is known here by a verified address comes in as that person.
    pub link_by_email: bool,
}

impl fmt::Debug for Options {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("id", &self.id)
            .field("issuer", &self.issuer_text)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Why somebody did not come in with a provider.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("there is no provider of this name")]
    UnknownProvider,
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// It answered with an error, or with something that does not hold.
    #[error("the provider's answer is not accepted: {0}")]
    NotAccepted(String),
    #[error("the sign-in was cancelled at the provider")]
    Cancelled,
    /// It began too long ago, in another browser, or somewhere else altogether.
    #[error("the sign-in was not begun in this browser, or too long ago")]
    NotBegun,
    #[error("the provider gives no verified e-mail address")]
    NoEmail,
    #[error("the e-mail address belongs to somebody who signs in another way")]
    AddressTaken,
    #[error("no group of the person gives them a role or a tenant")]
    NoRole,
    #[error("the person or their tenant is not active")]
    Inactive,
    #[error(
        "the person {person} belongs to the tenant '{own}', and their groups lead to '{wanted}': change their groups or \
         the setting `tenants`, or remove them from '{own}', and the next sign-in makes them anew in '{wanted}'"
    )]
    OtherTenant { person: UserId, own: String, wanted: String },
    #[error(transparent)]
    Identity(#[from] super::Error),
}

impl Error {
    /// The word that the sign-in page explains.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnknownProvider => "provider_unknown",
            Self::Unavailable(_) => "provider_unavailable",
            Self::NotAccepted(_) => "provider_failed",
            Self::Cancelled => "cancelled",
            Self::NotBegun => "not_begun",
            Self::NoEmail => "no_email",
            Self::AddressTaken => "address_taken",
            Self::NoRole => "no_role",
            Self::Inactive => "inactive",
            Self::OtherTenant { .. } => "other_tenant",
            Self::Identity(_) => "service_failed",
        }
    }
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        Self::Identity(super::Error::Store(error))
    }
}

/// A provider at work.
pub struct Provider {
    options: Options,
    transport: Transport,
    discovery: Discovery,
}

/// All providers, in the order of the settings.
#[derive(Clone, Default)]
pub struct Providers(Arc<[Provider]>);

impl Providers {
    /// # Errors
    /// When there is no HTTP client to be had.
    pub fn new(options: Vec<Options>) -> Result<Self, super::Error> {
        let provider = |options: Options| {
            let transport = Transport::new(&options.issuer)?;
            Ok(Provider { discovery: Discovery::new(&options), options, transport })
        };
        Ok(Self(options.into_iter().map(provider).collect::<Result<_, super::Error>>()?))
    }

    /// Id and label of each.
    pub fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|provider| (provider.options.id.as_str(), provider.options.label.as_str()))
    }

    fn find(&self, id: &str) -> Result<&Provider, Error> {
        self.0.iter().find(|provider| provider.options.id == id).ok_or(Error::UnknownProvider)
    }
}
