//! The key of an agent that is a secret: opened for one call, with the rights of the execution that makes it, and hidden in
//! whatever comes back.
//!
//! The permission is the one that `use.secrets` asks for. Who has it may send the secret anywhere with a definition of their
//! own, so that the endpoint of the agent takes nothing away from it and adds nothing to it (ADR 0042).

use super::performer::Task;
use super::services::Services;
use crate::domain::{Action, EffectCall, Failure, Secrets, StandardType};
use serde_json::Value;
use std::sync::Arc;

/// Puts the key into a call of an agent whose key is a secret; leaves any other call as it is. From now on the task hides it.
///
/// # Errors
/// `authorization` when the execution may not use secrets, or there is none of this name; `configuration` when it is no text.
pub async fn open(task: &mut Task, call: &mut EffectCall, services: &Services) -> Result<(), Failure> {
    let EffectCall::Agent { agent, key, .. } = call else { return Ok(()) };
    let Some(name) = agent.key_secret() else { return Ok(()) };
    let allowed = services.creators.check(task.tenant, &task.creation, Action::SecretUse).await;
    allowed.map_err(|why| why.failure(&format!("use the secret '{name}', the key of the agent '{}'", agent.slug)))?;
    // Of the tenant for which the agent is asked, whoever the agent belongs to.
    let secrets = services.open_secrets(task.tenant, &[Arc::from(name)]).await;
    let opened = secrets.opened(name).map_err(|why| explained(why.failure(name), &agent.slug))?;
    if !matches!(opened.value(), Value::String(_)) {
        let detail =
            format!("The secret '{name}' is an object, and the key of the agent '{}' has to be a text", agent.slug);
        return Err(Failure::new(StandardType::Configuration, "Secret not usable", detail)
            .retryable(false)
            .with_suggestion("Store the key as a secret of its own, and name that in `api_key_secret`"));
    }
    *key = Some(Arc::clone(opened));
    task.secrets = Secrets::hiding(&task.secrets, &secrets);
    Ok(())
}

/// Says what the secret is needed for.
fn explained(failure: Failure, agent: &str) -> Failure {
    let detail = failure.detail.map(|detail| format!("{detail}; it is the key of the agent '{agent}'"));
    Failure { detail, ..failure }
}
