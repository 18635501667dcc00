//! Passwords: argon2id, on threads of their own, a few at a time.

use super::Error;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

pub const MIN_PASSWORD_CHARACTERS: usize = 10;
/// Longer ones only cost time.
pub const MAX_PASSWORD_CHARACTERS: usize = 256;

/// Memory of one computation, in KiB: what OWASP recommends for argon2id with two passes and one lane.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Whether a text may become a password.
///
/// # Errors
/// [`Error::Invalid`] with the reason.
pub fn check_password(password: &str) -> Result<(), Error> {
    let length = password.chars().count();
    if (MIN_PASSWORD_CHARACTERS..=MAX_PASSWORD_CHARACTERS).contains(&length) {
        return Ok(());
    }
    let reason = format!("must be {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters, not {length}");
    Err(Error::Invalid { field: "/password", reason })
}

/// Where passwords are hashed. Each computation takes a core and 19 MiB for some hundredths of a second, so only as many
/// run at a time as there are cores.
#[derive(Clone)]
pub struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from))))
    }
}

impl Hashing {
    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    /// [`Error::Hashing`] when there is no randomness.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        self.run(move || {
            let failed = |error: argon2::password_hash::Error| Error::Hashing { reason: error.to_string() };
            Ok(argon2().hash_password(password.as_bytes()).map_err(failed)?.to_string())
        })
        .await
    }

    /// Whether a password has this hash. Without a hash the answer is no, and takes as long.
    ///
    /// # Errors
    /// [`Error::Hashing`] for a hash that cannot be read.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(&NOBODYS_HASH);
            let hash = PasswordHash::new(hash).map_err(|error| Error::Hashing { reason: error.to_string() })?;
            Ok(argon2().verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        // The semaphore is never closed.
        let _permit = self.0.acquire().await;
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(Error::Hashing { reason: error.to_string() }),
        }
    }
}

fn argon2() -> Argon2<'static> {
    // These parameters are within the bounds of the algorithm.
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What is compared with when there is no such person, so that the answer takes as long as for one that there is.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| {
    let hash = argon2().hash_password(b"nobody has this password");
    hash.map(|hash| hash.to_string()).unwrap_or_default()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognized_and_its_hash_says_how_it_was_made() {
        let hashing = Hashing::default();
        let hash = hashing.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hashing.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hashing.verify("battery staple".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!hashing.verify("nobody has this password".to_owned(), None).await.unwrap());
        assert_ne!(hash, hashing.hash("correct horse".to_owned()).await.unwrap(), "the salt is its own");
    }

    #[test]
    fn a_password_has_a_length() {
        assert!(check_password("a".repeat(9).as_str()).is_err());
        assert!(check_password("ä".repeat(10).as_str()).is_ok());
        assert!(check_password("a".repeat(257).as_str()).is_err());
    }
}
