//! What each tenant may take of the service.

use super::{Error, Store};
use crate::domain::TenantId;
use crate::domain::quota::Limits;

impl Store {
    /// The limits of a tenant as they are now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn limits(&self, tenant_id: TenantId) -> Result<Limits, Error> {
        match self.tenant(tenant_id).await {
            Ok(tenant) => Ok(tenant.limits.over(self.default_limits)),
            // Of a tenant that is being deleted.
            Err(Error::NotFound) => Ok(self.default_limits),
            Err(error) => Err(error),
        }
    }
}
