//! Access tokens: JSON Web Tokens that say which sign-in they belong to, for a quarter of an hour.

use super::cache::{Known, Name};
use super::{Error, Identity, Proof, Standing, signatures, unknown};
use crate::domain::{Principal, PrincipalKind, Scopes, SessionId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const ISSUER: &str = "callboard";
const MICROS_PER_SECOND: i64 = 1_000_000;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The person.
    sub: UserId,
    /// The sign-in.
    sid: SessionId,
    /// Seconds since 1970.
    iat: i64,
    exp: i64,
}

/// Signs and checks tokens.
pub struct Signer {
    signing: Option<EncodingKey>,
    accepted: Vec<DecodingKey>,
}

impl Signer {
    /// The first secret signs, all are accepted: a new one is put in front, the old one stays for as long as its tokens live.
    pub fn new(secrets: Vec<String>) -> Self {
        signatures::install();
        Self {
            signing: secrets.first().map(|secret| EncodingKey::from_secret(secret.as_bytes())),
            accepted: secrets.iter().map(|secret| DecodingKey::from_secret(secret.as_bytes())).collect(),
        }
    }

    pub fn sign(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<String, Error> {
        let seconds = |at: Timestamp| at.as_micros().div_euclid(MICROS_PER_SECOND);
        let claims =
            Claims { iss: ISSUER.to_owned(), sub: user, sid: session, iat: seconds(now), exp: seconds(expires_at) };
        self.seal(&claims)
    }

    /// Signs whatever is said.
    ///
    /// # Errors
    /// When there is no key.
    pub fn seal(&self, claims: &impl Serialize) -> Result<String, Error> {
        let key = self.signing.as_ref().ok_or_else(|| Error::SigningKey { reason: "there is none".to_owned() })?;
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, key)?)
    }

    /// What we have signed as an issuer, however long ago.
    pub fn open<T: DeserializeOwned>(&self, token: &str, issuer: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        // Our own clock says what has expired.
        validation.validate_exp = false;
        let read = |key| jsonwebtoken::decode::<T>(token, key, &validation).ok();
        self.accepted.iter().find_map(read).map(|read| read.claims)
    }

    /// The session and the end of a token that we have signed, also of one that has expired.
    fn read(&self, token: &str) -> Result<(SessionId, Timestamp), Error> {
        let claims: Claims = self.open(token, ISSUER).ok_or(Error::InvalidCredential)?;
        Ok((claims.sid, Timestamp::from_micros(claims.exp.saturating_mul(MICROS_PER_SECOND))))
    }
}

impl Identity {
    pub(super) async fn authenticate_access_token(&self, token: &str) -> Result<Standing, Error> {
        let (session, expires_at) = self.signer.read(token)?;
        if self.clock.now() >= expires_at {
            return Err(Error::TokenExpired);
        }
        let known = self.known_session(session).await?;
        Ok(Standing {
            principal: known.principal.clone(),
            expires_at: Some(expires_at),
            proof: Proof::Session(session),
        })
    }

    pub(super) async fn known_session(&self, id: SessionId) -> Result<Arc<Known>, Error> {
        let name = Name::Session(id);
        let generation = self.store.people_generation();
        if let Some(known) = self.cache.get(generation, &name) {
            return Ok(known);
        }
        let session = self.store.session(id).await.map_err(unknown)?;
        if session.revoked_at.is_some() || session.expires_at <= self.clock.now() {
            return Err(Error::InvalidCredential);
        }
        let user = self.store.user(session.tenant_id, session.user_id).await.map_err(unknown)?;
        let tenant = self.store.tenant(session.tenant_id).await.map_err(unknown)?;
        if !user.is_active || !tenant.is_active {
            return Err(Error::InvalidCredential);
        }
        let principal = Principal {
            kind: PrincipalKind::User,
            id: user.id.0,
            tenant_id: user.tenant_id,
            owner_id: user.id.0,
            role: user.role,
            scopes: Scopes::default(),
            name: user.display_name,
        };
        Ok(self.cache.put(generation, name, Known { principal, key: None, expires_at: Some(session.expires_at) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn token(signer: &Signer) -> String {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        signer.sign(UserId(Uuid::nil()), SessionId(Uuid::from_u128(7)), now, now.plus_millis(900_000)).unwrap()
    }

    #[test]
    fn a_token_of_an_earlier_key_is_accepted_as_long_as_the_key_is_listed() {
        let old = Signer::new(vec!["o".repeat(32)]);
        let rotated = Signer::new(vec!["n".repeat(32), "o".repeat(32)]);
        let (session, expires_at) = rotated.read(&token(&old)).unwrap();
        assert_eq!(session, SessionId(Uuid::from_u128(7)));
        assert_eq!(expires_at, Timestamp::from_micros(1_700_000_900_000_000));
        assert!(old.read(&token(&rotated)).is_err());
    }

    #[test]
    fn a_token_that_was_changed_or_is_not_signed_is_refused() {
        let signer = Signer::new(vec!["k".repeat(32)]);
        let good = token(&signer);
        let (head, tail) = good.rsplit_once('.').unwrap();
        let (header, _) = head.split_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let claims = head.split_once('.').unwrap().1;
        for forged in [
            String::new(),
            format!("{head}."),
            format!("{none}.{claims}."),
            format!("{none}.{claims}.{tail}"),
            format!("{header}.e30.{tail}"),
            format!("{head}.{}", tail.chars().rev().collect::<String>()),
        ] {
            assert!(signer.read(&forged).is_err(), "{forged}");
        }
    }
}
