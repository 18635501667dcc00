//! `call: agent`: one file per adapter, and what they share: parameters and the form of the answer.

pub mod builtin;
pub mod command;
mod command_output;
mod forecast;
pub mod openai;
mod skills;
mod usage;

pub use forecast::Forecast;

use crate::domain::agent_key::{HEADER, SECRET, VARIABLE};
use crate::domain::{Agent, AgentOutput, AgentRequest, EffectOutcome, Failure, StandardType, Usage};
use serde_json::{Map, Value, json};

/// How much of an unusable answer is shown.
const EXCERPT_CHARACTERS: usize = 200;

/// The parameters of an agent with those of the request laid over them. `null` takes a parameter away.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    own: &'a Map<String, Value>,
    laid_over: &'a Map<String, Value>,
}

/// What only the agent itself decides: how it is reached, with whose credentials, and what that costs. Otherwise whoever
/// writes a workflow could have the key of an agent sent to an address of their own, or run another program in its place.
const OF_THE_AGENT_ALONE: [&str; 10] = [
    VARIABLE,
    HEADER,
    SECRET,
    "arguments",
    "base_url",
    "environment",
    "prices",
    "program",
    "provider",
    "working_directory",
];

impl<'a> Parameters<'a> {
    /// The parameters of one call.
    ///
    /// # Errors
    /// `authorization` when the request lays over one that belongs to the agent alone.
    pub fn of(agent: &'a Agent, request: &'a AgentRequest) -> Result<Self, Failure> {
        if let Some(name) = OF_THE_AGENT_ALONE.into_iter().find(|name| request.parameters.contains_key(*name)) {
            let detail =
                format!("the parameter `{name}` belongs to the agent `{}`; a call cannot change it", agent.slug);
            return Err(Failure::new(StandardType::Authorization, "Parameter not allowed", detail)
                .retryable(false)
                .with_suggestion("change the agent, or create another one with this parameter"));
        }
        Ok(Self { own: &agent.parameters, laid_over: &request.parameters })
    }

    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.laid_over.get(name).or_else(|| self.own.get(name)).filter(|value| !value.is_null())
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| wrong(name, "a text"))).transpose()
    }

    pub fn whole_number(self, name: &str) -> Result<Option<u64>, Failure> {
        self.get(name).map(|value| value.as_u64().ok_or_else(|| wrong(name, "a whole number"))).transpose()
    }

    pub fn number(self, name: &str) -> Result<Option<f64>, Failure> {
        self.get(name).map(|value| value.as_f64().ok_or_else(|| wrong(name, "a number"))).transpose()
    }

    pub fn object(self, name: &str) -> Result<Option<&'a Map<String, Value>>, Failure> {
        self.get(name).map(|value| value.as_object().ok_or_else(|| wrong(name, "an object"))).transpose()
    }

    pub fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, Failure> {
        self.get(name).map(|value| texts(value).ok_or_else(|| wrong(name, "a list of texts"))).transpose()
    }
}

/// A list of texts; a single text is a list of one.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// A parameter of the wrong type.
fn wrong(name: &str, expected: &str) -> Failure {
    invalid(format!("the parameter `{name}` has to be {expected}"))
}

/// A parameter that is missing or makes no sense.
pub fn invalid(detail: impl Into<String>) -> Failure {
    Failure::new(StandardType::Validation, "Invalid agent parameters", detail)
        .retryable(false)
        .with_suggestion("the chapter on agents of docs/effects.md has the parameters of each adapter")
}

/// The outcome of an answered call.
fn answered(
    agent: &Agent,
    output: AgentOutput,
    text: String,
    model: Option<&str>,
    usage: Option<Usage>,
) -> EffectOutcome {
    let result = match output {
        AgentOutput::Text => Ok(Value::String(text)),
        AgentOutput::Json => parse_json(&text),
        AgentOutput::Response => Ok(json!({
            "text": text,
            "agent": agent.name,
            "adapter": agent.adapter.as_str(),
            "model": model,
            "usage": usage,
        })),
    };
    EffectOutcome { result, usage }
}

/// The outcome of a call that brought no answer.
fn failed(failure: Failure, usage: Option<Usage>) -> EffectOutcome {
    EffectOutcome { result: Err(failure), usage }
}

/// Reads an answer as JSON. Models like to put a code fence around it.
fn parse_json(text: &str) -> Result<Value, Failure> {
    let trimmed = text.trim();
    let inner = match trimmed.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) {
        Some(fenced) => fenced.split_once('\n').map_or(fenced, |(_language, body)| body),
        None => trimmed,
    };
    serde_json::from_str(inner).map_err(|error| {
        let excerpt: String = trimmed.chars().take(EXCERPT_CHARACTERS).collect();
        Failure::new(StandardType::Runtime, "Answer is not JSON", format!("{error}; the answer begins with: {excerpt}"))
            .retryable(true)
            .with_suggestion("ask for JSON alone in the prompt, or use `output: text`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_inside_a_code_fence() {
        for text in ["{\"a\":1}", " \n{\"a\":1}\n", "```json\n{\"a\":1}\n```", "```\n{\"a\":1}```\n"] {
            assert_eq!(parse_json(text), Ok(json!({"a": 1})), "{text}");
        }
        let failure = parse_json("Sure! Here it is").unwrap_err();
        assert!(failure.detail.unwrap().contains("Sure! Here it is"));
    }
}
