//! What is remembered about credentials, so that a request does not read the database each time.
//!
//! Only this process works on the database, so what it has not changed holds; after a change everything is forgotten.

use crate::domain::{ApiKeyId, Principal, SessionId, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More credentials than this are not remembered at a time.
const CAPACITY: usize = 10_000;

/// What names a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    Key(String),
    Session(SessionId),
}

/// What a credential stands for.
#[derive(Debug)]
pub struct Known {
    pub principal: Principal,
    /// The key with the digest of its secret; absent for a session.
    pub key: Option<(ApiKeyId, String)>,
    pub expires_at: Option<Timestamp>,
}

#[derive(Default)]
struct Memory {
    /// Counts the changes: what was read before one and arrives after it is not remembered.
    generation: u64,
    known: HashMap<Name, Arc<Known>>,
}

/// The memory.
#[derive(Default)]
pub struct Cache(Mutex<Memory>);

impl Cache {
    /// What is known about a credential, or else the generation in which to look it up.
    pub fn get(&self, name: &Name) -> Result<Arc<Known>, u64> {
        let memory = self.memory();
        memory.known.get(name).cloned().ok_or(memory.generation)
    }

    /// Remembers what was looked up, unless something has changed since.
    pub fn put(&self, generation: u64, name: Name, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        let mut memory = self.memory();
        if memory.generation == generation {
            if memory.known.len() >= CAPACITY {
                memory.known.clear();
            }
            memory.known.insert(name, Arc::clone(&known));
        }
        known
    }

    pub fn forget(&self) {
        let mut memory = self.memory();
        memory.generation += 1;
        memory.known.clear();
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PrincipalKind, Role, Scopes, TenantId};
    use uuid::Uuid;

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let known = || Known {
            principal: Principal {
                kind: PrincipalKind::Key,
                id: Uuid::nil(),
                tenant_id: TenantId::DEFAULT,
                owner_id: Uuid::nil(),
                role: Role::Viewer,
                scopes: Scopes::default(),
                name: String::new(),
            },
            key: None,
            expires_at: None,
        };
        let (cache, name) = (Cache::default(), Name::Key("a".to_owned()));
        let generation = cache.get(&name).unwrap_err();
        cache.forget();
        cache.put(generation, name.clone(), known());
        let generation = cache.get(&name).unwrap_err();
        cache.put(generation, name.clone(), known());
        assert!(cache.get(&name).is_ok());
        cache.forget();
        assert!(cache.get(&name).is_err());
    }
}
