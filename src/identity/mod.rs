//! Identity: who somebody is. Passwords, sign-ins, access tokens, API keys, tickets, and the first start.
//!
//! A credential comes in, a [`Standing`] goes out: the principal, and until when that holds. What a principal may do is not
//! decided here but in `domain::permission`. Whichever way somebody signs in, by password, by a link or with a provider
//! ([`oidc`]), it ends with a [`User`](crate::domain::User) in the store and [`Identity::begin_session`].
//!
//! Called by `http`, `cli` and `startup`. Knows the store and a clock; knows nothing of HTTP.

mod access_token;
mod api_keys;
mod audit;
mod cache;
mod error;
mod first_start;
pub mod oidc;
mod password;
mod sessions;
mod signatures;
mod signing_key;
mod throttle;
mod tickets;
mod tokens;

pub use api_keys::{IssuedKey, NewKey};
pub use audit::{Change, Writer};
pub use error::Error;
pub use first_start::FirstSignIn;
pub use password::{MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS, check_password};
pub use sessions::{Profile, SignedIn, checked_email, checked_name};

use crate::clock::Clock;
use crate::domain::{ApiKeyId, AuditEntry, Principal, SessionId, TenantId, Timestamp};
use crate::store::{self, Store};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How identity works.
#[derive(Clone)]
pub struct Options {
    /// Secrets that sign access tokens: the first one signs, all are accepted. Empty: one is generated and kept in
    /// `directory`.
    pub signing_keys: Vec<String>,
    /// Where the generated signing key and the token of the first sign-in are kept.
    pub directory: PathBuf,
    /// How long an access token is good.
    pub access_token_life: Duration,
    /// How long somebody stays signed in without typing the password again.
    pub session_life: Duration,
    /// Providers that people may sign in with.
    pub providers: Vec<oidc::Options>,
    /// For how long a refresh token may come again after its use without being taken for stolen: two windows of a browser may
    /// refresh at the same time.
    pub refresh_grace: Duration,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signing_keys, directory, access_token_life, session_life, refresh_grace, providers } = self;
        f.debug_struct("Options")
            .field("signing_keys", &signing_keys.len())
            .field("directory", directory)
            .field("access_token_life", access_token_life)
            .field("session_life", session_life)
            .field("providers", providers)
            .field("refresh_grace", refresh_grace)
            .finish()
    }
}

/// A cheap handle.
#[derive(Clone)]
pub struct Identity {
    store: Store,
    clock: Arc<dyn Clock>,
    options: Arc<Options>,
    signer: Arc<access_token::Signer>,
    cache: Arc<cache::Cache>,
    uses: Arc<api_keys::Uses>,
    hashing: password::Hashing,
    throttle: Arc<throttle::Throttle>,
    tickets: Arc<tickets::Tickets>,
    providers: oidc::Providers,
}

/// Who somebody has shown to be, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub principal: Principal,
    /// Absent for a key that does not expire.
    pub expires_at: Option<Timestamp>,
    proof: Proof,
}

/// What stands behind a [`Standing`], so that it can be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    Key { prefix: String, id: ApiKeyId },
    Session(SessionId),
}

impl Standing {
    /// The session behind it; absent for a key.
    pub fn session(&self) -> Option<SessionId> {
        match &self.proof {
            Proof::Session(id) => Some(*id),
            Proof::Key { .. } => None,
        }
    }
}

impl Identity {
    /// Makes identity ready: reads or makes the signing key. Blocks for a file.
    ///
    /// # Errors
    /// When the signing key cannot be read or made, or there is no HTTP client to ask providers with.
    pub fn start(store: Store, clock: Arc<dyn Clock>, options: Options) -> Result<Self, Error> {
        let keys = signing_key::load(&options)?;
        Ok(Self {
            signer: Arc::new(access_token::Signer::new(keys)),
            cache: Arc::default(),
            uses: Arc::default(),
            hashing: password::Hashing::default(),
            throttle: Arc::new(throttle::Throttle::new(Arc::clone(&clock))),
            tickets: Arc::default(),
            providers: oidc::Providers::new(options.providers.clone())?,
            options: Arc::new(options),
            store,
            clock,
        })
    }

    /// Whoever shows a credential: an API key (`cb_…`) or an access token.
    ///
    /// # Errors
    /// [`Error::InvalidCredential`], [`Error::TokenExpired`], or a store that cannot be read.
    pub async fn authenticate(&self, credential: &str) -> Result<Standing, Error> {
        match tokens::ApiKeyText::parse(credential) {
            Some(key) => self.authenticate_key(&key).await,
            None => self.authenticate_access_token(credential).await,
        }
    }

    /// Whether somebody who has shown a credential earlier is still welcome, and as whom: keys are revoked, people change
    /// roles.
    ///
    /// # Errors
    /// As [`Identity::authenticate`].
    pub async fn confirm(&self, standing: &Standing) -> Result<Standing, Error> {
        // Whoever is not welcome any more is told so, whether their token has ended or not: it would give them time for another.
        let known = match &standing.proof {
            Proof::Key { prefix, .. } => self.known_key(prefix).await?,
            Proof::Session(id) => self.known_session(*id).await?,
        };
        if standing.expires_at.is_some_and(|expires_at| self.clock.now() >= expires_at) {
            return Err(Error::TokenExpired);
        }
        Ok(Standing { principal: known.principal.clone(), ..standing.clone() })
    }

    /// Changes whenever [`Identity::confirm`] may answer differently from before, but for the time.
    pub fn changes(&self) -> u64 {
        self.store.people_generation()
    }

    /// An entry of the audit as of now, to be stored together with what it is about.
    pub fn entry(&self, writer: &Writer, tenant_id: TenantId, change: Change) -> AuditEntry {
        writer.entry(tenant_id, change, self.clock.now())
    }

    /// Brings the database up to date with what is only remembered: when keys were used last. To be called now and then.
    pub async fn tidy(&self) {
        self.tickets.forget_expired(self.clock.now());
        let uses = self.uses.take();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.store.touch_api_keys(uses).await {
            // The next use of a key is noted again.
            tracing::warn!(%error, "the last uses of API keys could not be stored");
        }
    }

    /// Tidies up for the last time.
    pub async fn close(&self) {
        self.tidy().await;
    }
}

/// A read of the store that finds nothing, as a credential that is not valid.
fn unknown(error: store::Error) -> Error {
    let is_gone = matches!(error, store::Error::NotFound | store::Error::TenantGone);
    if is_gone { Error::InvalidCredential } else { Error::Store(error) }
}
