//! What a model call costs its execution and its tenant: reserved before it is made, settled when it has ended.

use super::calls::{Call, UnderWay};
use super::ledger::{self, Payer, Reservation, Withheld};
use super::performer::Task;
use super::services::Services;
use crate::domain::quota::Breach;
use crate::domain::{EffectCall, EffectOutcome, Failure, StandardType, UsageOutcome};
use crate::effects::Forecast;
use crate::store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The open bill of a call that is under way.
pub struct Bill {
    reservation: Reservation,
    under_way: UnderWay,
}

/// Why a call is not made.
pub enum Unpaid {
    /// It does not fit what may be spent.
    Breach(Breach),
    /// It could not be made anyway.
    Failed(Box<Failure>),
}

impl From<Withheld> for Unpaid {
    fn from(withheld: Withheld) -> Self {
        match withheld {
            Withheld::Breach(breach) => Self::Breach(breach),
            Withheld::Unread(error) => Self::Failed(Box::new(unread(&error))),
        }
    }
}

/// Who does not know what may be spent spends nothing.
fn unread(error: &store::Error) -> Failure {
    tracing::error!(%error, "a model call is not made: what may be spent cannot be read");
    Failure::new(StandardType::Runtime, "The budget cannot be read", error.to_string()).retryable(true).with_suggestion(
        "nothing was spent; retry when the operator has found out why, the service's log of this time helps",
    )
}

impl Bill {
    /// Reserves what a call may come to use. `None` for what is no model call.
    pub async fn open(
        task: &Task,
        call: &EffectCall,
        cancellation: &CancellationToken,
        services: &Arc<Services>,
    ) -> Result<Option<Self>, Unpaid> {
        let EffectCall::Agent { agent, request, .. } = call else { return Ok(None) };
        let forecast = Forecast::of(agent, request).map_err(|failure| Unpaid::Failed(Box::new(failure)))?;
        let payer = Payer { tenant: task.tenant, root: task.creation.root(task.id) };
        let wish = async {
            let limits = ledger::again(|| services.limits.get(&services.store, task.tenant)).await;
            let limits = limits.map_err(Withheld::Unread)?.limits;
            services.ledger.reserve(payer, forecast.spending(), limits, services.clock.now()).await
        };
        let reservation = tokio::select! {
            biased;
            () = cancellation.cancelled() => {
                let detail = "the call was cancelled before it was made";
                return Err(Unpaid::Failed(Box::new(Failure::new(StandardType::Runtime, "Cancelled", detail))));
            }
            reservation = wish => reservation.map_err(Unpaid::from)?,
        };
        let under_way = services.calls.begin(task.id, &task.path, task.attempt, agent.id, forecast);
        Ok(Some(Self { reservation, under_way }))
    }

    /// The call that is under way.
    pub fn call(&self) -> Arc<Call> {
        Arc::clone(&self.under_way.call)
    }

    /// The call has ended. Its outcome gets a record of what it has used, unless it was refused before it was made.
    pub fn settle(self, outcome: &mut EffectOutcome, is_cancelled: bool) {
        let Self { reservation, under_way } = self;
        if is_cancelled {
            // Its execution has recorded this much when it broke the call off.
            return reservation.settle(under_way.call.spending());
        }
        if outcome.usage.is_none() && !outcome.result.as_ref().err().is_some_and(is_refusal) {
            outcome.usage = Some(under_way.call.unreported());
        }
        if let Some(usage) = &mut outcome.usage {
            if outcome.result.is_err() {
                usage.outcome = UsageOutcome::Wasted;
            }
            reservation.settle(usage.spending());
        }
    }
}

/// Whether a failure says that no model was asked.
fn is_refusal(failure: &Failure) -> bool {
    let kinds = [
        StandardType::Configuration,
        StandardType::Validation,
        StandardType::Authentication,
        StandardType::Authorization,
    ];
    kinds.iter().any(|kind| failure.error_type == kind.uri())
}
