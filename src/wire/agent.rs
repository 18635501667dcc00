//! Agents as callers see them, and the bodies that make, change and test them.

use super::budget::BudgetLimits;
use crate::domain::{Adapter, Agent, AgentId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentView {
    pub id: AgentId,
    pub name: String,
    /// Unique: lower-case letters, digits and hyphens.
    pub slug: String,
    pub description: String,
    pub adapter: Adapter,
    pub model: Option<String>,
    pub system_prompt: Option<String>,
    /// Adapter-specific.
    pub parameters: Map<String, Value>,
    /// Skill to level, 0 to 1.
    pub capabilities: BTreeMap<String, f64>,
    pub is_active: bool,
    /// Belongs to the system: every tenant may use it, none may change it.
    pub is_system: bool,
    /// Whose it is; absent for those of the system.
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<Agent> for AgentView {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id,
            name: agent.name,
            slug: agent.slug,
            description: agent.description,
            adapter: agent.adapter,
            model: agent.model,
            system_prompt: agent.system_prompt,
            parameters: agent.parameters,
            capabilities: agent.capabilities,
            is_active: agent.is_active,
            is_system: agent.is_system,
            created_by: agent.created_by,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
        }
    }
}

/// The body that makes an agent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAgent {
    /// 1 to 120 characters, not all spaces.
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    pub name: String,
    /// Lower-case letters, digits and hyphens, 1 to 63; made from the name when absent.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub slug: Option<String>,
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    pub adapter: Adapter,
    /// Needed with the adapter `openai`.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub model: Option<String>,
    #[serde(default)]
    #[schema(max_length = 100000)]
    pub system_prompt: Option<String>,
    /// Those of the adapter; `command` needs `program`. With `openai`, `api_key_secret` names the secret of the tenant that is the
    /// key; who stores such an agent has to have the right to use secrets.
    #[serde(default)]
    #[schema(example = json!({ "base_url": "https://gateway.example.com/v1", "api_key_secret": "gateway-key" }))]
    pub parameters: Option<Map<String, Value>>,
    #[serde(default)]
    pub capabilities: Option<BTreeMap<String, f64>>,
    /// `true` when absent.
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// The body that changes an agent. Only what is given changes; `null` empties `model` and `system_prompt`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAgent {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub slug: Option<String>,
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    #[serde(default)]
    pub adapter: Option<Adapter>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub model: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100000)]
    pub system_prompt: Option<Option<String>>,
    #[serde(default)]
    pub parameters: Option<Map<String, Value>>,
    #[serde(default)]
    pub capabilities: Option<BTreeMap<String, f64>>,
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// Tells `null` (given, empty) from an absent field.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The body that tests an agent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestAgent {
    /// 1 to 5 000 characters.
    #[schema(min_length = 1, max_length = 5000, pattern = r"\S")]
    pub test_input: String,
    /// What the test may spend. Nothing is limited when absent.
    #[serde(default)]
    pub budget: Option<BudgetLimits>,
}
