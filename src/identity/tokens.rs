//! Secrets that we hand out: what they look like, and how they are compared. Only their digests are kept.

use super::Error;
use crate::store::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

/// 256 bits: nobody guesses it, so that a fast digest is enough to keep it.
const SECRET_BYTES: usize = 32;
/// Enough to tell all keys apart.
const PREFIX_BYTES: usize = 6;
/// What every API key begins with, so that scanners of source code find one that was checked in.
const KEY_MARK: &str = "cb_";
const PREFIX_CHARACTERS: usize = 2 * PREFIX_BYTES;

/// Random bytes.
///
/// # Errors
/// When the operating system has none.
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::SigningKey { reason: "the operating system gives no random numbers".to_owned() })?;
    Ok(bytes)
}

/// A fresh secret as text: letters, digits, `-` and `_`.
///
/// # Errors
/// As [`random`].
pub fn secret() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?))
}

/// The digest of a secret, as it is kept.
pub fn digest_of(secret: &str) -> String {
    digest(secret.as_bytes())
}

/// Whether two digests are the same; takes the same time whatever they hold.
pub fn are_equal(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// An API key as its holder writes it: `cb_<prefix>_<secret>`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText {
    pub prefix: String,
    pub secret: String,
}

impl ApiKeyText {
    /// A fresh one.
    ///
    /// # Errors
    /// As [`random`].
    pub fn new() -> Result<Self, Error> {
        let prefix = random::<PREFIX_BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { prefix, secret: secret()? })
    }

    /// Reads one; `None` when the text has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, secret) = text.strip_prefix(KEY_MARK)?.split_once('_')?;
        let is_prefix = prefix.len() == PREFIX_CHARACTERS && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_prefix && !secret.is_empty()).then(|| Self { prefix: prefix.to_owned(), secret: secret.to_owned() })
    }

    /// As its holder writes it.
    pub fn text(&self) -> String {
        format!("{KEY_MARK}{}_{}", self.prefix, self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_other_texts() {
        let key = ApiKeyText::new().unwrap();
        assert!(ApiKeyText::parse(&key.text()).is_some_and(|parsed| parsed == key));
        for other in ["", "cb_", "cb_abc_def", "cb_000000000000_", "eyJhbGciOi.e30.x", "cb_00000000000g_abc"] {
            assert!(ApiKeyText::parse(other).is_none(), "{other}");
        }
        assert_ne!(key.secret, ApiKeyText::new().unwrap().secret);
        assert_eq!(key.secret.len(), 43);
    }

    #[test]
    fn digests_are_compared_whole() {
        assert!(are_equal(&digest_of("a"), &digest_of("a")));
        assert!(!are_equal(&digest_of("a"), &digest_of("b")));
        assert!(!are_equal("ab", "a"));
    }
}
