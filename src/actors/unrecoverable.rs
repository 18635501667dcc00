//! The last resort: an execution whose state cannot be rebuilt is failed from its row alone, so that its owner and its
//! parent see why instead of waiting for ever.

use super::exit::ChildOutcome;
use super::patience::Patience;
use super::recovery::{Unbuilt, Whom};
use super::services::Services;
use crate::domain::{Event, EventBody, Failure, StandardType, Status};
use crate::store::{self, Append, Projection, Subject};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Fails an execution without its state, waiting for the store as long as it takes.
pub async fn fail(services: &Services, whom: Whom, failure: Failure) -> Unbuilt {
    tracing::error!(execution_id = %whom.id, reason = failure.detail, "an execution is failed from its row alone");
    let (mut patience, hurry) = (Patience::default(), CancellationToken::new());
    loop {
        let error = match append(services, whom, &failure).await {
            Ok(parent) => return Unbuilt::Ended { status: Status::Failed, parent },
            Err(error) => error,
        };
        if !(Patience::is_for(&error) && patience.goes_on(&error, 0, &services.store, &hurry).await) {
            let left = "nor can it be failed: nothing drives it until a command or the next start";
            tracing::error!(execution_id = %whom.id, %error, "{left}");
            return Unbuilt::Refused(error.into());
        }
    }
}

/// What an execution fails with whose state cannot be rebuilt. `reason` says why.
pub fn failure(reason: &str) -> Failure {
    let detail = format!("the execution cannot be brought back from its journal: {reason}");
    Failure::new(StandardType::Runtime, "The execution cannot be rebuilt", detail)
        .retryable(false)
        .with_suggestion("this is a fault of the service: report it, with the service's log of this time")
}

async fn append(
    services: &Services,
    Whom { id, tenant, .. }: Whom,
    failure: &Failure,
) -> Result<Option<Box<ChildOutcome>>, store::Error> {
    // Raises the epoch even when what it reads back afterwards is the part that is corrupt.
    let _ = services.store.claim(tenant, id).await;
    let execution = services.store.execution(tenant, id).await?;
    if execution.status.is_terminal() {
        return Err(store::Error::Terminal { status: execution.status });
    }
    let at = services.clock.now();
    let body = EventBody::ExecutionFailed { error: failure.clone() };
    let event = Event { seq: execution.last_seq + 1, at, task: None, path: None, attempt: 0, body };
    let projection = Projection {
        status: Status::Failed,
        output: None,
        error: Some(failure.clone()),
        progress: execution.progress,
        restarts: execution.restarts,
        last_crash: execution.last_crash,
        recovered_in_ms: execution.recovered_in_ms,
        pause_reason: None,
        pause_limit: None,
        wake_at: None,
        started_at: execution.started_at,
        finished_at: Some(at),
        updated_at: at,
    };
    let subject = Arc::new(Subject::new(&execution.creation, execution.created_at));
    let (epoch, previous) = (execution.attempt, execution.status);
    services.store.append(Append::new(tenant, id, epoch, subject, previous, &[event], projection)?).await?;
    Ok(ChildOutcome::of(&execution.creation, Status::Failed, None, Some(failure.clone())))
}
