//! Compiled definitions, by digest and by registered version. Versions are immutable, so nothing here goes stale.

use crate::domain::definition::{self, Definition};
use crate::domain::{DefinitionRef, TenantId, WorkflowId};
use crate::machine::Program;
use crate::store::{self, Store};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// A definition's identity with its compiled form.
pub type Resolved = (DefinitionRef, Arc<Program>);

/// The cache. Bounded: the oldest entries go first.
pub struct Programs {
    store: Store,
    by_digest: Mutex<Bounded<Arc<str>, Arc<Program>>>,
    by_id: Mutex<Bounded<(TenantId, WorkflowId), Resolved>>,
}

impl Programs {
    pub fn new(store: Store, capacity: usize) -> Self {
        Self { store, by_digest: Mutex::new(Bounded::new(capacity)), by_id: Mutex::new(Bounded::new(capacity)) }
    }

    /// Compiles a definition that is at hand, or finds it compiled.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn compile(&self, definition: Arc<Definition>) -> Result<Arc<Program>, Vec<definition::Problem>> {
        if let Some(program) = get(&self.by_digest, &definition.digest) {
            return Ok(program);
        }
        let digest = Arc::clone(&definition.digest);
        let program = Arc::new(super::turn::run_elsewhere(move || Program::compile(definition)).await?);
        put(&self.by_digest, digest, Arc::clone(&program));
        Ok(program)
    }

    /// A registered version by id.
    ///
    /// # Errors
    /// [`store::Error::NotFound`] for an unknown, foreign or archived one.
    pub async fn registered(&self, tenant: TenantId, id: WorkflowId) -> Result<Resolved, store::Error> {
        if let Some(resolved) = get(&self.by_id, &(tenant, id)) {
            return Ok(resolved);
        }
        let workflow = self.store.workflow(tenant, id).await?;
        if workflow.is_archived {
            return Err(store::Error::NotFound);
        }
        self.resolved(tenant, workflow).await
    }

    /// A registered version by name; the newest stable one when `version` is absent or `latest`.
    ///
    /// # Errors
    /// [`store::Error::NotFound`] when there is none.
    pub async fn named(
        &self,
        tenant: TenantId,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Resolved, store::Error> {
        let (owned_namespace, owned_name) = (namespace.to_owned(), name.to_owned());
        let version = version.map(str::to_owned);
        let workflow = self.store.resolve_workflow(tenant, owned_namespace, owned_name, version).await?;
        if let Some(resolved) = get(&self.by_id, &(tenant, workflow.id)) {
            return Ok(resolved);
        }
        self.resolved(tenant, workflow).await
    }

    /// Whatever an existing execution was started with.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] when the stored text is no valid definition any more.
    pub async fn stored(&self, tenant: TenantId, digest: &str) -> Result<Arc<Program>, store::Error> {
        if let Some(program) = get(&self.by_digest, &Arc::from(digest)) {
            return Ok(program);
        }
        let text = self.store.definition(tenant, digest.to_owned()).await?;
        self.parsed(text.json).await
    }

    /// Forgets a version, for instance because it was archived.
    pub fn forget(&self, tenant: TenantId, id: WorkflowId) {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner).remove(&(tenant, id));
    }

    async fn resolved(&self, tenant: TenantId, workflow: store::Workflow) -> Result<Resolved, store::Error> {
        let program = self.stored(tenant, &workflow.digest).await?;
        let reference = DefinitionRef {
            workflow_id: Some(workflow.id),
            namespace: workflow.namespace.into(),
            name: workflow.name.into(),
            version: workflow.version.into(),
            digest: workflow.digest.into(),
        };
        put(&self.by_id, (tenant, workflow.id), (reference.clone(), Arc::clone(&program)));
        Ok((reference, program))
    }

    async fn parsed(&self, text: String) -> Result<Arc<Program>, store::Error> {
        let problems = match definition::parse(&text) {
            Ok(definition) => match self.compile(Arc::new(definition)).await {
                Ok(program) => return Ok(program),
                Err(problems) => problems,
            },
            Err(problems) => problems,
        };
        let reason = problems.first().map_or_else(String::new, |problem| problem.message.clone());
        Err(store::Error::Corrupt { what: "definition", reason })
    }
}

fn get<K: Hash + Eq + Clone, V: Clone>(cache: &Mutex<Bounded<K, V>>, key: &K) -> Option<V> {
    cache.lock().unwrap_or_else(PoisonError::into_inner).entries.get(key).cloned()
}

fn put<K: Hash + Eq + Clone, V: Clone>(cache: &Mutex<Bounded<K, V>>, key: K, value: V) {
    cache.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
}

struct Bounded<K, V> {
    capacity: usize,
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: HashMap::new(), order: VecDeque::new() }
    }

    fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.entries.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &K) {
        self.entries.remove(key);
        self.order.retain(|kept| kept != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_goes_first() {
        let mut cache = Bounded::new(2);
        for key in [1, 2, 2, 3] {
            cache.insert(key, key);
        }
        assert!(!cache.entries.contains_key(&1));
        assert!(cache.entries.contains_key(&2) && cache.entries.contains_key(&3));
        cache.remove(&2);
        cache.insert(4, 4);
        assert_eq!(cache.entries.len(), 2);
    }
}
