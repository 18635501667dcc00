//! Answers that are kept to be given once more, sealed together with the digest of the request that they belong to: an answer
//! may hold a fresh key, a request a password that somebody could guess from a plain digest.
//!
//! Called by `http`. Where the service has no keys, a passing one takes their place: such answers can be given once more until
//! the service ends.

use super::keys::Key;
use super::{Error, ROTATED_PER_READ, Vault, cipher};
use crate::domain::TenantId;
use crate::domain::secret::Sealed;
use crate::store::KeptAnswer;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A request and its answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The digest of the request.
    pub request_digest: String,
    /// The body of the answer.
    pub body: String,
}

/// What is authenticated with an answer. The tenant's id has a fixed length, so that no two pairs look the same.
fn context(tenant_id: TenantId, key: &str) -> String {
    format!("callboard/answer/1/{tenant_id}/{key}")
}

impl Vault {
    /// Seals an answer under the key of its request.
    ///
    /// # Errors
    /// [`Error::Encryption`].
    pub fn seal_answer(&self, tenant_id: TenantId, key: &str, answered: &Answered) -> Result<Sealed, Error> {
        let plain = Zeroizing::new(serde_json::to_string(answered).map_err(|_| Error::Encryption)?);
        cipher::seal_text(self.0.keys.current().unwrap_or(&self.0.passing), &context(tenant_id, key), &plain)
    }

    /// `None` when it was sealed with a key that the service does not have (any more), or the row was changed.
    pub fn open_answer(&self, kept: &KeptAnswer) -> Option<Answered> {
        let plain = self.plain(kept)?;
        serde_json::from_slice(&plain).ok()
    }

    /// Seals with a key whatever is sealed with another one. What cannot be opened is left to expire.
    pub(super) async fn rotate_answers(&self, key: &Key) -> Result<(), Error> {
        let mut after = None;
        loop {
            let store = &self.0.store;
            let answers = store.answers_under_other_keys(key.id().to_owned(), after.take(), ROTATED_PER_READ).await?;
            let Some(last) = answers.last() else { return Ok(()) };
            after = Some((last.tenant_id, last.key.clone()));
            for kept in answers {
                let plain = self.plain(&kept);
                let Some(plain) = plain.as_deref().and_then(|plain| std::str::from_utf8(plain).ok()) else { continue };
                let sealed = cipher::seal_text(key, &context(kept.tenant_id, &kept.key), plain)?;
                store.reseal_answer(kept, sealed).await?;
            }
        }
    }

    fn plain(&self, kept: &KeptAnswer) -> Option<Zeroizing<Vec<u8>>> {
        let id = kept.sealed.key_id.as_str();
        let passing = Some(&self.0.passing).filter(|passing| passing.id() == id);
        let key = self.0.keys.get(id).or(passing)?;
        cipher::open_text(key, &context(kept.tenant_id, &kept.key), &kept.sealed)
    }
}
