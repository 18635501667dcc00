//! Secrets on their way into the steps of an execution: asked of the vault when they are needed, held while the actor lives, and
//! asked again when any has changed, or when the creator of the execution may have got other rights.

use super::execution::ExecutionActor;
use super::services::{READ_PAUSE, Services};
use crate::domain::secret::Unavailable;
use crate::domain::{Action, Creation, Secrets, TenantId};
use crate::machine::{DirectEvaluator, Program, WithSecrets};
use actix::{ActorFutureExt, Context, ContextFutureSpawner, WrapFuture};
use std::sync::Arc;

/// The secrets of one execution, as they were at some time.
#[derive(Clone, Debug)]
pub struct Held {
    secrets: Arc<Secrets>,
    /// As of when; absent before the first time.
    generation: Option<Generation>,
}

/// Changes when a secret does, and when the execution's creator may have got other rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Generation {
    vault: u64,
    people: u64,
}

impl Default for Held {
    fn default() -> Self {
        Self { secrets: Arc::new(Secrets::new(Vec::new())), generation: None }
    }
}

impl Held {
    /// The secrets themselves.
    pub fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.secrets)
    }

    /// What evaluates the expressions of a step.
    pub fn evaluator(&self) -> WithSecrets<'_, DirectEvaluator> {
        WithSecrets { evaluator: DirectEvaluator, secrets: &self.secrets }
    }
}

impl Services {
    /// What an execution may read, waiting for the store as long as it takes.
    pub async fn secrets(&self, tenant: TenantId, program: &Program, creation: &Creation) -> Held {
        if program.secrets().is_empty() {
            return Held::default();
        }
        // Read first: a change behind it is noticed the next time.
        let generation = Some(self.secrets_generation());
        let held = Held { secrets: self.open_secrets(tenant, program.secrets()).await, generation };
        match self.creators.check(tenant, creation, Action::SecretUse).await {
            Ok(()) => held,
            Err(why) => Held { secrets: Arc::new(Secrets::withheld(held.secrets, why)), generation },
        }
    }

    fn secrets_generation(&self) -> Generation {
        Generation { vault: self.vault.generation(), people: self.creators.generation() }
    }

    /// Secrets of a tenant, whoever asks, waiting for the store as long as it takes.
    pub(super) async fn open_secrets(&self, tenant: TenantId, names: &[Arc<str>]) -> Arc<Secrets> {
        loop {
            match self.vault.open(tenant, names).await {
                Ok(secrets) => return secrets,
                Err(error) if !error.is_retryable() => {
                    tracing::error!(%error, "secrets cannot be read");
                    let entries = names.iter().map(|name| (Arc::clone(name), Err(Unavailable::Unreadable))).collect();
                    return Arc::new(Secrets::new(entries));
                }
                Err(error) => {
                    tracing::warn!(%error, "secrets wait for the store");
                    tokio::time::sleep(READ_PAUSE).await;
                }
            }
        }
    }
}

impl ExecutionActor {
    /// Whether the secrets at hand may be used for the next step.
    pub(super) fn has_secrets(&self) -> bool {
        self.program.secrets().is_empty() || self.secrets.generation == Some(self.services.secrets_generation())
    }

    /// Reads the secrets, then goes on with what has arrived.
    pub(super) fn fetch_secrets(&mut self, ctx: &mut Context<Self>) {
        self.busy = true;
        let (services, program, tenant) = (Arc::clone(&self.services), Arc::clone(&self.program), self.tenant);
        let creation = Arc::clone(&self.record.creation);
        async move { services.secrets(tenant, &program, &creation).await }
            .into_actor(self)
            .map(|held, actor, ctx| {
                actor.secrets = held;
                actor.busy = false;
                actor.advance(ctx);
            })
            .spawn(ctx);
    }

    /// The secrets of the next step and of the effects that it asks for.
    pub(super) fn secrets(&self) -> Arc<Secrets> {
        self.secrets.secrets()
    }
}
