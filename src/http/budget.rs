//! Budgets of executions: approving more, and how one stands.

use super::Service;
use super::body::Json;
use super::caller::Caller;
use super::commands::steered;
use super::error::{Error, Result};
use super::path;
use super::start::field;
use crate::actors::Command;
use crate::domain::{Action, Execution, ExecutionId};
use crate::identity::Change;
use crate::wire::budget::{BudgetLimits, BudgetView};
use crate::wire::execution::ExecutionView;
use crate::wire::problem::FieldError;
use actix_web::{HttpRequest, HttpResponse, web};

/// The largest limit that is taken: far beyond anything real, and still countable in microseconds.
const MAX_LIMIT: u64 = 1_000_000_000_000;
const MAX_COST_USD: f64 = 1_000_000_000.0;

/// Approve more: change what an execution and everything around it may spend.
///
/// The limits that are named take the place of those that were; they are those of the execution at the top, which all below it
/// share. What a limit had paused goes on, and is paused again when the next call does not fit either. To refuse, cancel the
/// execution.
#[utoipa::path(post, path = "/api/v1/executions/{id}/budget", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    request_body = BudgetLimits,
    responses(
        (status = 202, body = ExecutionView<'static>, description = "The change is durable."),
    ),
)]
pub async fn approve(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<BudgetLimits>,
) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut errors = Vec::new();
    check_budget(&body.value, "", &mut errors);
    if body.value == BudgetLimits::default() {
        errors.push(field("", "at least one limit must be given"));
    }
    if !errors.is_empty() {
        return Err(Error::invalid_fields(errors));
    }
    service.check_execution(&caller, Action::ExecutionSteer, id).await?;
    let (by, budget) = (Some(caller.name()), body.value.into());
    let action = Command::Approve { by: by.clone(), budget }.word();
    let audit = service.entry(&caller, Change::done(action, "execution", id));
    let approved = service.engine.approve(caller.tenant_id, id, by, budget, audit).await;
    steered(&service, approved, id)
}

/// Notes what is wrong with limits. `pointer` is where they stand in the body.
pub fn check_budget(budget: &BudgetLimits, pointer: &str, errors: &mut Vec<FieldError>) {
    let BudgetLimits { max_tokens, max_cost_usd, max_wall_seconds, max_model_calls } = budget;
    let whole =
        [("max_tokens", max_tokens), ("max_wall_seconds", max_wall_seconds), ("max_model_calls", max_model_calls)];
    for (name, limit) in whole {
        if limit.is_some_and(|limit| limit > MAX_LIMIT) {
            errors.push(field(&format!("{pointer}/{name}"), &format!("must be at most {MAX_LIMIT}")));
        }
    }
    if max_cost_usd.is_some_and(|cost| !(0.0..=MAX_COST_USD).contains(&cost)) {
        errors.push(field(&format!("{pointer}/max_cost_usd"), &format!("must be 0 to {MAX_COST_USD}")));
    }
}

impl Service {
    /// How an execution stands with its budget; `None` when nothing limits it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn budget(&self, execution: &Execution) -> Result<Option<BudgetView>> {
        let root_execution_id = execution.creation.root(execution.id);
        let account = self.engine.store().account(execution.tenant_id, root_execution_id).await?;
        let is_limited = !account.budget.is_unlimited();
        Ok(is_limited.then(|| BudgetView {
            root_execution_id,
            limits: account.budget.into(),
            spent: account.spent.into(),
            reserved: self.engine.reserved(root_execution_id).into(),
        }))
    }
}
