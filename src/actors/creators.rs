//! What executions may use: asks what their creators hold now, and the table of permissions what that allows.
//!
//! What was read is remembered until something about people, keys or tenants changes. Called before an agent is asked,
//! secrets are read or a child is started.

use super::services::READ_PAUSE;
use crate::domain::{Action, ApiKeyId, Creation, Creator, TenantId, Withdrawn};
use crate::store::{self, Store};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Creators that are remembered at a time.
const CAPACITY: usize = 10_000;

/// Asks.
pub struct Creators {
    store: Store,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The store's when the oldest of these was read.
    generation: u64,
    known: HashMap<Name, Creator>,
}

/// The owner of an execution and the key that was used.
type Name = (String, Option<ApiKeyId>);

impl Creators {
    pub fn new(store: Store) -> Self {
        Self { store, memory: Mutex::default() }
    }

    /// Changes whenever what was allowed may not be allowed any more.
    pub fn generation(&self) -> u64 {
        self.store.people_generation()
    }

    /// Whether an execution may do something now. One without authority was made by the service itself, or before there were
    /// people: nothing but its tenant limits it. Waits for a store that is away.
    ///
    /// # Errors
    /// [`Withdrawn`] with the reason.
    pub async fn check(&self, tenant: TenantId, creation: &Creation, action: Action) -> Result<(), Withdrawn> {
        let Some(authority) = &creation.authority else { return Ok(()) };
        let owner = creation.created_by.clone().ok_or(Withdrawn::Unknown)?;
        let creator = self.creator((owner, authority.key_id)).await.map_err(|error| {
            tracing::error!(%error, "it cannot be read for whom an execution runs");
            Withdrawn::Unknown
        })?;
        authority.may(action, tenant, creator)
    }

    async fn creator(&self, name: Name) -> Result<Creator, store::Error> {
        loop {
            // Read first: a change behind it is noticed the next time.
            let generation = self.generation();
            if let Some(known) = self.current(generation).known.get(&name) {
                return Ok(*known);
            }
            match self.store.creator(name.0.clone(), name.1).await {
                Ok(creator) => {
                    let mut memory = self.current(generation);
                    if memory.generation == generation {
                        memory.known.insert(name, creator);
                    }
                    return Ok(creator);
                }
                Err(error) if error.is_retryable() => tokio::time::sleep(READ_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// The memory without anything that is older than a generation.
    fn current(&self, generation: u64) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.generation < generation || memory.known.len() >= CAPACITY {
            *memory = Memory { generation: generation.max(memory.generation), known: HashMap::new() };
        }
        memory
    }
}
