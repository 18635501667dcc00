//! Budgets of executions: what may be spent, and what has been.

use crate::domain::ExecutionId;
use crate::domain::quota::{Budget, Spending};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an execution and everything below it may spend. What is left out is not limited, or not changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetLimits {
    /// Tokens of all kinds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// US dollars, as far as prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub max_cost_usd: Option<f64>,
    /// Seconds since the start; pauses do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wall_seconds: Option<u64>,
    /// Calls of agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_model_calls: Option<u64>,
}

/// How an execution stands with its budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetView {
    /// The execution whose budget it is: the one at the top.
    pub root_execution_id: ExecutionId,
    /// With everything that was approved.
    pub limits: BudgetLimits,
    /// By everything below that execution, and by itself.
    pub spent: Spent,
    /// What the calls that are under way may come to use, beyond what is spent.
    pub reserved: Spent,
}

/// What model calls have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Spent {
    pub calls: u64,
    /// Of all kinds together.
    pub tokens: u64,
    /// US dollars, of the calls whose price is known.
    pub cost_usd: f64,
}

impl From<BudgetLimits> for Budget {
    fn from(limits: BudgetLimits) -> Self {
        let BudgetLimits { max_tokens, max_cost_usd, max_wall_seconds, max_model_calls } = limits;
        Self { max_tokens, max_cost_usd, max_wall_seconds, max_model_calls }
    }
}

impl From<Budget> for BudgetLimits {
    fn from(budget: Budget) -> Self {
        let Budget { max_tokens, max_cost_usd, max_wall_seconds, max_model_calls } = budget;
        Self { max_tokens, max_cost_usd, max_wall_seconds, max_model_calls }
    }
}

impl From<Spending> for Spent {
    fn from(spending: Spending) -> Self {
        let Spending { calls, tokens, cost_usd } = spending;
        Self { calls, tokens, cost_usd }
    }
}
