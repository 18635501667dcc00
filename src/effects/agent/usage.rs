//! What a model call cost: token counts in the spellings of the field, made disjoint, and prices.

use super::{Parameters, invalid};
use crate::domain::{Agent, Failure, Prices, Usage, UsageOutcome};
use serde_json::{Map, Value};
use std::time::Duration;

/// More than this no call has used, whatever its provider says: sums over many calls have to stay numbers.
const MOST_TOKENS: u64 = 1_000_000_000_000;
/// The same in US dollars.
const MOST_COST_USD: f64 = 1_000_000_000.0;

/// Disjoint token counts of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: u64,
    pub cached_input: u64,
    pub output: u64,
    pub reasoning: u64,
}

impl Tokens {
    fn cost(self, prices: Prices) -> f64 {
        prices.cost(self.input, self.cached_input, self.output, self.reasoning)
    }

    /// Reads a `usage` object. Anthropic's counts are disjoint already; those of OpenAI and of most others include the
    /// cached tokens in the input and the reasoning tokens in the output.
    pub fn read(usage: &Value) -> Option<Self> {
        let count =
            |pointers: &[&str]| pointers.iter().find_map(|pointer| usage.pointer(pointer).and_then(Value::as_u64));
        let count = |pointers: &[&str]| count(pointers).map(|count| count.min(MOST_TOKENS));
        let input = count(&["/input_tokens", "/prompt_tokens"]);
        let output = count(&["/output_tokens", "/completion_tokens"]);
        if input.is_none() && output.is_none() {
            return None;
        }
        let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
        let reasoning = count(&[
            "/completion_tokens_details/reasoning_tokens",
            "/output_tokens_details/reasoning_tokens",
            "/reasoning_output_tokens",
            "/reasoning_tokens",
        ]);
        let reasoning = reasoning.unwrap_or(0).min(output);
        let read_from_cache = count(&["/cache_read_input_tokens"]);
        let written_to_cache = count(&["/cache_creation_input_tokens"]);
        let (input, cached_input) = if read_from_cache.is_some() || written_to_cache.is_some() {
            (input.saturating_add(written_to_cache.unwrap_or(0)), read_from_cache.unwrap_or(0))
        } else {
            let cached = count(&[
                "/prompt_tokens_details/cached_tokens",
                "/input_tokens_details/cached_tokens",
                "/cached_input_tokens",
            ]);
            let cached = cached.unwrap_or(0).min(input);
            (input - cached, cached)
        };
        Some(Self { input, cached_input, output: output - reasoning, reasoning })
    }
}

/// `parameters.prices`: US dollars per million tokens. `input` and `output` are needed; `cached_input` and `reasoning` cost
/// the same as these unless given.
pub fn read_prices(parameters: Parameters<'_>) -> Result<Option<Prices>, Failure> {
    let Some(prices) = parameters.object("prices")? else { return Ok(None) };
    let (input, output) = (needed(prices, "input")?, needed(prices, "output")?);
    Ok(Some(Prices {
        input,
        cached_input: price(prices, "cached_input")?.unwrap_or(input),
        output,
        reasoning: price(prices, "reasoning")?.unwrap_or(output),
    }))
}

fn needed(prices: &Map<String, Value>, name: &str) -> Result<f64, Failure> {
    price(prices, name)?.ok_or_else(|| invalid(format!("`prices` needs `{name}`, in US dollars per million tokens")))
}

fn price(prices: &Map<String, Value>, name: &str) -> Result<Option<f64>, Failure> {
    let valid = |value: &Value| value.as_f64().filter(|price| *price >= 0.0);
    let wrong = || invalid(format!("`prices.{name}` has to be a number of US dollars per million tokens"));
    prices.get(name).map(|value| valid(value).ok_or_else(wrong)).transpose()
}

/// What a provider said about one call.
pub struct Report<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub tokens: Tokens,
    /// When the provider calculated it.
    pub cost_usd: Option<f64>,
    pub latency: Duration,
}

/// The record of one call.
pub fn record(agent: &Agent, report: &Report<'_>, prices: Option<Prices>) -> Usage {
    Usage {
        agent_id: Some(agent.id),
        provider: report.provider.to_owned(),
        model: report.model.to_owned(),
        input_tokens: report.tokens.input,
        cached_input_tokens: report.tokens.cached_input,
        output_tokens: report.tokens.output,
        reasoning_tokens: report.tokens.reasoning,
        cost_usd: cost(report, prices),
        prices: prices.filter(|_| report.cost_usd.is_none()),
        latency_ms: u64::try_from(report.latency.as_millis()).unwrap_or(u64::MAX),
        outcome: UsageOutcome::Used,
        is_estimated: false,
    }
}

/// What the provider says that it cost, or else what its tokens cost.
fn cost(report: &Report<'_>, prices: Option<Prices>) -> Option<f64> {
    let cost = report.cost_usd.or_else(|| prices.map(|prices| report.tokens.cost(prices)));
    cost.map(|cost| cost.clamp(0.0, MOST_COST_USD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_counts_of_every_provider_become_disjoint() {
        let openai = json!({
            "prompt_tokens": 100, "completion_tokens": 50,
            "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 30},
        });
        let expected = Tokens { input: 60, cached_input: 40, output: 20, reasoning: 30 };
        assert_eq!(Tokens::read(&openai), Some(expected));
        let anthropic = json!({
            "input_tokens": 10, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 70, "output_tokens": 8,
        });
        let expected = Tokens { input: 15, cached_input: 70, output: 8, reasoning: 0 };
        assert_eq!(Tokens::read(&anthropic), Some(expected));
        assert_eq!(Tokens::read(&json!({"total_tokens": 5})), None);
    }

    #[test]
    fn what_a_provider_says_stays_within_reason() {
        let most = json!({
            "input_tokens": u64::MAX, "cache_creation_input_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX,
            "output_tokens": u64::MAX,
        });
        let Tokens { input, cached_input, output, reasoning } = Tokens::read(&most).unwrap();
        assert_eq!((input, cached_input), (2 * MOST_TOKENS, MOST_TOKENS));
        assert_eq!((output, reasoning), (MOST_TOKENS, 0));
        for (said, kept) in [(-5.0, 0.0), (f64::MAX, MOST_COST_USD), (0.25, 0.25)] {
            let (tokens, latency) = (Tokens::default(), Duration::ZERO);
            let report = Report { provider: "p", model: "m", tokens, cost_usd: Some(said), latency };
            assert_eq!(cost(&report, None), Some(kept));
        }
    }

    #[test]
    fn prices_are_per_million_tokens() {
        let own = Map::new();
        let laid_over = json!({"prices": {"input": 2.0, "cached_input": 0.5, "output": 8.0}});
        let parameters = Parameters { own: &own, laid_over: laid_over.as_object().unwrap() };
        let prices = read_prices(parameters).unwrap().unwrap();
        let tokens = Tokens { input: 1_000_000, cached_input: 2_000_000, output: 500_000, reasoning: 500_000 };
        assert!((tokens.cost(prices) - 11.0).abs() < 1e-9);
    }
}
