//! What a running execution may use: what its creator was allowed to do when it was made, and still is.
//!
//! The actors ask here before an execution asks an agent, reads secrets or starts a child. Why it is so: ADR 0022.

use super::permission::reach;
use super::{Action, ApiKeyId, Denial, Failure, Reach, Role, Scopes, StandardType, TenantId};
use serde::{Deserialize, Serialize};

/// For whom an execution acts, as of its creation. Its children inherit it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The name of the creator, for people to read.
    pub name: String,
    pub role: Role,
    #[serde(default, skip_serializing_if = "Scopes::is_unlimited")]
    pub scopes: Scopes,
    /// The key that was shown; absent for a sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<ApiKeyId>,
}

/// What has become of whoever made an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creator {
    /// They are still welcome: where they are at home, and as what.
    Present { tenant_id: TenantId, role: Role },
    /// They are not welcome any more.
    Inactive,
    /// Nobody of their tenant is.
    TenantInactive,
    /// They are, but not with the key that they used.
    KeyRevoked,
    /// There is no such person or key any more.
    Removed,
}

/// Why an execution may not use something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withdrawn {
    #[error("{name}, for whom it runs, is not active any more")]
    Inactive { name: String },
    #[error("the tenant of {name}, for whom it runs, is not active any more")]
    TenantInactive { name: String },
    #[error("the API key that started it for {name} was revoked")]
    KeyRevoked { name: String },
    #[error("{name}, for whom it runs, was removed")]
    Removed { name: String },
    #[error("{name}, for whom it runs, may not work in this tenant any more")]
    Foreign { name: String },
    #[error("it runs for {name}: {denial}")]
    Denied { name: String, denial: Denial },
    #[error("it cannot be found out for whom it runs")]
    Unknown,
}

impl Authority {
    /// Whether an execution of a tenant may do something now. It needs both: what its creator was allowed to do when it was
    /// made, and what they are allowed to do now.
    ///
    /// # Errors
    /// [`Withdrawn`] with the reason.
    pub fn may(&self, action: Action, tenant: TenantId, creator: Creator) -> Result<(), Withdrawn> {
        let name = || self.name.clone();
        let (home, role) = match creator {
            Creator::Present { tenant_id, role } => (tenant_id, role.min(self.role)),
            Creator::Inactive => return Err(Withdrawn::Inactive { name: name() }),
            Creator::TenantInactive => return Err(Withdrawn::TenantInactive { name: name() }),
            Creator::KeyRevoked => return Err(Withdrawn::KeyRevoked { name: name() }),
            Creator::Removed => return Err(Withdrawn::Removed { name: name() }),
        };
        match reach(action, role, &self.scopes) {
            Err(denial) => Err(Withdrawn::Denied { name: name(), denial }),
            // Only who sees the platform works in other tenants than their own.
            Ok(reach) if home != tenant && reach < Reach::Platform => Err(Withdrawn::Foreign { name: name() }),
            Ok(_) => Ok(()),
        }
    }
}

impl Withdrawn {
    /// What the task that wanted to do something fails with. `what` continues "the execution may not".
    pub fn failure(&self, what: &str) -> Failure {
        Failure::new(StandardType::Authorization, "Not allowed", format!("The execution may not {what}: {self}"))
            .with_suggestion("Give its creator the right back, or retry the execution as somebody who has it")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;
    use uuid::Uuid;

    const HOME: TenantId = TenantId::DEFAULT;

    fn authority(role: Role, scopes: &[Scope]) -> Authority {
        Authority { name: "Ada".to_owned(), role, scopes: Scopes(scopes.iter().copied().collect()), key_id: None }
    }

    fn now(role: Role) -> Creator {
        Creator::Present { tenant_id: HOME, role }
    }

    #[test]
    fn the_lesser_of_then_and_now_counts() {
        let action = Action::SecretUse;
        let member = authority(Role::Member, &[]);
        assert_eq!(member.may(action, HOME, now(Role::Admin)), Ok(()));
        let refused = member.may(action, HOME, now(Role::Viewer)).unwrap_err();
        assert_eq!(refused.to_string(), "it runs for Ada: the role 'viewer' does not allow secret_use");
        let viewer = authority(Role::Viewer, &[]);
        assert!(viewer.may(action, HOME, now(Role::Operator)).is_err(), "a promotion does not reach back");
    }

    #[test]
    fn scopes_of_the_key_narrow_what_its_executions_use() {
        let starter = authority(Role::Admin, &[Scope::ExecutionsWrite, Scope::AgentsUse]);
        assert_eq!(starter.may(Action::AgentUse, HOME, now(Role::Admin)), Ok(()));
        assert_eq!(starter.may(Action::WorkflowRun, HOME, now(Role::Admin)), Ok(()));
        let refused = starter.may(Action::SecretUse, HOME, now(Role::Admin)).unwrap_err();
        assert_eq!(refused.to_string(), "it runs for Ada: the key lacks the scope 'secrets:use'");
    }

    #[test]
    fn whoever_is_gone_takes_their_executions_rights_along() {
        let member = authority(Role::Member, &[]);
        for creator in [Creator::Inactive, Creator::TenantInactive, Creator::KeyRevoked, Creator::Removed] {
            assert!(member.may(Action::AgentUse, HOME, creator).is_err(), "{creator:?}");
        }
    }

    #[test]
    fn an_operator_who_is_none_any_more_has_nothing_in_other_tenants() {
        let elsewhere = TenantId(Uuid::from_u128(7));
        let operator = authority(Role::Operator, &[]);
        assert_eq!(operator.may(Action::AgentUse, elsewhere, now(Role::Operator)), Ok(()));
        let refused = operator.may(Action::AgentUse, elsewhere, now(Role::Admin));
        assert_eq!(refused, Err(Withdrawn::Foreign { name: "Ada".to_owned() }));
    }

    #[test]
    fn what_was_stored_before_keys_were_noted_is_read() {
        let stored = r#"{"name":"Ada","role":"member"}"#;
        assert_eq!(serde_json::from_str::<Authority>(stored).unwrap(), authority(Role::Member, &[]));
        assert_eq!(serde_json::to_string(&authority(Role::Member, &[])).unwrap(), stored);
    }
}
