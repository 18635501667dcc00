//! Secrets on their way into the steps of an execution: asked of the vault when they are needed, held while the actor lives, and
//! asked again when any has changed.

use super::execution::ExecutionActor;
use super::services::{READ_PAUSE, Services};
use crate::domain::secret::Unavailable;
use crate::domain::{Secrets, TenantId};
use crate::machine::{DirectEvaluator, Program, WithSecrets};
use actix::{ActorFutureExt, Context, ContextFutureSpawner, WrapFuture};
use std::sync::Arc;

/// The secrets of one execution, as they were at some time.
#[derive(Clone, Debug)]
pub struct Held {
    secrets: Arc<Secrets>,
    /// The vault's when they were read; absent before the first time.
    generation: Option<u64>,
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
    /// What a program's executions may read, waiting for the store as long as it takes.
    pub async fn secrets(&self, tenant: TenantId, program: &Program) -> Held {
        if program.secrets().is_empty() {
            return Held::default();
        }
        loop {
            // Read first: a change behind it is noticed the next time.
            let generation = Some(self.vault.generation());
            match self.vault.open(tenant, program.secrets()).await {
                Ok(secrets) => return Held { secrets, generation },
                Err(error) if !error.is_retryable() => {
                    tracing::error!(%error, "secrets cannot be read");
                    let names = program.secrets().iter();
                    let entries = names.map(|name| (Arc::clone(name), Err(Unavailable::Unreadable))).collect();
                    return Held { secrets: Arc::new(Secrets::new(entries)), generation };
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
        self.program.secrets().is_empty() || self.secrets.generation == Some(self.services.vault.generation())
    }

    /// Reads the secrets, then goes on with what has arrived.
    pub(super) fn fetch_secrets(&mut self, ctx: &mut Context<Self>) {
        self.busy = true;
        let (services, program, tenant) = (Arc::clone(&self.services), Arc::clone(&self.program), self.tenant);
        async move { services.secrets(tenant, &program).await }
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
