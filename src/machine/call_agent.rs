//! The request of `call: agent`.

use super::decide::Task;
use super::program::AgentRule;
use super::texts::{text, text_or_json};
use crate::domain::{AgentRequest, Failure, StandardType};
use serde_json::{Map, Value};

pub(super) fn request(task: &Task<'_>, rule: &AgentRule) -> Result<AgentRequest, Failure> {
    let optional = |template: &Option<_>| template.as_ref().map(|template| task.template(template)).transpose();
    let prompt = optional(&rule.prompt)?.unwrap_or_else(|| Value::clone(&task.frame.input));
    let system_prompt = optional(&rule.system_prompt)?.filter(|prompt| !prompt.is_null());
    Ok(AgentRequest {
        agent: text(task.template(&rule.agent)?, "agent")?,
        prompt: text_or_json(prompt),
        system_prompt: system_prompt.map(|prompt| text(prompt, "system prompt")).transpose()?,
        parameters: match optional(&rule.parameters)? {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(parameters)) => parameters,
            Some(_) => {
                let detail = "The parameters of an agent must be an object";
                return Err(Failure::new(StandardType::Expression, "Wrong type", detail));
            }
        },
        output: rule.output,
    })
}
