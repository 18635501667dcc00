//! Who asks: put into each request by `authorization`, taken from there by handlers.
//!
//! Every handler takes its tenant from here and nowhere else, and asks [`Caller::may`] before it touches what has an owner.

use super::error::{Error, Result};
use crate::actors::Submission;
use crate::domain::{Action, Authority, Principal, Reach, Role, Target, TenantId};
use crate::identity::{Standing, Writer};
use crate::wire::catalog::Code;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::net::IpAddr;

/// Who asks, and whose things they see.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The tenant in which this request works: the caller's own, or the one that an operator has named.
    pub tenant_id: TenantId,
    pub standing: Standing,
    /// How far the action of this route reaches for the caller.
    pub reach: Reach,
    /// The id of the request, for the audit.
    pub request_id: Option<String>,
    /// Where the request comes from, for the audit.
    pub address: Option<IpAddr>,
}

impl Caller {
    pub fn principal(&self) -> &Principal {
        &self.standing.principal
    }

    /// What `created_by` of their things says.
    pub fn owner(&self) -> String {
        self.principal().owner()
    }

    /// The name that events and lists show.
    pub fn name(&self) -> String {
        self.principal().name.clone()
    }

    /// What an execution that they start may do.
    pub fn authority(&self) -> Authority {
        self.principal().authority()
    }

    /// Makes a submission theirs.
    pub fn sign(&self, submission: &mut Submission) {
        submission.created_by = Some(self.owner());
        submission.authority = Some(self.authority());
    }

    /// Whether they see the service as a whole.
    pub fn is_operator(&self) -> bool {
        self.principal().role == Role::Operator
    }

    /// The owner to which lists of this route are narrowed: themselves, when they see only their own things.
    pub fn only_owner(&self) -> Option<String> {
        (self.reach <= Reach::Own).then(|| self.owner())
    }

    /// Whether they may do something to a thing in the tenant of this request. `owner` is its `created_by`.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn may(&self, action: Action, owner: Option<&str>) -> Result<()> {
        let target = Target { tenant_id: self.tenant_id, owner };
        self.principal().may(action, target).map_err(Error::from)
    }

    /// Whether they may do these things at all, to what is not anybody's own.
    ///
    /// # Errors
    /// 403 with the reason.
    pub fn may_use(&self, actions: &[Action]) -> Result<()> {
        actions.iter().try_for_each(|action| self.principal().reach(*action).map(|_| ()).map_err(Error::from))
    }

    /// Who writes, for the audit.
    pub fn writer(&self) -> Writer {
        Writer {
            standing: Some(self.standing.clone()),
            name: self.name(),
            request_id: self.request_id.clone(),
            address: self.address,
            provider: None,
        }
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Error::new(Code::Internal, "The route is open and its handler asks who is there.")))
    }
}
