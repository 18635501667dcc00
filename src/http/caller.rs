//! Who asks. Sign-in will replace this file; every handler takes its tenant from here and nowhere else.

use crate::domain::TenantId;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::convert::Infallible;
use std::future::{Ready, ready};

/// Who asks, and whose things they see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub tenant_id: TenantId,
    /// What is recorded as `created_by` and `by`; absent until there is sign-in.
    pub name: Option<String>,
}

impl Caller {
    /// Whether the caller sees the service as a whole. Without sign-in everybody on this machine is its operator.
    pub fn is_operator(&self) -> bool {
        self.tenant_id == TenantId::DEFAULT
    }
}

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { tenant_id: TenantId::DEFAULT, name: None }))
    }
}
