//! A sign-in between its two halves: what has to be known again when the browser comes back from the provider.
//!
//! The browser itself keeps it, signed by us, in a cookie that scripts cannot read: nothing has to be remembered here, so
//! nobody can fill a memory with sign-ins that are never finished, and a restart in between does no harm. Who comes back in another
//! browser, or was sent here by somebody else, has no such cookie.

use super::Error;
use crate::domain::Timestamp;
use crate::identity::access_token::Signer;
use crate::identity::tokens;
use serde::{Deserialize, Serialize};

/// How long somebody may take at the provider.
pub const LIFE_SECONDS: i64 = 600;
/// Not that of access tokens: neither is good for the other.
const ISSUER: &str = "callboard/sign-in";
const MICROS_PER_SECOND: i64 = 1_000_000;

/// One sign-in that has begun.
#[derive(Serialize, Deserialize)]
pub struct Attempt {
    iss: String,
    /// Seconds since 1970.
    exp: i64,
    /// The id of the provider.
    provider: String,
    /// What the provider gives back, so that no answer of another sign-in is taken for this one's.
    pub state: String,
    /// What the ID token repeats, so that none of another sign-in is taken for this one's.
    pub nonce: String,
    /// What the code is worth nothing without.
    pub verifier: String,
    /// Where the provider sends the browser back to.
    pub return_to: String,
    /// Where the person wanted to go.
    pub next: Option<String>,
}

impl Attempt {
    /// A fresh one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(
        provider: &str,
        return_to: String,
        next: Option<String>,
        now: Timestamp,
    ) -> Result<Self, crate::identity::Error> {
        Ok(Self {
            iss: ISSUER.to_owned(),
            exp: now.as_micros().div_euclid(MICROS_PER_SECOND).saturating_add(LIFE_SECONDS),
            provider: provider.to_owned(),
            state: tokens::secret()?,
            nonce: tokens::secret()?,
            verifier: tokens::secret()?,
            return_to,
            next,
        })
    }

    /// As the browser keeps it.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn seal(&self, signer: &Signer) -> Result<String, crate::identity::Error> {
        signer.seal(self)
    }

    /// What a browser has kept, if it belongs to this answer of this provider.
    ///
    /// # Errors
    /// [`Error::NotBegun`].
    pub fn open(
        signer: &Signer,
        sealed: Option<&str>,
        provider: &str,
        state: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let attempt: Self = sealed.and_then(|sealed| signer.open(sealed, ISSUER)).ok_or(Error::NotBegun)?;
        let ends_at = Timestamp::from_micros(attempt.exp.saturating_mul(MICROS_PER_SECOND));
        let is_same = state.is_some_and(|state| tokens::are_equal(state, &attempt.state));
        if is_same && attempt.provider == provider && now < ends_at { Ok(attempt) } else { Err(Error::NotBegun) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_answer_in_time_is_taken() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let signer = Signer::new(vec!["k".repeat(32)]);
        let attempt = Attempt::new("company", "https://a.example/back".into(), Some("/queue".into()), now).unwrap();
        let (state, sealed) = (attempt.state.clone(), attempt.seal(&signer).unwrap());
        let open = |sealed: Option<&str>, provider, state: Option<&str>, seconds: i64| {
            Attempt::open(&signer, sealed, provider, state, now.plus_micros(seconds * MICROS_PER_SECOND)).is_ok()
        };
        assert!(open(Some(&sealed), "company", Some(&state), 599));
        assert!(!open(Some(&sealed), "company", Some(&state), 600), "too late");
        assert!(!open(Some(&sealed), "other", Some(&state), 0), "another provider");
        assert!(!open(Some(&sealed), "company", Some("guessed"), 0), "another state");
        assert!(!open(Some(&sealed), "company", None, 0));
        assert!(!open(None, "company", Some(&state), 0), "another browser");
        let forger = Signer::new(vec!["f".repeat(32)]);
        let forged = attempt.seal(&forger).unwrap();
        assert!(!open(Some(&forged), "company", Some(&state), 0), "not signed by us");
    }
}
