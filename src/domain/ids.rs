//! Identifiers: UUIDv7 as text, one type per kind of thing so that they cannot be mixed up.
//!
//! Nothing here makes a new random id: ids come from the actors (see `crate::clock`). Derived ids (effect keys, child
//! executions) are UUIDv5 of the execution's id and a task path, see [`ExecutionId::derive`].

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// One execution.
    ExecutionId
);
id!(
    /// One tenant: the wall between customers.
    TenantId
);
id!(
    /// One registered version of a workflow.
    WorkflowId
);
id!(
    /// One agent.
    AgentId
);
id!(
    /// One person.
    UserId
);
id!(
    /// One API key.
    ApiKeyId
);
id!(
    /// One sign-in of a person: the family of refresh tokens that follow from it.
    SessionId
);
id!(
    /// One line of the audit.
    AuditId
);
id!(
    /// One saved view.
    SavedViewId
);

impl TenantId {
    /// The tenant that every installation has.
    pub const DEFAULT: TenantId = TenantId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
}

impl ExecutionId {
    /// The id derived from this execution, a task path and a purpose: the same after every restart (`uuid_v5(id, path#purpose)`).
    pub fn derive(&self, path: &str, purpose: &str) -> Uuid {
        Uuid::new_v5(&self.0, format!("{path}#{purpose}").as_bytes())
    }
}
