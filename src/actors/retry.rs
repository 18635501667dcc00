//! Retrying a finished execution: a new one that takes over what was completed and goes on from there.

use super::children::creation_event;
use super::command::{Refusal, Repetition, about};
use super::engine::Engine;
use super::orders::Adopt;
use super::turn::Record;
use crate::clock;
use crate::domain::{Creation, Event, EventBody, Execution, ExecutionId, ForkedFrom, Status, TenantId, Trigger};
use crate::machine::{self, State};
use crate::store::{self, Append, NewExecution};
use std::sync::Arc;

impl Engine {
    /// Starts a new execution that goes on where a failed or cancelled one broke off: what was completed is taken over
    /// and not run again.
    ///
    /// # Errors
    /// [`Refusal::WrongState`] unless it has failed or was cancelled.
    pub async fn retry(&self, tenant: TenantId, id: ExecutionId, wish: Repetition) -> Result<Execution, Refusal> {
        self.refuse_departing(tenant)?;
        let origin = self.services.store.execution(tenant, id).await?;
        if !matches!(origin.status, Status::Failed | Status::Cancelled) {
            return Err(Refusal::WrongState { status: origin.status, verb: "retry" });
        }
        self.refresh_limits(tenant).await?;
        let engine = self.clone();
        // In a task of its own: a caller that goes away must not leave a stored execution that nobody drives.
        let task = actix::spawn(async move { engine.retry_detached(tenant, origin, wish).await });
        self.replayed(tenant, task.await.unwrap_or(Err(Refusal::ShuttingDown))).await
    }

    async fn retry_detached(
        &self,
        tenant: TenantId,
        origin: Execution,
        wish: Repetition,
    ) -> Result<Execution, Refusal> {
        let Repetition { created_by, authority, traceparent, idempotency, audit } = wish;
        let journal = self.services.store.events(tenant, origin.id, 0).await?;
        let keep = machine::retry_point(&journal);
        let program = self.services.programs.stored(tenant, &origin.creation.definition.digest).await?;
        let id = ExecutionId(clock::new_id());
        let creation = Creation {
            trigger: Trigger::Retry,
            created_by,
            authority,
            parent: None,
            forked_from: Some(ForkedFrom { execution_id: origin.id, seq: keep, path: None }),
            idempotency_key: idempotency.as_ref().map(|idempotency| idempotency.shown().to_owned()),
            start_at: None,
            traceparent,
            ..origin.creation.as_ref().clone()
        };
        let creation = Arc::new(creation);
        let first = creation_event(&creation, &self.services);
        let created_at = first.at;
        let done_again = children_after(&journal, keep);
        let mut events: Vec<Event> = journal.into_iter().filter(|event| event.seq <= keep).collect();
        let broke_off_at = events.last().map_or(first.at, |event| event.at);
        machine::shift(&mut events, first.at.micros_since(broke_off_at));
        if let Some(created) = events.first_mut() {
            *created = first;
        }
        let mut record = Record::new(creation, created_at);
        let Some((created, rest)) = events.split_first() else { return Err(Refusal::NotFound) };
        let mut state = State::created(id, created);
        for event in rest {
            machine::apply(&program, &mut state, event);
        }
        record.project(&state, rest);
        let projection = record.projection.clone();
        let new = NewExecution { definition: None, idempotency, audit: about(audit, id) };
        let append =
            Append::first(tenant, id, record.epoch, &events, projection, new)?.without_usage().doing_again(done_again);
        let appended = self.services.store.append(append).await;
        // Also when only the acknowledgement is missing: it may be stored, and somebody has to drive it then.
        if appended.as_ref().map_or_else(store::Error::is_retryable, |_| true) {
            self.supervisor.send(Adopt { id, tenant }).await.map_err(|_| Refusal::ShuttingDown)?;
        }
        record.last_position = appended?.last_position;
        Ok(record.execution(id, tenant, &state))
    }
}

/// The children that were started behind the point up to which a journal is taken over: their tasks are done again.
fn children_after(journal: &[Event], kept: u64) -> Vec<ExecutionId> {
    let dropped = journal.iter().filter(|event| event.seq > kept);
    dropped
        .filter_map(
            |event| if let EventBody::ChildStarted { child_id, .. } = event.body { Some(child_id) } else { None },
        )
        .collect()
}
