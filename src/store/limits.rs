//! What each tenant may take of the service.

use super::{Error, Store};
use crate::domain::quota::Limits;
use crate::domain::{TenantId, TenantLimits};

impl Store {
    /// The limits that hold for a tenant that has decided these.
    pub fn limits_over(&self, own: TenantLimits) -> Limits {
        own.over(self.default_limits)
    }

    /// The limits of a tenant as they are now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn limits(&self, tenant_id: TenantId) -> Result<Limits, Error> {
        match self.tenant(tenant_id).await {
            Ok(tenant) => Ok(self.limits_over(tenant.limits)),
            // Of a tenant that is being deleted.
            Err(Error::NotFound) => Ok(self.default_limits),
            Err(error) => Err(error),
        }
    }
}
