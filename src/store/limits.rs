//! What each tenant may take of the service.

use super::{Error, Store};
use crate::domain::TenantId;
use crate::domain::quota::Limits;

impl Store {
    /// The limits of a tenant as they are now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn limits(&self, _tenant_id: TenantId) -> Result<Limits, Error> {
        Ok(self.default_limits)
    }
}
