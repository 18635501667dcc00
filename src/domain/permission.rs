//! What whom is allowed: the one table of roles and actions, and the one function that asks it.
//!
//! Every operation of the interface names its [`Action`]; HTTP, sessions and streams ask [`Principal::may`], running
//! executions ask [`Authority::may`](super::Authority::may).

use super::words::words;
use super::{Principal, Role, Scope, Scopes, TenantId};

/// How far a permission reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Not at all.
    None,
    /// Own things.
    Own,
    /// Everything of the tenant.
    Tenant,
    /// Everything of every tenant.
    Platform,
}

words!(Reach { None = "none", Own = "own", Tenant = "tenant", Platform = "platform" });

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $action:ident $word:literal ($scope:expr) $viewer:ident $member:ident $admin:ident $operator:ident;)+) => {
        /// Something that can be allowed or not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])* $action),+ }

        words!(Action { $($action = $word),+ });

        impl Action {
            /// How far it reaches for a role.
            pub const fn reach(self, role: Role) -> Reach {
                match self {
                    $(Self::$action => match role {
                        Role::Viewer => Reach::$viewer,
                        Role::Member => Reach::$member,
                        Role::Admin => Reach::$admin,
                        Role::Operator => Reach::$operator,
                    }),+
                }
            }

            /// The scope that a narrowed key needs for it; every key may do what has none.
            pub const fn scope(self) -> Option<Scope> {
                match self { $(Self::$action => $scope),+ }
            }

            /// What it is, for the guide.
            pub fn description(self) -> String {
                let text: &[&str] = match self { $(Self::$action => &[$($doc),*]),+ };
                text.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }
        }
    };
}

permissions! {
    // action                scope                          viewer  member  admin   operator
    /// Start, retry and rerun executions.
    ExecutionStart "execution_start" (Some(Scope::ExecutionsWrite)) None Own Tenant Platform;
    /// See executions: lists, figures, histories, logs, live feeds.
    ExecutionRead "execution_read" (Some(Scope::ExecutionsRead)) Tenant Own Tenant Platform;
    /// See figures about all executions of the tenant.
    ExecutionStatistics "execution_statistics" (Some(Scope::ExecutionsRead)) Tenant Tenant Tenant Platform;
    /// Cancel, pause, resume and change executions.
    ExecutionSteer "execution_steer" (Some(Scope::ExecutionsWrite)) None Own Tenant Platform;
    /// See how long the queue is.
    QueueRead "queue_read" (Some(Scope::ExecutionsRead)) Tenant Tenant Tenant Platform;
    /// See workflows, check definitions.
    WorkflowRead "workflow_read" (Some(Scope::WorkflowsRead)) Tenant Tenant Tenant Platform;
    /// Register workflows and further versions.
    WorkflowRegister "workflow_register" (Some(Scope::WorkflowsWrite)) None Own Tenant Platform;
    /// Archive and remove workflows.
    WorkflowChange "workflow_change" (Some(Scope::WorkflowsWrite)) None Own Tenant Platform;
    /// Run a registered workflow, directly or from an execution.
    WorkflowRun "workflow_run" (Some(Scope::ExecutionsWrite)) None Tenant Tenant Platform;
    /// See agents.
    AgentRead "agent_read" (Some(Scope::AgentsRead)) Tenant Tenant Tenant Platform;
    /// Make agents.
    AgentCreate "agent_create" (Some(Scope::AgentsWrite)) None Own Tenant Platform;
    /// Change and remove agents.
    AgentChange "agent_change" (Some(Scope::AgentsWrite)) None Own Tenant Platform;
    /// Ask an agent, directly or from an execution.
    AgentUse "agent_use" (Some(Scope::AgentsUse)) None Tenant Tenant Platform;
    /// See the own saved views. Shared ones are seen by everybody who may do this.
    ViewRead "view_read" (Some(Scope::ViewsRead)) Own Own Tenant Platform;
    /// Save, change and remove saved views.
    ViewWrite "view_write" (Some(Scope::ViewsWrite)) Own Own Tenant Platform;
    /// Share saved views with the tenant, and change shared ones.
    ViewShare "view_share" (Some(Scope::ViewsWrite)) None Own Tenant Platform;
    /// See which secrets there are; never their values.
    SecretRead "secret_read" (Some(Scope::SecretsRead)) None Tenant Tenant Platform;
    /// Set and remove secrets.
    SecretWrite "secret_write" (Some(Scope::SecretsWrite)) None None Tenant Platform;
    /// Let an execution read the secrets that its workflow lists.
    SecretUse "secret_use" (Some(Scope::SecretsUse)) None Tenant Tenant Platform;
    /// See what is kept and for how long.
    RetentionRead "retention_read" (Some(Scope::TenantsRead)) Tenant Tenant Tenant Platform;
    /// Decide what is kept and for how long.
    RetentionWrite "retention_write" (Some(Scope::TenantsWrite)) None None Tenant Platform;
    /// Act on the service as a whole: upkeep, re-encryption of secrets.
    EngineSteer "engine_steer" (Some(Scope::TenantsWrite)) None None None Platform;
    /// See the reports of measurements.
    ReportRead "report_read" (Some(Scope::TenantsRead)) None None None Platform;
    /// See the tenant and its limits.
    TenantRead "tenant_read" (Some(Scope::TenantsRead)) Tenant Tenant Tenant Platform;
    /// Make, change and remove tenants.
    TenantWrite "tenant_write" (Some(Scope::TenantsWrite)) None None None Platform;
    /// See people.
    UserRead "user_read" (Some(Scope::PeopleRead)) Own Own Tenant Platform;
    /// Add, change and remove people, never above the own role.
    UserWrite "user_write" (Some(Scope::PeopleWrite)) None None Tenant Platform;
    /// See API keys; never their secrets.
    KeyRead "key_read" (Some(Scope::KeysRead)) Own Own Tenant Platform;
    /// Make and revoke API keys, never above the own role and scopes.
    KeyWrite "key_write" (Some(Scope::KeysWrite)) Own Own Tenant Platform;
    /// Read the audit.
    AuditRead "audit_read" (Some(Scope::AuditRead)) None None Tenant Platform;
    /// See who one is, get tickets, sign out.
    ProfileRead "profile_read" (Option::None) Own Own Own Own;
    /// Change the own name and password.
    ProfileWrite "profile_write" (Some(Scope::PeopleWrite)) Own Own Own Own;
}

/// What an action is to be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    pub tenant_id: TenantId,
    /// Its `created_by`. What has none is nobody's own.
    pub owner: Option<&'a str>,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// It belongs to another tenant, so it does not exist for whoever asks.
    #[error("it belongs to another tenant")]
    Foreign,
    #[error("the role '{role}' does not allow {action}")]
    Role { role: Role, action: Action },
    #[error("the key lacks the scope '{scope}'")]
    Scope { scope: Scope },
    #[error("it belongs to somebody else, and the role '{role}' allows {action} for own things only")]
    NotOwn { role: Role, action: Action },
}

impl Principal {
    /// How far an action reaches for them, anywhere.
    ///
    /// # Errors
    /// [`Denial::Role`] or [`Denial::Scope`] when they may not do it at all.
    pub fn reach(&self, action: Action) -> Result<Reach, Denial> {
        reach(action, self.role, &self.scopes)
    }

    /// Whether they may do something to a thing.
    ///
    /// # Errors
    /// [`Denial`] with the reason.
    pub fn may(&self, action: Action, target: Target<'_>) -> Result<(), Denial> {
        let reach = self.reach(action);
        if target.tenant_id != self.tenant_id && reach != Ok(Reach::Platform) {
            return Err(Denial::Foreign);
        }
        match reach? {
            Reach::Own if target.owner != Some(self.owner().as_str()) => {
                Err(Denial::NotOwn { role: self.role, action })
            }
            Reach::None | Reach::Own | Reach::Tenant | Reach::Platform => Ok(()),
        }
    }
}

/// How far an action reaches for somebody with a role that scopes narrow.
pub(super) fn reach(action: Action, role: Role, scopes: &Scopes) -> Result<Reach, Denial> {
    let lacking = action.scope().filter(|scope| !scopes.allow(*scope));
    match (action.reach(role), lacking) {
        (Reach::None, _) => Err(Denial::Role { role, action }),
        (_, Some(scope)) => Err(Denial::Scope { scope }),
        (reach, None) => Ok(reach),
    }
}

#[cfg(test)]
mod tests {
    use super::super::PrincipalKind;
    use super::*;
    use uuid::Uuid;

    fn principal(role: Role, scopes: &[Scope]) -> Principal {
        Principal {
            kind: PrincipalKind::User,
            id: Uuid::from_u128(7),
            tenant_id: TenantId::DEFAULT,
            owner_id: Uuid::from_u128(7),
            role,
            scopes: Scopes(scopes.iter().copied().collect()),
            name: "Ada".to_owned(),
        }
    }

    #[test]
    fn every_role_may_do_at_least_what_the_role_before_it_may_write() {
        for action in Action::ALL {
            // A viewer sees what others do, a member only their own: the one place where more is less.
            let (first, roles) = if *action == Action::ExecutionRead { (1, 3) } else { (0, 4) };
            let reaches: Vec<Reach> =
                Role::ALL.iter().skip(first).take(roles).map(|role| action.reach(*role)).collect();
            assert!(reaches.is_sorted(), "{action}: {reaches:?}");
        }
    }

    /// The table for people, between two marks of the guide.
    fn table() -> String {
        let mut lines = vec![
            "| action | what it is | scope of a key | viewer | member | admin | operator |".to_owned(),
            "|---|---|---|---|---|---|---|".to_owned(),
        ];
        for action in Action::ALL {
            let scope = action.scope().map_or("-".to_owned(), |scope| format!("`{scope}`"));
            let reaches: Vec<&str> = Role::ALL.iter().map(|role| action.reach(*role).as_str()).collect();
            lines.push(format!("| `{action}` | {} | {scope} | {} |", action.description(), reaches.join(" | ")));
        }
        lines.join("\n")
    }

    #[test]
    fn the_guide_shows_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/user-guide.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once("<!-- permissions -->\n").expect("the beginning of the table");
        let (shown, after) = rest.split_once("\n<!-- end of permissions -->").expect("the end of the table");
        if std::env::var_os("CALLBOARD_UPDATE_DOCS").is_some() {
            let page = format!("{before}<!-- permissions -->\n{}\n<!-- end of permissions -->{after}", table());
            std::fs::write(path, page).unwrap();
            return;
        }
        assert_eq!(shown, table(), "docs/user-guide.md is stale: run `make generate`");
    }

    #[test]
    fn own_things_others_things_and_other_tenants() {
        let elsewhere = TenantId(Uuid::from_u128(1));
        let member = principal(Role::Member, &[]);
        let owner = member.owner();
        let own = Target { tenant_id: TenantId::DEFAULT, owner: Some(&owner) };
        let others = Target { owner: Some("somebody"), ..own };
        let nobodys = Target { owner: None, ..own };
        let foreign = Target { tenant_id: elsewhere, ..own };
        let steer = Action::ExecutionSteer;
        assert_eq!(member.may(steer, own), Ok(()));
        assert_eq!(member.may(steer, others), Err(Denial::NotOwn { role: Role::Member, action: steer }));
        assert_eq!(member.may(steer, nobodys), Err(Denial::NotOwn { role: Role::Member, action: steer }));
        assert_eq!(member.may(steer, foreign), Err(Denial::Foreign));
        assert_eq!(principal(Role::Viewer, &[]).may(steer, foreign), Err(Denial::Foreign), "404 comes before 403");
        assert_eq!(principal(Role::Admin, &[]).may(steer, others), Ok(()));
        assert_eq!(principal(Role::Admin, &[]).may(steer, foreign), Err(Denial::Foreign));
        assert_eq!(principal(Role::Operator, &[]).may(steer, foreign), Ok(()));
    }

    #[test]
    fn scopes_narrow_a_role_and_never_widen_it() {
        let key = principal(Role::Admin, &[Scope::ExecutionsRead]);
        assert_eq!(key.reach(Action::ExecutionRead), Ok(Reach::Tenant));
        assert_eq!(key.reach(Action::ExecutionStart), Err(Denial::Scope { scope: Scope::ExecutionsWrite }));
        assert_eq!(key.reach(Action::ProfileRead), Ok(Reach::Own));
        let viewer = principal(Role::Viewer, &[Scope::ExecutionsWrite]);
        assert_eq!(
            viewer.reach(Action::ExecutionStart),
            Err(Denial::Role { role: Role::Viewer, action: Action::ExecutionStart })
        );
    }
}
