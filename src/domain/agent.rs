//! Agents: who can be asked to do a piece of work, and what a call to one cost.

use super::{AgentId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How an agent is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adapter {
    /// Deterministic and offline; no language model. `parameters.skill` = `echo`, `summarize`, `extract`, `classify`, `score`.
    Builtin,
    /// A command-line program: prompt on standard input, text or JSON lines on standard output.
    Command,
    /// Any OpenAI-compatible chat completions endpoint.
    Openai,
}

impl Adapter {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Command => "command",
            Self::Openai => "openai",
        }
    }
}

/// One agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    pub id: AgentId,
    pub tenant_id: TenantId,
    pub name: String,
    /// Unique per tenant: lower-case letters, digits and hyphens.
    pub slug: String,
    pub description: String,
    pub adapter: Adapter,
    pub model: Option<String>,
    pub system_prompt: Option<String>,
    /// Adapter-specific: see the user guide.
    pub parameters: Map<String, Value>,
    /// Skill to level, 0 to 1.
    pub capabilities: BTreeMap<String, f64>,
    pub is_active: bool,
    /// Shared by all tenants, not editable by them.
    pub is_system: bool,
    /// Whose it is: the id of a person, or of a key that belongs to nobody.
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// One model call: disjoint token buckets and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    pub provider: String,
    pub model: String,
    pub input_tokens: u64,
    pub cached_input_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_tokens: u64,
    /// US dollars, when the agent's parameters carry prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    pub latency_ms: u64,
}
