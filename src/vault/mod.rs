//! The vault: the only place that encrypts and opens secrets.
//!
//! XChaCha20-Poly1305 with a random nonce; tenant and name are authenticated with the value, so that a row cannot be moved to
//! another name or tenant. It knows the store and the keys, not executions: the actors ask it for what a definition lists, and
//! [`Vault::open`] is the one place that decides which secrets somebody may read. [`Vault::generation`] tells holders of opened
//! secrets when to ask again. The answers that `http` keeps to give them once more are sealed here as well (`answers`).

mod answers;
mod cipher;
mod keys;

pub use answers::Answered;
use keys::Key;
pub use keys::{Keys, Source};

use crate::clock::Clock;
use crate::domain::secret::{Opened, Sealed, Unavailable};
use crate::domain::{AuditEntry, Secret, Secrets, TenantId};
use crate::store::{self, Store};
use crate::telemetry;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Secrets that a rotation reads at a time.
const ROTATED_PER_READ: u32 = 100;

/// Why the vault did not do what it was asked. Texts never hold values or keys.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the service has no key to encrypt secrets with")]
    NoKeys,
    #[error("{0}")]
    Keys(String),
    #[error("the value cannot be encrypted")]
    Encryption,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What a rotation has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Encrypted anew.
    pub rotated: u64,
    /// Left as they are, because the key they are encrypted with is not known.
    pub unreadable: u64,
}

/// A cheap handle.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    keys: Keys,
    /// Seals answers where there are no keys.
    passing: Key,
    /// Values that were given for the life of this process and go before those of the store.
    given: HashMap<String, Arc<Opened>>,
    /// What is in use, so that executions of the same workflow share it.
    opened: Mutex<HashMap<Listed, (u64, Weak<Secrets>)>>,
}

/// A tenant and the names that a definition lists.
type Listed = (TenantId, Vec<Arc<str>>);

impl Vault {
    pub fn new(store: Store, clock: Arc<dyn Clock>, keys: Keys, given: Vec<(String, Value)>) -> Self {
        let given = given.into_iter().map(|(name, value)| (name, Arc::new(Opened::new(value)))).collect();
        Self(Arc::new(Inner { store, clock, keys, passing: Key::passing(), given, opened: Mutex::default() }))
    }

    /// Says in the log which secrets cannot be opened with the keys that there are.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn check(&self) -> Result<(), Error> {
        for (key_id, secrets) in self.0.store.secret_keys().await? {
            if !self.0.keys.has(&key_id) {
                tracing::error!(key_id, secrets, "secrets are encrypted with a key that the service does not have");
            }
        }
        Ok(())
    }

    /// Whether a key with this id is at hand.
    pub fn has_key(&self, key_id: &str) -> bool {
        self.0.keys.has(key_id)
    }

    /// Changes whenever a secret is stored or deleted.
    pub fn generation(&self) -> u64 {
        self.0.store.secrets_generation()
    }

    /// Encrypts a value and stores it under a name of the tenant, in the place of an earlier one if there is one. The answer
    /// says whether it is new. Name and value have been checked.
    ///
    /// # Errors
    /// [`Error::NoKeys`], [`Error::Encryption`], [`Error::Store`].
    pub async fn put(
        &self,
        tenant_id: TenantId,
        name: String,
        value: Value,
        by: Option<String>,
        audit: AuditEntry,
    ) -> Result<(Secret, bool), Error> {
        let opened = Opened::new(value);
        let sealed = cipher::seal(self.0.keys.current().ok_or(Error::NoKeys)?, tenant_id, &name, opened.value())?;
        let now = self.0.clock.now();
        let secret = Secret { tenant_id, name, created_by: by, created_at: now, updated_at: now, sealed };
        Ok(self.0.store.noting(audit).put_secret(secret).await?)
    }

    /// # Errors
    /// [`Error::Store`], with [`store::Error::NotFound`] when there is none.
    pub async fn delete(&self, tenant_id: TenantId, name: String, audit: AuditEntry) -> Result<(), Error> {
        Ok(self.0.store.noting(audit).delete_secret(tenant_id, name).await?)
    }

    /// Opens secrets of a tenant for an execution whose definition lists them. One that is not there or cannot be opened does
    /// not keep the others from being read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(&self, tenant_id: TenantId, names: &[Arc<str>]) -> Result<Arc<Secrets>, store::Error> {
        let listed = (tenant_id, names.to_vec());
        let generation = self.generation();
        if let Some(known) = self.known(&listed, generation) {
            return Ok(known);
        }
        let secrets = Arc::new(self.read(tenant_id, names).await?);
        telemetry::hide(&secrets);
        let mut opened = self.0.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|_, (_, known)| known.strong_count() > 0);
        opened.insert(listed, (generation, Arc::downgrade(&secrets)));
        Ok(secrets)
    }

    fn known(&self, listed: &Listed, generation: u64) -> Option<Arc<Secrets>> {
        let opened = self.0.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, known) = opened.get(listed).filter(|(since, _)| *since == generation)?;
        known.upgrade()
    }

    async fn read(&self, tenant_id: TenantId, names: &[Arc<str>]) -> Result<Secrets, store::Error> {
        let stored: Vec<String> =
            names.iter().filter(|name| !self.0.given.contains_key(&***name)).map(ToString::to_string).collect();
        let found = if stored.is_empty() { Vec::new() } else { self.0.store.secrets_named(tenant_id, stored).await? };
        let open = |name: &Arc<str>| {
            if let Some(given) = self.0.given.get(&**name) {
                return Ok(Arc::clone(given));
            }
            let secret = found.iter().find(|secret| *secret.name == **name).ok_or(Unavailable::Missing)?;
            self.unseal(secret).map(|value| Arc::new(Opened::new(value)))
        };
        Ok(Secrets::new(names.iter().map(|name| (Arc::clone(name), open(name))).collect()))
    }

    /// Encrypts with the current key whatever is encrypted with an older one, of all tenants, kept answers included. An older key
    /// can be removed from the settings when nothing is left of it. A secret that gets another value meanwhile keeps that value.
    ///
    /// # Errors
    /// [`Error::NoKeys`], [`Error::Encryption`], [`Error::Store`]. What was rotated before stays so.
    pub async fn rotate(&self) -> Result<Rotation, Error> {
        let key = self.0.keys.current().ok_or(Error::NoKeys)?;
        let mut rotation = Rotation::default();
        let mut after = None;
        loop {
            let store = &self.0.store;
            let secrets = store.secrets_under_other_keys(key.id().to_owned(), after.take(), ROTATED_PER_READ).await?;
            let Some(last) = secrets.last() else { break };
            after = Some((last.tenant_id, last.name.clone()));
            for secret in secrets {
                let Ok(value) = self.unseal(&secret) else {
                    rotation.unreadable += 1;
                    continue;
                };
                let opened = Opened::new(value);
                let sealed = cipher::seal(key, secret.tenant_id, &secret.name, opened.value())?;
                if store.reseal_secret(secret, sealed).await? {
                    rotation.rotated += 1;
                }
            }
        }
        self.rotate_answers(key).await?;
        Ok(rotation)
    }

    fn unseal(&self, secret: &Secret) -> Result<Value, Unavailable> {
        let Sealed { key_id, .. } = &secret.sealed;
        if self.0.keys.is_empty() {
            return Err(Unavailable::NoKeys);
        }
        let key = self.0.keys.get(key_id).ok_or(Unavailable::Unreadable)?;
        cipher::open(key, secret.tenant_id, &secret.name, &secret.sealed).ok_or(Unavailable::Unreadable)
    }
}
