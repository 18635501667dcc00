//! What a call of an agent may come to use, told before it is made.

use super::usage::read_prices;
use super::{Parameters, openai};
use crate::domain::quota::Spending;
use crate::domain::{Adapter, Agent, AgentRequest, Failure, Prices};

/// Bytes of text per token: about right for English, on the safe side for most else.
const BYTES_PER_TOKEN: u64 = 4;
/// Tokens of an answer whose length nothing limits.
const USUAL_ANSWER_TOKENS: u64 = 1_000;

/// What a call may come to use.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    pub provider: String,
    pub model: String,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub prices: Option<Prices>,
    /// No model is asked: it uses no tokens and costs nothing.
    pub is_free: bool,
}

impl Forecast {
    /// Of a request to an agent.
    ///
    /// # Errors
    /// The failure with which the call would end: parameters that make no sense.
    pub fn of(agent: &Agent, request: &AgentRequest) -> Result<Self, Failure> {
        let parameters = Parameters::of(agent, request)?;
        let prompt = request.prompt.len()
            + request.system_prompt.as_deref().or(agent.system_prompt.as_deref()).map_or(0, str::len);
        let limit = match parameters.whole_number("max_completion_tokens")? {
            Some(limit) => Some(limit),
            None => parameters.whole_number("max_tokens")?,
        };
        let model = agent.model.clone().unwrap_or_default();
        let (provider, model) = match agent.adapter {
            Adapter::Builtin => {
                return Ok(Self {
                    provider: "builtin".to_owned(),
                    model: parameters.text("skill")?.unwrap_or("echo").to_owned(),
                    input_tokens: 0,
                    output_tokens: 0,
                    prices: None,
                    is_free: true,
                });
            }
            Adapter::Command => (parameters.text("program")?.map_or("command", file_name).to_owned(), model),
            Adapter::Openai => (openai::provider(parameters)?, model),
        };
        Ok(Self {
            provider,
            model,
            input_tokens: Self::tokens_of(u64::try_from(prompt).unwrap_or(u64::MAX)),
            output_tokens: limit.unwrap_or(USUAL_ANSWER_TOKENS),
            prices: read_prices(parameters)?,
            is_free: false,
        })
    }

    /// About so many tokens are in so many bytes of text.
    pub fn tokens_of(bytes: u64) -> u64 {
        bytes.div_ceil(BYTES_PER_TOKEN)
    }

    /// What it takes of a budget before it is made.
    pub fn spending(&self) -> Spending {
        let cost = self.prices.map_or(0.0, |prices| prices.cost(self.input_tokens, 0, self.output_tokens, 0));
        Spending { calls: 1, tokens: self.input_tokens.saturating_add(self.output_tokens), cost_usd: cost }
    }
}

fn file_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}
