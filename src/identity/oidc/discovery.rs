//! What a provider says about itself: where its addresses are, and with which keys it signs. Both are remembered for an hour.
//!
//! Providers change their keys. A token that names a key which is not known makes them be fetched again, once per token:
//! tokens come from the provider itself, so nobody else can cause that.

use super::transport::Transport;
use super::{Error, Options};
use crate::domain::Timestamp;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

const PATH: &str = "/.well-known/openid-configuration";
/// How long what was fetched is good.
const LIFE_US: i64 = 3_600 * 1_000_000;

/// Where a provider's addresses are, as far as we use them.
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    /// Absent means `client_secret_basic`.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether it names itself when it sends somebody back (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// Keys in the form in which they are published. One that is of an unknown kind does not spoil the others.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Default)]
struct Memory {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    keys: Option<(Arc<[Jwk]>, Timestamp)>,
}

/// What is known of one provider.
pub struct Discovery {
    address: String,
    issuer: String,
    /// Not held while something is fetched: a provider that does not answer makes nobody wait for somebody else.
    memory: Mutex<Memory>,
}

impl Discovery {
    pub fn new(options: &Options) -> Self {
        let issuer = options.issuer_text.clone();
        Self { address: format!("{}{PATH}", issuer.trim_end_matches('/')), issuer, memory: Mutex::default() }
    }

    /// Where its addresses are.
    ///
    /// # Errors
    /// When it cannot be reached, or is not who it should be.
    pub async fn metadata(&self, transport: &Transport, now: Timestamp) -> Result<Arc<Metadata>, Error> {
        let known = self.memory().metadata.clone().filter(|(_, at)| is_fresh(*at, now));
        if let Some((metadata, _)) = known {
            return Ok(metadata);
        }
        let address = Url::parse(&self.address).map_err(|error| Error::NotAccepted(error.to_string()))?;
        let metadata: Metadata = transport.get_json(&address, None).await?;
        check(&metadata, &self.issuer)?;
        let metadata = Arc::new(metadata);
        self.memory().metadata = Some((Arc::clone(&metadata), now));
        Ok(metadata)
    }

    /// The key that a token names in its header.
    ///
    /// # Errors
    /// When the provider has no such key, or cannot be reached.
    pub async fn key(&self, transport: &Transport, header: &Header, now: Timestamp) -> Result<DecodingKey, Error> {
        let known = self.memory().keys.clone().filter(|(_, at)| is_fresh(*at, now));
        if let Some(key) = known.and_then(|(keys, _)| find(&keys, header)) {
            return Ok(key);
        }
        let metadata = self.metadata(transport, now).await?;
        let set: KeySet = transport.get_json(&metadata.jwks_uri, None).await?;
        let keys: Arc<[Jwk]> = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        self.memory().keys = Some((Arc::clone(&keys), now));
        let unknown = "the ID token is signed with a key that the provider does not publish";
        find(&keys, header).ok_or_else(|| Error::NotAccepted(unknown.to_owned()))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.micros_since(at) < LIFE_US
}

/// An issuer answers for its own name only, and an encrypted one leads to encrypted addresses only.
fn check(metadata: &Metadata, issuer: &str) -> Result<(), Error> {
    if metadata.issuer != issuer {
        return Err(Error::NotAccepted(format!("it names itself '{}' and not '{issuer}'", metadata.issuer)));
    }
    let Metadata { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, .. } = metadata;
    let addresses = [authorization_endpoint, token_endpoint, jwks_uri].into_iter().chain(userinfo_endpoint);
    let is_plain = |url: &&Url| url.scheme() != "https";
    match addresses.into_iter().find(is_plain) {
        Some(plain) if issuer.starts_with("https:") => {
            Err(Error::NotAccepted(format!("it leads to {plain}, which is not encrypted")))
        }
        Some(_) | None => Ok(()),
    }
}

/// The key of a header: the one it names, or the only one that fits when it names none.
fn find(keys: &[Jwk], header: &Header) -> Option<DecodingKey> {
    let family = header.alg.family();
    let is_for_signing =
        |key: &&Jwk| key.common.public_key_use.as_ref().is_none_or(|is| *is == PublicKeyUse::Signature);
    let is_named = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
    let named = keys.iter().filter(is_for_signing).filter(is_named);
    let mut fitting = named.filter_map(|key| DecodingKey::from_jwk(key).ok()).filter(|key| key.family() == family);
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    fn metadata(issuer: &str, endpoint: &str) -> Metadata {
        let url = |path: &str| format!("{endpoint}{path}");
        let document = json!({
            "issuer": issuer, "authorization_endpoint": url("/auth"), "token_endpoint": url("/token"),
            "jwks_uri": url("/jwks"),
        });
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn a_provider_answers_for_its_own_name_only() {
        let issuer = "https://login.example.com";
        assert!(check(&metadata(issuer, issuer), issuer).is_ok());
        assert!(check(&metadata("https://login.example.com/", issuer), issuer).is_err());
        assert!(check(&metadata(issuer, "http://login.example.com"), issuer).is_err());
        assert!(check(&metadata("http://localhost:1", "http://localhost:1"), "http://localhost:1").is_ok());
    }

    #[test]
    fn a_key_is_found_by_its_name_and_kind() {
        let set = json!([
            { "kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB" },
            { "kty": "RSA", "kid": "b", "use": "enc", "n": "AQAB", "e": "AQAB" },
            { "kty": "EC", "kid": "c", "crv": "P-256", "x": "AQAB", "y": "AQAB" },
            { "kty": "oct", "kid": "d", "k": "AQAB" },
            { "kty": "OKP", "kid": "e", "crv": "X25519", "x": "AQAB" },
        ]);
        let keys: Vec<Jwk> = serde_json::from_value(set).unwrap();
        let finds = |algorithm, kid: Option<&str>| {
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
            find(&keys, &header).is_some()
        };
        assert!(finds(Algorithm::RS256, Some("a")) && finds(Algorithm::ES256, Some("c")));
        assert!(finds(Algorithm::RS256, None), "the only one that signs");
        assert!(!finds(Algorithm::RS256, Some("b")), "it is for encryption");
        assert!(!finds(Algorithm::RS256, Some("c")) && !finds(Algorithm::ES256, Some("a")), "another kind");
        assert!(!finds(Algorithm::RS256, Some("z")));
    }
}
