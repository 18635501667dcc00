//! API keys: made, shown once, recognized, and noted when they are used.

use super::audit::{Change, Writer};
use super::cache::{Known, Name};
use super::tokens::{ApiKeyText, are_equal, digest_of};
use super::{Error, Identity, Proof, Standing, unknown};
use crate::clock;
use crate::domain::{
    ApiKey, ApiKeyId, AuditEntry, Principal, PrincipalKind, Role, Scopes, TenantId, Timestamp, User, UserId,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const MAX_NAME_CHARACTERS: usize = 120;

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub tenant_id: TenantId,
    /// The person it acts for; absent for a key of the tenant itself.
    pub user_id: Option<UserId>,
    pub name: String,
    pub role: Role,
    pub scopes: Scopes,
    pub expires_at: Option<Timestamp>,
}

/// A key that was made, with the text that opens doors. It is not to be had again.
#[derive(Clone)]
pub struct IssuedKey {
    pub key: ApiKey,
    pub text: String,
}

/// When keys were used last, until it is stored.
#[derive(Default)]
pub struct Uses(Mutex<HashMap<ApiKeyId, Timestamp>>);

impl Uses {
    fn note(&self, id: ApiKeyId, at: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, at);
    }

    pub fn take(&self) -> Vec<(ApiKeyId, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

impl Identity {
    /// Makes a key and stores it.
    ///
    /// # Errors
    /// As [`Identity::make_key`]; when it cannot be stored.
    pub async fn issue_key(&self, new: NewKey, writer: &Writer) -> Result<IssuedKey, Error> {
        let (issued, entry) = self.make_key(new, writer)?;
        let key = self.store.create_api_key(issued.key, entry).await?;
        Ok(IssuedKey { key, text: issued.text })
    }

    /// Makes a key, which is to be stored together with the entry of the audit. Whoever asks through a principal may not hand
    /// out more than they have.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unusable name or expiry, [`Error::Beyond`] for a role, scopes or a life beyond those of
    /// the writer.
    pub fn make_key(&self, new: NewKey, writer: &Writer) -> Result<(IssuedKey, AuditEntry), Error> {
        let now = self.clock.now();
        let name = new.name.trim().to_owned();
        let length = name.chars().count();
        if !(1..=MAX_NAME_CHARACTERS).contains(&length) || name.chars().any(char::is_control) {
            let reason = format!("must be 1 to {MAX_NAME_CHARACTERS} characters without control characters");
            return Err(Error::Invalid { field: "/name", reason });
        }
        if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Error::Invalid { field: "/expires_at", reason: "lies in the past".to_owned() });
        }
        if let Some(standing) = &writer.standing {
            within(&new, standing)?;
        }
        let text = ApiKeyText::new()?;
        let key = ApiKey {
            id: ApiKeyId(clock::new_id()),
            tenant_id: new.tenant_id,
            user_id: new.user_id,
            name,
            prefix: text.prefix.clone(),
            secret_hash: digest_of(&text.secret),
            role: new.role,
            scopes: new.scopes,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
            created_by: writer.standing.as_ref().map(|standing| standing.principal.owner()),
            created_at: now,
            updated_at: now,
        };
        let change = Change::created("api_key_created", "api_key", key.id, &key_facts(&key));
        let entry = writer.entry(key.tenant_id, change, now);
        Ok((IssuedKey { key, text: text.text() }, entry))
    }

    /// Makes a key useless, at once.
    ///
    /// # Errors
    /// When there is no such key in the tenant.
    pub async fn revoke_key(&self, key: &ApiKey, writer: &Writer) -> Result<ApiKey, Error> {
        let now = self.clock.now();
        let after = ApiKey { revoked_at: Some(now), ..key.clone() };
        let change = Change::changed("api_key_revoked", "api_key", key.id, &key_facts(key), &key_facts(&after));
        let entry = writer.entry(key.tenant_id, change, now);
        let revoked = self.store.revoke_api_key(key.tenant_id, key.id, entry).await?;
        Ok(revoked)
    }

    pub(super) async fn authenticate_key(&self, key: &ApiKeyText) -> Result<Standing, Error> {
        let known = self.known_key(&key.prefix).await?;
        let (id, hash) = known.key.as_ref().ok_or(Error::InvalidCredential)?;
        if !are_equal(hash, &digest_of(&key.secret)) {
            return Err(Error::InvalidCredential);
        }
        let now = self.clock.now();
        if known.expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err(Error::TokenExpired);
        }
        self.uses.note(*id, now);
        let proof = Proof::Key { prefix: key.prefix.clone(), id: *id };
        Ok(Standing { principal: known.principal.clone(), expires_at: known.expires_at, proof })
    }

    pub(super) async fn known_key(&self, prefix: &str) -> Result<Arc<Known>, Error> {
        let name = Name::Key(prefix.to_owned());
        let generation = self.store.people_generation();
        if let Some(known) = self.cache.get(generation, &name) {
            return Ok(known);
        }
        let key = self.store.api_key_by_prefix(prefix.to_owned()).await.map_err(unknown)?;
        if key.revoked_at.is_some() {
            return Err(Error::InvalidCredential);
        }
        if !self.store.tenant(key.tenant_id).await.map_err(unknown)?.is_active {
            return Err(Error::InvalidCredential);
        }
        let user = match key.user_id {
            Some(user_id) => Some(self.store.user(key.tenant_id, user_id).await.map_err(unknown)?),
            None => None,
        };
        if user.as_ref().is_some_and(|user| !user.is_active) {
            return Err(Error::InvalidCredential);
        }
        let known = Known {
            principal: principal(&key, user.as_ref()),
            key: Some((key.id, key.secret_hash)),
            expires_at: key.expires_at,
        };
        Ok(self.cache.put(generation, name, known))
    }
}

/// Who a key is. One that acts for a person has at most the person's role, and their name.
fn principal(key: &ApiKey, user: Option<&User>) -> Principal {
    Principal {
        kind: PrincipalKind::Key,
        id: key.id.0,
        tenant_id: key.tenant_id,
        owner_id: user.map_or(key.id.0, |user| user.id.0),
        role: user.map_or(key.role, |user| user.role.min(key.role)),
        scopes: key.scopes.clone(),
        name: user.map_or_else(|| key.name.clone(), |user| user.display_name.clone()),
    }
}

fn within(new: &NewKey, standing: &Standing) -> Result<(), Error> {
    let principal = &standing.principal;
    let beyond = |reason: String| Err(Error::Beyond { reason });
    if new.role > principal.role {
        return beyond(format!("The role '{}' is above the own role '{}'.", new.role, principal.role));
    }
    if !new.scopes.are_within(&principal.scopes) {
        return beyond("The scopes are wider than the own ones.".to_owned());
    }
    // A sign-in ends by itself, which is no bound for a key; a key's end is.
    let own_end = standing.expires_at.filter(|_| standing.session().is_none());
    match (own_end, new.expires_at) {
        (Some(end), wanted) if wanted.is_none_or(|wanted| wanted > end) => {
            beyond("The key would be good for longer than the key that makes it.".to_owned())
        }
        (Some(_) | None, _) => Ok(()),
    }
}

/// What the audit takes the digest of.
fn key_facts(key: &ApiKey) -> serde_json::Value {
    serde_json::json!({
        "name": key.name, "prefix": key.prefix, "user_id": key.user_id, "role": key.role, "scopes": key.scopes,
        "expires_at": key.expires_at, "revoked_at": key.revoked_at,
    })
}
