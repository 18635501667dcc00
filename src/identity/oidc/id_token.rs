//! ID tokens: what a provider says about somebody, signed. Everything that makes one good is checked here: signature, issuer,
//! audience, times, nonce (OpenID Connect Core 1.0, 3.1.3.7).

use super::Error;
use crate::domain::Timestamp;
use crate::identity::tokens;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};
use std::time::Duration;

/// What is said, by name.
pub type Claims = Map<String, Value>;

/// Signatures with a public key. None of those with the client's secret: it would have to be as good as a key.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// How far the provider's clock may be off.
const LEEWAY_US: i64 = 60 * 1_000_000;
/// Providers give no longer ones (Core 1.0, section 2).
const MAX_SUBJECT_CHARACTERS: usize = 255;

/// What a token has to say.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: Timestamp,
}

fn refused(reason: &str) -> Error {
    Error::NotAccepted(format!("the ID token {reason}"))
}

/// Which key a token names, before anything it says is believed.
///
/// # Errors
/// For a token that is none, or is signed in a way that is not accepted.
pub fn header(token: &str) -> Result<Header, Error> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| refused("is not one, or signed in an unknown way"))?;
    if ALGORITHMS.contains(&header.alg) { Ok(header) } else { Err(refused("is not signed with a public key")) }
}

/// What a token says, if all of it holds.
///
/// # Errors
/// [`Error::NotAccepted`] with what does not hold.
pub fn claims(token: &str, header: &Header, key: &DecodingKey, expected: &Expected<'_>) -> Result<Claims, Error> {
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
    // Our own clock says what has expired.
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|error| reason(error.kind()))?.claims;
    check_times(&claims, expected.now)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_for_several = claims.get("aud").and_then(Value::as_array).is_some_and(|several| several.len() > 1);
    match text("azp") {
        Some(party) if party != expected.client_id => return Err(refused("was given to somebody else")),
        None if is_for_several => return Err(refused("is for several and does not say to whom it was given")),
        Some(_) | None => {}
    }
    if !text("nonce").is_some_and(|nonce| tokens::are_equal(nonce, expected.nonce)) {
        return Err(refused("belongs to another sign-in"));
    }
    let is_subject = |subject: &str| (1..=MAX_SUBJECT_CHARACTERS).contains(&subject.chars().count());
    if text("sub").is_some_and(is_subject) { Ok(claims) } else { Err(refused("does not say who somebody is")) }
}

fn reason(kind: &ErrorKind) -> Error {
    if let ErrorKind::MissingRequiredClaim(claim) = kind {
        return refused(&format!("has no {claim}"));
    }
    let known = [
        (ErrorKind::InvalidSignature, "has a wrong signature"),
        (ErrorKind::InvalidIssuer, "comes from another issuer"),
        (ErrorKind::InvalidAudience, "is for somebody else"),
    ];
    let found = known.iter().find(|(known, _)| std::mem::discriminant(known) == std::mem::discriminant(kind));
    refused(found.map_or("is not understood", |(_, reason)| *reason))
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Error> {
    let at = |name: &str| claims.get(name).and_then(instant);
    let ends_at = at("exp").ok_or_else(|| refused("does not say when it ends"))?;
    if now.micros_since(ends_at) >= LEEWAY_US {
        return Err(refused("has expired"));
    }
    let is_early = |at: Timestamp| at.micros_since(now) > LEEWAY_US;
    if at("iat").is_some_and(is_early) || at("nbf").is_some_and(is_early) {
        return Err(refused("is not good yet"));
    }
    Ok(())
}

/// Seconds since 1970, whole or not.
fn instant(value: &Value) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::json;

    const NOW: i64 = 1_700_000_000;

    /// A provider that signs whatever it is told.
    struct Provider {
        pair: EcdsaKeyPair,
        key: DecodingKey,
    }

    impl Provider {
        fn new() -> Self {
            crate::identity::signatures::install();
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let key = DecodingKey::from_ec_components(&encode(x), &encode(y)).unwrap();
            Self { pair, key }
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", encode(header), encode(claims));
            let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
        }
    }

    fn good() -> Value {
        json!({
            "iss": "https://login.example.com", "aud": "callboard", "sub": "ada", "nonce": "n-1",
            "exp": NOW + 300, "iat": NOW,
        })
    }

    fn with(changes: Value) -> Value {
        let mut claims = good();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn read(token: &str, key: &DecodingKey) -> Result<Claims, Error> {
        let now = Timestamp::from_micros(NOW * 1_000_000);
        let (issuer, client_id) = ("https://login.example.com", "callboard");
        claims(token, &header(token)?, key, &Expected { issuer, client_id, nonce: "n-1", now })
    }

    #[test]
    fn a_token_is_good_when_everything_in_it_is() {
        let provider = Provider::new();
        let es256 = json!({ "alg": "ES256", "kid": "a" });
        let verdict = |claims: &Value| read(&provider.token(&es256, claims), &provider.key).map(|_| ());
        verdict(&good()).unwrap();
        verdict(&with(json!({ "aud": ["callboard"], "exp": 1_700_000_300.5, "azp": "callboard" }))).unwrap();
        verdict(&with(json!({ "aud": ["callboard", "other"], "azp": "callboard" }))).unwrap();
        verdict(&with(json!({ "exp": NOW - 59, "iat": NOW + 59 }))).unwrap();
        for (wrong, why) in [
            (json!({ "iss": "https://login.example.com/" }), "another issuer"),
            (json!({ "aud": "other" }), "somebody else"),
            (json!({ "aud": ["callboard", "other"] }), "several"),
            (json!({ "azp": "other" }), "somebody else"),
            (json!({ "nonce": "n-2" }), "another sign-in"),
            (json!({ "nonce": null }), "another sign-in"),
            (json!({ "exp": NOW - 60 }), "expired"),
            (json!({ "exp": "soon" }), ""),
            (json!({ "iat": NOW + 61 }), "not good yet"),
            (json!({ "nbf": NOW + 61 }), "not good yet"),
            (json!({ "sub": "" }), "who somebody is"),
            (json!({ "sub": "a".repeat(256) }), "who somebody is"),
        ] {
            let error = verdict(&with(wrong.clone())).expect_err(&wrong.to_string()).to_string();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_token_that_nobody_signed_is_refused() {
        let (provider, other) = (Provider::new(), Provider::new());
        let es256 = json!({ "alg": "ES256" });
        let token = provider.token(&es256, &good());
        assert!(read(&token, &other.key).is_err(), "signed by somebody else");
        let (head, _) = token.rsplit_once('.').unwrap();
        for forged in [String::new(), head.to_owned(), format!("{head}."), format!("{head}.AAAA")] {
            assert!(read(&forged, &provider.key).is_err(), "{forged}");
        }
        for algorithm in ["none", "HS256", "RS256", "ES384", "ES512"] {
            let token = provider.token(&json!({ "alg": algorithm }), &good());
            assert!(read(&token, &provider.key).is_err(), "{algorithm}");
        }
        // The public key as the secret of a symmetric signature: the classic.
        let confused = jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &good(),
            &jsonwebtoken::EncodingKey::from_secret(provider.pair.public_key().as_ref()),
        );
        assert!(read(&confused.unwrap(), &provider.key).is_err());
    }
}
