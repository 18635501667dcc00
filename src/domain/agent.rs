//! Agents: who can be asked to do a piece of work, and what a call to one cost.

use super::quota::Spending;
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
    /// US dollars, when the price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// What the cost was calculated with; absent when the provider calculated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    pub latency_ms: u64,
    #[serde(default)]
    pub outcome: UsageOutcome,
    /// Whether the tokens were counted here and not by the provider, because the call was broken off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_estimated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Usage {
    /// Tokens of all kinds.
    pub fn tokens(&self) -> u64 {
        let parts = [self.input_tokens, self.cached_input_tokens, self.output_tokens, self.reasoning_tokens];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// What it takes of a budget.
    pub fn spending(&self) -> Spending {
        Spending { calls: 1, tokens: self.tokens(), cost_usd: self.cost_usd.unwrap_or(0.0) }
    }
}

/// Whether anything came of a model call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageOutcome {
    #[default]
    Used,
    /// It failed, or what it was part of was retried, cancelled or superseded.
    Wasted,
}

impl UsageOutcome {
    /// The word used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Wasted => "wasted",
        }
    }
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    pub input: f64,
    pub cached_input: f64,
    pub output: f64,
    pub reasoning: f64,
}

impl Prices {
    /// US dollars for so many tokens of each kind.
    pub fn cost(self, input: u64, cached_input: u64, output: u64, reasoning: u64) -> f64 {
        const PRICED_TOKENS: f64 = 1_000_000.0;
        let buckets = [
            (input, self.input),
            (cached_input, self.cached_input),
            (output, self.output),
            (reasoning, self.reasoning),
        ];
        buckets.into_iter().map(|(count, price)| as_float(count) * price / PRICED_TOKENS).sum()
    }
}

/// Exact for every count that can occur.
fn as_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
