//! What is remembered about credentials, so that a request does not read the database each time.
//!
//! Only this process works on the database, so what it has not changed holds; the store counts its changes, and after one
//! everything is forgotten, whether whoever asked for it is still there to be told or not.

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
    /// The store's when the oldest of these was read.
    generation: u64,
    known: HashMap<Name, Arc<Known>>,
}

/// The memory. Every call names the [generation](crate::store::Store::people_generation) of what the store knows.
#[derive(Default)]
pub struct Cache(Mutex<Memory>);

impl Cache {
    /// What is known about a credential.
    pub fn get(&self, generation: u64, name: &Name) -> Option<Arc<Known>> {
        self.current(generation).known.get(name).cloned()
    }

    /// Remembers what was looked up since a generation began, unless another one has begun.
    pub fn put(&self, generation: u64, name: Name, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        let mut memory = self.current(generation);
        if memory.generation == generation {
            memory.known.insert(name, Arc::clone(&known));
        }
        known
    }

    /// The memory without anything that is older than a generation.
    fn current(&self, generation: u64) -> MutexGuard<'_, Memory> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.generation < generation || memory.known.len() >= CAPACITY {
            *memory = Memory { generation: generation.max(memory.generation), known: HashMap::new() };
        }
        memory
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
        cache.put(3, name.clone(), known());
        assert!(cache.get(3, &name).is_some());
        assert!(cache.get(4, &name).is_none(), "something has changed since");
        cache.put(3, name.clone(), known());
        assert!(cache.get(4, &name).is_none(), "it was read before the change");
        cache.put(4, name.clone(), known());
        assert!(cache.get(4, &name).is_some());
    }
}
