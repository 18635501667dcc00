//! What is known before a workflow runs.

use super::words::words;
use serde::{Deserialize, Serialize};

/// How something that an execution may touch stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is there and may be used.
    Ready,
    /// It is seen only when an execution runs.
    Unknown,
    /// There is none of this name.
    Missing,
    /// It is there and cannot be used: an agent that is switched off, a secret whose key the service does not have.
    Off,
    /// The service does not let executions connect there.
    Refused,
    /// The name of the host has no address now.
    Unresolved,
    /// It is no address of HTTP.
    Invalid,
}

words!(Verdict {
    Ready = "ready",
    Unknown = "unknown",
    Missing = "missing",
    Off = "off",
    Refused = "refused",
    Unresolved = "unresolved",
    Invalid = "invalid",
});

impl Verdict {
    /// Whether an execution that comes to it is sure to fail there as things are.
    pub const fn is_bad(self) -> bool {
        match self {
            Self::Ready | Self::Unknown => false,
            Self::Missing | Self::Off | Self::Refused | Self::Unresolved | Self::Invalid => true,
        }
    }
}
