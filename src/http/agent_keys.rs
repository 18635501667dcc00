//! Agents whose key is a secret of their tenant: who may make them, and what the audit says of them (ADR 0042).

use super::Service;
use super::caller::Caller;
use super::error::{Error, Result};
use crate::domain::agent_key::{HEADER, SECRET, VARIABLE};
use crate::domain::{Action, Agent};
use crate::store;
use serde_json::{Value, json};
use url::Url;

/// Refuses an agent whose key the caller may not use, or that names a secret that is not there. One that it named `before` may
/// have been removed meanwhile: that is no reason to refuse what else is changed.
///
/// # Errors
/// 403 with the right that is missing; 400 at the parameter.
pub async fn check(service: &Service, caller: &Caller, agent: &Agent, before: Option<&str>) -> Result<()> {
    permit(caller, agent)?;
    let Some(name) = agent.key_secret().filter(|name| before != Some(*name)) else { return Ok(()) };
    match service.engine.store().secret(caller.tenant_id, name.to_owned()).await {
        Ok(_) => Ok(()),
        Err(store::Error::NotFound) => {
            let detail = format!("names the secret '{name}', which does not exist: store it first");
            Err(Error::invalid_field(&format!("/parameters/{SECRET}"), detail))
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses whoever may not use secrets, if the key of the agent is one.
///
/// # Errors
/// 403 with the right that is missing.
pub fn permit(caller: &Caller, agent: &Agent) -> Result<()> {
    agent.key_secret().map_or(Ok(()), |_| caller.may_use(&[Action::SecretUse]))
}

/// Which key an agent sends, how, and to whom. The address may hold a password; its origin does not.
pub fn facts(agent: &Agent) -> Value {
    let text = |name: &str| agent.parameters.get(name).and_then(Value::as_str);
    let url = text("base_url").and_then(|address| address.parse::<Url>().ok());
    let origin = url.map(|url| url.origin().ascii_serialization());
    json!({ SECRET: text(SECRET), VARIABLE: text(VARIABLE), HEADER: text(HEADER), "origin": origin })
}
