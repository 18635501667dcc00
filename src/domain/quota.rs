//! Quotas: how much of the service one tenant may take, and how much one execution may spend.

use super::words::words;
use serde::{Deserialize, Serialize};

/// The limits of one tenant. `None` means that the service's own limits are the only ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Executions that hold a slot at the same time.
    pub max_running_executions: Option<u64>,
    /// Accepted executions that wait to be started, those with a later `start_at` included.
    pub max_queued_executions: Option<u64>,
    /// Tokens of model calls, of all kinds together, per calendar month (UTC).
    pub max_tokens_per_month: Option<u64>,
    /// US dollars per calendar month (UTC), as far as prices are known.
    pub max_cost_per_month: Option<f64>,
}

impl Limits {
    /// Whether a tenant that holds `running` slots may take another one.
    pub fn allows_another_running(&self, running: usize) -> bool {
        is_below(running, self.max_running_executions)
    }

    /// Whether a tenant with `queued` waiting executions may submit another one.
    pub fn allows_another_queued(&self, queued: usize) -> bool {
        is_below(queued, self.max_queued_executions)
    }
}

fn is_below(count: usize, limit: Option<u64>) -> bool {
    limit.is_none_or(|limit| u64::try_from(count).unwrap_or(u64::MAX) < limit)
}

/// What an execution and everything below it may spend. `None` means that there is no limit of this kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Tokens of all kinds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// US dollars, as far as prices are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// Seconds since the start; pauses do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wall_seconds: Option<u64>,
    /// Calls of agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_model_calls: Option<u64>,
}

impl Budget {
    /// Whether nothing is limited.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// This budget with the limits that `change` names in place of its own.
    #[must_use]
    pub fn changed(self, change: Budget) -> Self {
        Self {
            max_tokens: change.max_tokens.or(self.max_tokens),
            max_cost_usd: change.max_cost_usd.or(self.max_cost_usd),
            max_wall_seconds: change.max_wall_seconds.or(self.max_wall_seconds),
            max_model_calls: change.max_model_calls.or(self.max_model_calls),
        }
    }
}

/// What model calls have used, or may come to use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spending {
    pub calls: u64,
    pub tokens: u64,
    /// US dollars, of the calls whose price is known.
    pub cost_usd: f64,
}

impl Spending {
    #[must_use]
    pub fn plus(self, other: Spending) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            tokens: self.tokens.saturating_add(other.tokens),
            cost_usd: self.cost_usd + other.cost_usd,
        }
    }

    #[must_use]
    pub fn minus(self, other: Spending) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            tokens: self.tokens.saturating_sub(other.tokens),
            cost_usd: (self.cost_usd - other.cost_usd).max(0.0),
        }
    }
}

/// Which limit is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    MaxTokens,
    MaxCostUsd,
    MaxWallSeconds,
    MaxModelCalls,
    MaxTokensPerMonth,
    MaxCostPerMonth,
}

words!(Bound {
    MaxTokens = "max_tokens",
    MaxCostUsd = "max_cost_usd",
    MaxWallSeconds = "max_wall_seconds",
    MaxModelCalls = "max_model_calls",
    MaxTokensPerMonth = "max_tokens_per_month",
    MaxCostPerMonth = "max_cost_per_month",
});

/// A limit that is reached, and what people are told about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    pub limit: Bound,
    pub reason: String,
}
