//! Quotas: how much of the service one tenant may take.

/// The limits of one tenant. `None` means that the service's own limits are the only ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Executions that hold a slot at the same time.
    pub max_running_executions: Option<u64>,
    /// Accepted executions that wait to be started, those with a later `start_at` included.
    pub max_queued_executions: Option<u64>,
    pub max_projects: Option<u64>,
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
