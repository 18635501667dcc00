//! The `openai` adapter: any endpoint that speaks the chat completions protocol, streamed.
//!
//! Parameters: `base_url` (default `https://api.openai.com/v1`); `api_key_secret`, the secret that is the key, or `api_key_env`,
//! the environment variable of the service that holds it, which the operator has to have permitted for the endpoint (default
//! `OPENAI_API_KEY` for the default endpoint and none for others); `api_key_header` for servers that want the key elsewhere than
//! in `Authorization: Bearer`; the sampling parameters of the protocol (`temperature`, `top_p`, `max_tokens` …); `request`, an object of
//! further fields; `stream_usage`, `false` for servers that do not know `stream_options`; `prices`.
//!
//! The library speaks the protocol over the guarded client of all effects. It does not retry: that is up to the definition.

use super::usage::{Report, Tokens, read_prices, record};
use super::{Parameters, answered, failed, invalid};
use crate::domain::{Agent, AgentRequest, EffectOutcome, Failure, LogLevel, Prices, StandardType, Usage};
use crate::effects::client::Client;
use crate::effects::http::parse_url;
use crate::effects::model_key::{Credential, Keys};
use crate::effects::model_transport::{Transport, failure_of};
use crate::effects::{EffectContext, Observer};
use async_openai::config::OpenAIConfig;
use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use url::Url;

const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";
const DEFAULT_KEY_VARIABLE: &str = "OPENAI_API_KEY";
/// Parameters that are fields of the request.
const REQUEST_FIELDS: [&str; 11] = [
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "response_format",
    "verbosity",
];

/// Asks the model once, with the client that is given and one of the keys.
pub async fn perform(
    client: &Client,
    keys: Keys<'_>,
    agent: &Agent,
    request: AgentRequest,
    context: &EffectContext,
) -> EffectOutcome {
    let call = match Call::prepare(agent, &request, keys, context) {
        Ok(call) => call,
        Err(failure) => return failed(failure, None),
    };
    let started = Instant::now();
    let mut answer = Answer::default();
    let result = call.converse(client, &mut answer, context.observer.as_ref()).await;
    let model = answer.model.clone().unwrap_or_else(|| call.model.clone());
    let usage: Option<Usage> = answer.tokens.map(|tokens| {
        let latency = started.elapsed();
        let report = Report { provider: &call.provider, model: &model, tokens, cost_usd: None, latency };
        record(agent, &report, call.prices)
    });
    match result {
        Ok(()) => answered(agent, request.output, answer.text, Some(&model), usage),
        Err(failure) => failed(failure, usage),
    }
}

/// One call, ready to be sent.
struct Call {
    config: OpenAIConfig,
    credential: Option<Credential>,
    endpoint: Url,
    body: Value,
    model: String,
    provider: String,
    prices: Option<Prices>,
}

/// What the stream has brought so far.
#[derive(Default)]
struct Answer {
    text: String,
    refusal: String,
    finish_reason: Option<String>,
    model: Option<String>,
    tokens: Option<Tokens>,
}

impl Call {
    fn prepare(
        agent: &Agent,
        request: &AgentRequest,
        keys: Keys<'_>,
        context: &EffectContext,
    ) -> Result<Self, Failure> {
        let parameters = Parameters::of(agent, request)?;
        let base_url = base_url(parameters)?;
        let endpoint = endpoint(base_url)?;
        let model = agent.model.clone().filter(|model| !model.is_empty());
        let model = model.ok_or_else(|| invalid("an agent with the openai adapter needs a model"))?;
        let provider = provider(parameters)?;
        let default_variable = (base_url == DEFAULT_BASE_URL).then_some(DEFAULT_KEY_VARIABLE);
        let credential = keys.credential(parameters, default_variable, &endpoint)?;
        let config = config(base_url, context)?;
        let body = body(agent, request, &model, parameters)?;
        Ok(Self { config, credential, endpoint, body, model, provider, prices: read_prices(parameters)? })
    }

    async fn converse(&self, client: &Client, answer: &mut Answer, observer: &dyn Observer) -> Result<(), Failure> {
        let transport = Transport::new(client.clone(), self.endpoint.clone(), self.credential.clone());
        let library = transport.library(self.config.clone());
        let chat = library.chat();
        let stream = chat.create_stream_byot::<&Value, Value>(&self.body).await;
        let mut stream = stream.map_err(|error| failure_of(error, &transport))?;
        while let Some(chunk) = stream.next().await {
            answer.take(&chunk.map_err(|error| failure_of(error, &transport))?, observer)?;
        }
        match answer.finish_reason.as_deref() {
            Some("content_filter") => Err(refused("the provider's content filter cut the answer off")),
            Some(_) if answer.text.is_empty() && !answer.refusal.is_empty() => Err(refused(&answer.refusal)),
            Some(reason) => {
                if reason == "length" {
                    let message = "the answer was cut off at the token limit";
                    observer.log(LogLevel::Warn, message, json!({ "finish_reason": "length" }));
                }
                Ok(())
            }
            None => Err(transport.broken_off()),
        }
    }
}

/// Who is asked, as usage records name it.
pub(super) fn provider(parameters: Parameters<'_>) -> Result<String, Failure> {
    let base_url = base_url(parameters)?;
    let endpoint = endpoint(base_url)?;
    let host = endpoint.host_str().unwrap_or_default();
    let usual = if base_url == DEFAULT_BASE_URL { "openai" } else { host };
    Ok(parameters.text("provider")?.unwrap_or(usual).to_owned())
}

fn base_url(parameters: Parameters<'_>) -> Result<&str, Failure> {
    Ok(parameters.text("base_url")?.unwrap_or(DEFAULT_BASE_URL).trim_end_matches('/'))
}

fn endpoint(base_url: &str) -> Result<Url, Failure> {
    parse_url(&format!("{base_url}/chat/completions"))
}

fn refused(detail: &str) -> Failure {
    Failure::new(StandardType::Runtime, "Model refused", detail).retryable(false)
}

/// The key is no business of the library: the transport adds it.
fn config(base_url: &str, context: &EffectContext) -> Result<OpenAIConfig, Failure> {
    let mut config = OpenAIConfig::new().with_api_base(base_url).with_api_key("");
    if base_url != DEFAULT_BASE_URL {
        // Taken from the environment by the library; nobody else's business.
        config = config.with_org_id("").with_project_id("");
    }
    let key = context.key.to_string();
    let headers = [("idempotency-key", Some(&key)), ("traceparent", context.traceparent.as_ref())];
    for (name, value) in headers {
        if let Some(value) = value {
            config = config.with_header(name, value.as_str()).map_err(|error| invalid(error.to_string()))?;
        }
    }
    Ok(config)
}

fn body(agent: &Agent, request: &AgentRequest, model: &str, parameters: Parameters<'_>) -> Result<Value, Failure> {
    let mut messages = Vec::new();
    let system_prompt = request.system_prompt.as_deref().or(agent.system_prompt.as_deref());
    if let Some(system_prompt) = system_prompt.filter(|prompt| !prompt.is_empty()) {
        messages.push(json!({ "role": "system", "content": system_prompt }));
    }
    messages.push(json!({ "role": "user", "content": request.prompt }));
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("messages".to_owned(), messages.into());
    for name in REQUEST_FIELDS {
        if let Some(value) = parameters.get(name) {
            body.insert(name.to_owned(), value.clone());
        }
    }
    for (name, value) in parameters.object("request")?.into_iter().flatten() {
        body.insert(name.clone(), value.clone());
    }
    body.insert("stream".to_owned(), true.into());
    if parameters.get("stream_usage") != Some(&Value::Bool(false)) {
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    Ok(Value::Object(body))
}

impl Answer {
    /// Takes one chunk. Read by hand and leniently: compatible servers leave out and add fields as they like.
    fn take(&mut self, chunk: &Value, observer: &dyn Observer) -> Result<(), Failure> {
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
            return Err(Failure::new(StandardType::Communication, "Model call failed", message)
                .with_status(502)
                .retryable(true));
        }
        if let Some(model) = chunk.get("model").and_then(Value::as_str).filter(|model| !model.is_empty()) {
            self.model = Some(model.to_owned());
        }
        if let Some(tokens) = chunk.get("usage").and_then(Tokens::read) {
            self.tokens = Some(tokens);
        }
        let Some(choice) = chunk.pointer("/choices/0") else { return Ok(()) };
        if let Some(text) = choice.pointer("/delta/content").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            observer.delta(text);
            self.text.push_str(text);
        }
        if let Some(text) = choice.pointer("/delta/refusal").and_then(Value::as_str) {
            self.refusal.push_str(text);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish_reason = Some(reason.to_owned());
        }
        Ok(())
    }
}
