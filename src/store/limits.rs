//! What each tenant may take of the service.

use super::connection::AnyConnection;
use super::tenants::limits_of;
use super::{Error, Store};
use crate::domain::quota::Limits;
use crate::domain::{TenantId, TenantLimits};

impl Store {
    /// The limits of a tenant as they are now. Those that the tenant has not are those of the settings.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn limits(&self, tenant_id: TenantId) -> Result<Limits, Error> {
        let defaults = self.default_limits;
        self.read(move |connection| limits(connection, tenant_id, defaults)).await
    }
}

fn limits(connection: &mut AnyConnection, tenant_id: TenantId, defaults: Limits) -> Result<Limits, Error> {
    // One that is being deleted may have executions for a while.
    let Some(own) = limits_of(connection, &tenant_id.to_string())? else { return Ok(defaults) };
    let TenantLimits {
        max_running_executions,
        max_queued_executions,
        max_projects,
        max_tokens_per_month,
        max_cost_per_month,
    } = own;
    Ok(Limits {
        max_running_executions: max_running_executions.or(defaults.max_running_executions),
        max_queued_executions: max_queued_executions.or(defaults.max_queued_executions),
        max_projects: max_projects.or(defaults.max_projects),
        max_tokens_per_month: max_tokens_per_month.or(defaults.max_tokens_per_month),
        max_cost_per_month: max_cost_per_month.or(defaults.max_cost_per_month),
    })
}
