//! Agents as executions look them up: by id, slug or name, remembered until somebody changes one.

use super::services::READ_PAUSE;
use crate::domain::{Agent, Failure, StandardType, TenantId};
use crate::store::{self, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries kept before the memory is cleared.
const CAPACITY: usize = 1_000;

/// Looks agents up.
pub struct Agents {
    store: Store,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The store's when the oldest of these was read.
    generation: u64,
    known: HashMap<(TenantId, String), Arc<Agent>>,
}

impl Agents {
    pub fn new(store: Store) -> Self {
        Self { store, memory: Mutex::default() }
    }

    /// The active agent with this id, slug or name.
    ///
    /// # Errors
    /// A `configuration` failure when there is none or it is switched off; a retryable `runtime` failure when the store
    /// cannot be read although it is there.
    pub async fn find(&self, tenant: TenantId, agent: &str) -> Result<Arc<Agent>, Failure> {
        let key = (tenant, agent.to_owned());
        // Read first: a change behind it is noticed the next time.
        let generation = self.store.agents_generation();
        if let Some(agent) = self.current(generation).known.get(&key) {
            return Ok(Arc::clone(agent));
        }
        let found = loop {
            match self.store.find_agent(tenant, agent.to_owned()).await {
                // A database that is away is waited for; the timeout of the task bounds it.
                Err(error) if error.is_retryable() => tokio::time::sleep(READ_PAUSE).await,
                found => break found,
            }
        };
        let found = match found {
            Ok(found) => Arc::new(found),
            Err(store::Error::NotFound) => return Err(unknown(agent)),
            Err(error) => {
                return Err(Failure::new(StandardType::Runtime, "The agent cannot be looked up", error.to_string())
                    .retryable(true));
            }
        };
        if !found.is_active {
            let detail = format!("the agent '{}' is switched off", found.slug);
            return Err(Failure::new(StandardType::Configuration, "Agent switched off", detail)
                .with_suggestion("switch the agent on again, or name another one"));
        }
        let mut memory = self.current(generation);
        if memory.generation == generation {
            memory.known.insert(key, Arc::clone(&found));
        }
        Ok(found)
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

fn unknown(agent: &str) -> Failure {
    let detail = format!("there is no agent with the id, slug or name '{agent}'");
    Failure::new(StandardType::Configuration, "Unknown agent", detail)
        .with_suggestion("list the agents with 'callboard agents list', or create this one")
}
