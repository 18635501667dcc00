//! The engine: the handle by which HTTP, sessions and the command line reach the actors.

use super::admission::Standing;
use super::children::creation_event;
use super::command::{Command, Refusal, Repetition, Reply, Runnable, Submission, about};
use super::feed::{Feed, Scope};
use super::hub;
use super::maintenance::Maintenance;
use super::observing::{Observe, QueueView, TenantQueue};
use super::orders::{Amend, Amended, Drain, Order, Submit};
use super::seed::{Opening, Seed};
use super::services::Services;
use super::supervisor::Supervisor;
use super::turn::{First, Record};
use crate::clock;
use crate::domain::definition::{self, Review};
use crate::domain::{AuditEntry, Creation, DefinitionRef, Execution, ExecutionId, TenantId, Trigger};
use crate::machine::{self, Program, State};
use crate::store::{self, DefinitionText, NewExecution, Store};
use actix::Addr;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often a command is sent again when its actor ended before it could answer.
const COMMAND_TRIES: usize = 5;

/// How long the last log lines may take to be stored at the end.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);

/// A cheap handle.
#[derive(Clone)]
pub struct Engine {
    pub(super) services: Arc<Services>,
    pub(super) supervisor: Addr<Supervisor>,
    pub(super) maintenance: Addr<Maintenance>,
}

impl Engine {
    pub fn store(&self) -> &Store {
        &self.services.store
    }

    /// What the actors share; for health and metrics.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Everything that is wrong with a definition, its expressions included.
    pub async fn review(&self, text: String) -> Review {
        super::turn::run_elsewhere(move || definition::review(&text, &machine::Compiles)).await
    }

    /// Whether the service has begun to stop.
    pub fn is_shutting_down(&self) -> bool {
        self.services.closing.load(Ordering::Relaxed)
    }

    /// Accepts a new execution. The answer comes when its creation is durable: `running` when a slot was free, `pending`
    /// otherwise.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn submit(&self, submission: Submission) -> Result<Execution, Refusal> {
        self.refuse_departing(submission.tenant_id)?;
        let (definition, program, text) = self.resolve(&submission).await?;
        let audit = submission.audit;
        let creation = Creation {
            execution_type: submission.execution_type,
            definition,
            interpreter_revision: machine::INTERPRETER_REVISION,
            input: submission.input,
            trigger: Trigger::Api,
            priority: submission.priority,
            labels: submission.labels,
            created_by: submission.created_by,
            authority: submission.authority,
            agent_id: submission.agent_id,
            test_input: submission.test_input,
            idempotency_key: submission.idempotency.as_ref().map(|idempotency| idempotency.shown().to_owned()),
            parent: None,
            forked_from: None,
            start_at: submission.start_at,
            traceparent: submission.traceparent,
            budget: submission.budget,
        };
        let new = NewExecution { definition: text, idempotency: submission.idempotency, audit };
        self.create(submission.tenant_id, creation, program, new).await
    }

    async fn create(
        &self,
        tenant: TenantId,
        creation: Creation,
        program: Arc<Program>,
        new: NewExecution,
    ) -> Result<Execution, Refusal> {
        self.refresh_limits(tenant).await?;
        let id = ExecutionId(clock::new_id());
        let new = NewExecution { audit: about(new.audit, id), ..new };
        let creation = Arc::new(creation);
        let event = creation_event(&creation, &self.services);
        let record = Record::new(creation, event.at);
        let state = State::created(id, &event);
        let (reply, answer) = Reply::new(None);
        let opening = Opening::Create { first: Box::new(First { event, new }), reply };
        let seed = Seed { id, tenant, program, state, record, opening };
        self.supervisor.send(Submit(Box::new(seed))).await.map_err(|_| Refusal::ShuttingDown)?;
        let answer = answer.await.unwrap_or_else(|_| Err(self.unanswered()));
        self.replayed(tenant, answer).await
    }

    /// A creation that was refused because of its idempotency key: what the key had created, or a conflict.
    pub(super) async fn replayed(
        &self,
        tenant: TenantId,
        answer: Result<Execution, Refusal>,
    ) -> Result<Execution, Refusal> {
        match answer {
            Err(Refusal::Store(store::Error::IdempotencyKeyUsed { execution_id, same_request })) => {
                if !same_request {
                    return Err(Refusal::IdempotencyConflict { execution_id });
                }
                let execution = self.services.store.execution(tenant, execution_id).await?;
                Err(Refusal::Replayed(Box::new(execution)))
            }
            answer => answer,
        }
    }

    async fn resolve(
        &self,
        submission: &Submission,
    ) -> Result<(DefinitionRef, Arc<Program>, Option<DefinitionText>), Refusal> {
        let (programs, tenant) = (&self.services.programs, submission.tenant_id);
        match &submission.runnable {
            Runnable::Registered(id) => match programs.registered(tenant, *id).await {
                Ok((definition, program)) => Ok((definition, program, None)),
                Err(store::Error::NotFound) => Err(Refusal::UnknownReference { what: format!("workflow {id}") }),
                Err(error) => Err(error.into()),
            },
            Runnable::Named { namespace, name, version } => {
                match programs.named(tenant, namespace, name, version.as_deref()).await {
                    Ok((definition, program)) => Ok((definition, program, None)),
                    Err(store::Error::NotFound) => {
                        let version = version.as_deref().unwrap_or("latest");
                        Err(Refusal::UnknownReference { what: format!("workflow {namespace}/{name}:{version}") })
                    }
                    Err(error) => Err(error.into()),
                }
            }
            Runnable::Inline(definition) => {
                let program = programs.compile(Arc::clone(definition)).await.map_err(Refusal::Invalid)?;
                let reference = DefinitionRef {
                    workflow_id: None,
                    namespace: Arc::clone(&definition.document.namespace),
                    name: Arc::clone(&definition.document.name),
                    version: Arc::clone(&definition.document.version),
                    digest: Arc::clone(&definition.digest),
                };
                let json = definition.source.to_string();
                let text = DefinitionText { digest: Arc::clone(&definition.digest), source: json.clone(), json };
                Ok((reference, program, Some(text)))
            }
        }
    }

    /// Cancels, pauses or resumes. The answer comes when the request is journaled, and the entry of the audit with it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a foreign or unknown id, [`Refusal::WrongState`] where the status does not allow it.
    pub async fn command(
        &self,
        tenant: TenantId,
        id: ExecutionId,
        command: Command,
        audit: Option<AuditEntry>,
    ) -> Result<Execution, Refusal> {
        for _ in 0..COMMAND_TRIES {
            let execution = self.services.store.execution(tenant, id).await?;
            if execution.status.is_terminal() {
                return Err(Refusal::WrongState { status: execution.status, verb: command.verb() });
            }
            let (reply, answer) = Reply::new(audit.clone());
            let order = Order { id, tenant, command: command.clone(), reply };
            self.supervisor.send(order).await.map_err(|_| Refusal::ShuttingDown)?;
            match answer.await {
                Ok(answer) => return answer,
                // The actor ended with the command in its mailbox; where it went is looked up again.
                Err(_) => tokio::task::yield_now().await,
            }
        }
        Err(self.unanswered())
    }

    /// Nothing new for a tenant that is being deleted.
    pub(super) fn refuse_departing(&self, tenant: TenantId) -> Result<(), Refusal> {
        if self.services.is_departing(tenant) {
            return Err(Refusal::UnknownReference { what: format!("tenant {tenant}") });
        }
        Ok(())
    }

    /// Why nobody answered: what should have done it has ended.
    fn unanswered(&self) -> Refusal {
        if self.is_shutting_down() { Refusal::ShuttingDown } else { Refusal::Crashed }
    }

    /// Starts a new execution with the same definition and input.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn rerun(&self, tenant: TenantId, id: ExecutionId, wish: Repetition) -> Result<Execution, Refusal> {
        self.refuse_departing(tenant)?;
        let Repetition { created_by, authority, traceparent, idempotency, audit } = wish;
        let execution = self.services.store.execution(tenant, id).await?;
        let program = self.services.programs.stored(execution.tenant_id, &execution.creation.definition.digest).await?;
        let creation = Creation {
            trigger: Trigger::Api,
            created_by,
            authority,
            parent: None,
            forked_from: None,
            idempotency_key: idempotency.as_ref().map(|idempotency| idempotency.shown().to_owned()),
            start_at: None,
            traceparent,
            interpreter_revision: machine::INTERPRETER_REVISION,
            ..execution.creation.as_ref().clone()
        };
        self.create(tenant, creation, program, NewExecution { definition: None, idempotency, audit }).await
    }

    /// Changes the priority or the labels of an execution; `None` leaves them as they are. A pending one moves in the queue.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn amend(
        &self,
        tenant: TenantId,
        id: ExecutionId,
        priority: Option<u8>,
        labels: Option<BTreeMap<String, String>>,
        audit: AuditEntry,
    ) -> Result<Execution, Refusal> {
        let execution = self.services.store.noting(audit).update_execution(tenant, id, priority, labels).await?;
        let amended = Amended { priority: execution.creation.priority, labels: execution.creation.labels.clone() };
        self.supervisor.send(Amend { id, amended }).await.map_err(|_| Refusal::ShuttingDown)?;
        Ok(execution)
    }

    /// The queue and the slots as they are now.
    ///
    /// # Errors
    /// [`Refusal::ShuttingDown`] when the supervisor has ended.
    pub async fn queue(&self) -> Result<QueueView, Refusal> {
        self.supervisor.send(Observe).await.map_err(|_| Refusal::ShuttingDown)
    }

    /// The queue as it is now, and the part of one tenant in it.
    ///
    /// # Errors
    /// As [`Engine::queue`]; when the limits of the tenant cannot be read.
    pub async fn queue_of(&self, tenant: TenantId) -> Result<(QueueView, TenantQueue), Refusal> {
        let limits = self.refresh_limits(tenant).await?;
        let queue = self.queue().await?;
        let own = queue.tenants.iter().find(|queue| queue.standing.tenant_id == tenant).cloned();
        let own = own.unwrap_or_else(|| TenantQueue { standing: Standing::idle(tenant, limits), parked: 0 });
        Ok((queue, own))
    }

    /// The live frames of a scope. The caller has checked that the tenant may see it.
    pub fn feed(&self, tenant: TenantId, scope: Scope) -> Feed {
        Feed::new(Arc::clone(&self.services), tenant, scope)
    }

    /// The newest committed position.
    pub fn position(&self) -> u64 {
        self.services.hub_state.position()
    }

    /// Stops taking and starting work, lets running effects finish for up to `grace`, says goodbye to sessions.
    /// What is not finished is taken over at the next start.
    pub async fn close(&self, grace: Duration) {
        self.services.closing.store(true, Ordering::Relaxed);
        let (sender, drained) = oneshot::channel();
        if self.supervisor.send(Drain(sender)).await.is_ok() && tokio::time::timeout(grace, drained).await.is_err() {
            tracing::warn!("effects were still running at the end of the grace period; they will be asked again");
        }
        if tokio::time::timeout(FLUSH_PATIENCE, self.services.logs.flush()).await.is_err() {
            tracing::warn!("log lines were not stored in time and are lost");
        }
        let _ = self.services.hub.send(hub::Close).await;
    }

    /// Resolves when one of the actors without which nothing works has ended by a fault.
    pub async fn ended(&self) {
        self.services.ended.cancelled().await;
    }

    /// Ends the actors' threads and whatever still runs on them. Nothing works after that.
    pub fn end(&self) {
        for arbiter in self.services.arbiters.iter().chain(&self.services.others) {
            arbiter.stop();
        }
    }
}
