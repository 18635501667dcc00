//! `call: agent`: the builtin adapter, and the openai adapter against a server that speaks the streaming protocol.

use super::stand_in::{Reply, StandIn};
use super::{Call, kind, open_effects, open_options};
use callboard::domain::{
    Adapter, Agent, AgentId, AgentOutput, AgentRequest, EffectCall, EffectOutcome, LogLevel, TenantId, Timestamp,
};
use callboard::effects::Effects;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

pub fn agent(adapter: Adapter, model: Option<&str>, parameters: Value) -> Agent {
    let Value::Object(parameters) = parameters else { panic!("parameters are an object") };
    Agent {
        id: AgentId(callboard::clock::new_id()),
        tenant_id: TenantId::DEFAULT,
        name: "The Reviewer".into(),
        slug: "reviewer".into(),
        description: String::new(),
        adapter,
        model: model.map(str::to_owned),
        system_prompt: None,
        parameters,
        capabilities: BTreeMap::new(),
        is_active: true,
        is_system: false,
        created_by: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

fn question(agent: &Agent, prompt: &str, output: AgentOutput) -> AgentRequest {
    AgentRequest {
        agent: agent.slug.clone(),
        prompt: prompt.into(),
        system_prompt: None,
        parameters: serde_json::Map::new(),
        output,
    }
}

pub fn ask(agent: &Agent, prompt: &str, output: AgentOutput) -> EffectCall {
    let request = Box::new(question(agent, prompt, output));
    EffectCall::Agent { agent: Box::new(agent.clone()), request, key: None }
}

pub async fn answer(agent: &Agent, prompt: &str, output: AgentOutput) -> (EffectOutcome, Call) {
    let call = Call::new();
    let outcome = call.perform(&open_effects(), ask(agent, prompt, output)).await;
    (outcome, call)
}

#[tokio::test]
async fn the_builtin_adapter_answers_in_every_form_and_streams_words() {
    let echo = agent(Adapter::Builtin, None, json!({}));
    let (outcome, call) = answer(&echo, "{\"a\": [1]} ", AgentOutput::Text).await;
    assert_eq!((outcome.result, outcome.usage), (Ok(json!("{\"a\": [1]} ")), None));
    assert_eq!(*call.recorder.deltas.lock().unwrap(), ["{\"a\": ", "[1]} "]);
    let (outcome, _) = answer(&echo, "{\"a\": [1]}", AgentOutput::Json).await;
    assert_eq!(outcome.result, Ok(json!({"a": [1]})));
    let (outcome, _) = answer(&echo, "no json", AgentOutput::Json).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("runtime", 500));
    let (outcome, _) = answer(&echo, "hi", AgentOutput::Response).await;
    let expected = json!({"text": "hi", "agent": "The Reviewer", "adapter": "builtin", "model": null, "usage": null});
    assert_eq!(outcome.result, Ok(expected));
}

#[tokio::test]
async fn parameters_of_the_call_lie_over_those_of_the_agent() {
    let classifier = agent(Adapter::Builtin, None, json!({"skill": "classify", "labels": ["bug", "question"]}));
    let (outcome, _) = answer(&classifier, "a question", AgentOutput::Json).await;
    assert_eq!(outcome.result.unwrap()["label"], "question");
    let mut call = ask(&classifier, "a question", AgentOutput::Text);
    if let EffectCall::Agent { request, .. } = &mut call {
        request.parameters.insert("skill".into(), json!("echo"));
    }
    assert_eq!(Call::new().perform(&open_effects(), call).await.result, Ok(json!("a question")));
    let unknown = agent(Adapter::Builtin, None, json!({"skill": "think"}));
    let (outcome, _) = answer(&unknown, "x", AgentOutput::Text).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("configuration", 400));
}

#[tokio::test]
async fn a_slow_answer_can_be_watched_and_cancelled() {
    let slow = agent(Adapter::Builtin, None, json!({"delay_ms": 10_000}));
    let (call, effects) = (Call::new(), open_effects());
    let work = call.perform(&effects, ask(&slow, "one two three", AgentOutput::Text));
    let watch = async {
        call.recorder.wait_for(|text| text == "one ").await;
        call.context.cancellation.cancel();
    };
    let (outcome, ()) = tokio::join!(work, watch);
    assert_eq!(outcome.result.unwrap_err().title.as_deref(), Some("Cancelled"));
}

fn chunk(delta: Value, finish_reason: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish_reason});
    format!(
        "data: {}\n\n",
        json!({"id": "1", "object": "chat.completion.chunk", "model": "m-2026", "choices": [choice]})
    )
}

/// A complete answer as a compatible server streams it.
fn stream(words: &[&str]) -> Reply {
    let mut pieces = vec![": a comment\n\n".to_owned(), chunk(json!({"role": "assistant", "content": ""}), None)];
    pieces.extend(words.iter().map(|word| chunk(json!({"content": word}), None)));
    pieces.push(chunk(json!({}), Some("stop")));
    let usage = json!({
        "prompt_tokens": 1000, "completion_tokens": 500,
        "prompt_tokens_details": {"cached_tokens": 400}, "completion_tokens_details": {"reasoning_tokens": 100},
    });
    pieces.push(format!("data: {}\n\n", json!({"choices": [], "usage": usage})));
    pieces.push("data: [DONE]\n\n".to_owned());
    Reply::Chunks { content_type: "text/event-stream", pieces, complete: true }
}

fn model(server: &StandIn, more: Value) -> Agent {
    let mut agent = agent(Adapter::Openai, Some("m"), json!({"base_url": format!("{}/v1/", server.url)}));
    agent.parameters.extend(more.as_object().unwrap().clone());
    agent
}

#[tokio::test]
async fn a_call_cannot_change_how_its_agent_is_reached() {
    let own = StandIn::start(|_| Reply::status(500)).await;
    let foreign = StandIn::start(|_| Reply::status(500)).await;
    let model = model(&own, json!({"api_key_env": "EFFECTS_TEST_API_KEY"}));
    let mut program = model.clone();
    program.adapter = Adapter::Command;
    for (agent, name, value) in [
        (&model, "base_url", json!(foreign.url)),
        (&model, "api_key_env", json!("OTHER_API_KEY")),
        (&model, "prices", Value::Null),
        (&program, "program", json!("env")),
    ] {
        let mut request = question(agent, "x", AgentOutput::Text);
        request.parameters.insert(name.to_owned(), value);
        let call = EffectCall::Agent { agent: Box::new(agent.clone()), request: Box::new(request), key: None };
        let failure = Call::new().perform(&open_effects(), call).await.result.unwrap_err();
        assert_eq!(kind(&failure), ("authorization", 403));
        assert!(failure.detail.as_deref().is_some_and(|detail| detail.contains(name)), "{failure:?}");
    }
    assert_eq!((own.received().len(), foreign.received().len()), (0, 0));
}

#[tokio::test]
async fn a_model_answers_streamed_with_usage_and_cost() {
    let server = StandIn::start(|_| stream(&["Hel", "lo ", "wörld"])).await;
    let prices = json!({"input": 2.0, "cached_input": 1.0, "output": 10.0});
    let mut agent = model(&server, json!({"prices": prices, "temperature": 0.5, "request": {"n": 1}}));
    agent.system_prompt = Some("Be brief.".into());
    let (outcome, call) = answer(&agent, "Say hello", AgentOutput::Response).await;
    let usage = outcome.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cached_input_tokens), (600, 400));
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (400, 100));
    assert!((usage.cost_usd.unwrap() - 0.0066).abs() < 1e-9, "{usage:?}");
    assert_eq!((usage.provider.as_str(), usage.model.as_str()), ("127.0.0.1", "m-2026"));
    assert_eq!(usage.agent_id, Some(agent.id));
    let response = outcome.result.unwrap();
    assert_eq!((&response["text"], &response["model"]), (&json!("Hello wörld"), &json!("m-2026")));
    assert_eq!(response["usage"]["input_tokens"], 600);
    assert_eq!(*call.recorder.deltas.lock().unwrap(), ["Hel", "lo ", "wörld"]);

    let request = server.last();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(request.header("authorization"), None, "no key was named for this endpoint");
    assert_eq!(request.header("idempotency-key"), Some(call.context.key.to_string().as_str()));
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let expected = json!({
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello"}],
        "temperature": 0.5, "n": 1, "stream": true, "stream_options": {"include_usage": true},
    });
    assert_eq!(body, expected);
}

/// Effects that may send a variable to a server.
fn effects_with_key(variable: &str, server: &StandIn) -> Effects {
    let mut options = open_options();
    options.http.model_keys = vec![format!("{variable}={}", server.url).parse().unwrap()];
    Effects::new(options).unwrap()
}

#[tokio::test]
async fn a_key_is_sent_to_the_endpoint_it_is_for_alone() {
    let server = StandIn::start(|_| stream(&["ok"])).await;
    let elsewhere = StandIn::start(|_| Reply::status(500)).await;
    let effects = effects_with_key("EFFECTS_TEST_UNSET_API_KEY", &server);
    for (variable, server, expected) in [
        ("PATH", &server, ("authorization", 403)),
        ("EFFECTS_TEST_UNSET_API_KEY", &elsewhere, ("authorization", 403)),
        ("EFFECTS_TEST_UNSET_API_KEY", &server, ("authentication", 401)),
    ] {
        let agent = model(server, json!({"api_key_env": variable}));
        let outcome = Call::new().perform(&effects, ask(&agent, "x", AgentOutput::Text)).await;
        assert_eq!(kind(&outcome.result.unwrap_err()), expected, "{variable}");
    }
    assert_eq!((server.received().len(), elsewhere.received().len()), (0, 0));

    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "effects::agents::a_key_in_the_environment_is_sent", "--nocapture"])
        .env("EFFECTS_TEST_API_KEY", "sk-test")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.contains("sent=Some(\"Bearer sk-test\")"), "{output}");
}

/// Run by the test above in a process that has the variable.
#[tokio::test]
async fn a_key_in_the_environment_is_sent() {
    if std::env::var_os("EFFECTS_TEST_API_KEY").is_none() {
        return;
    }
    let server = StandIn::start(|_| stream(&["ok"])).await;
    let effects = effects_with_key("EFFECTS_TEST_API_KEY", &server);
    let agent = model(&server, json!({"api_key_env": "EFFECTS_TEST_API_KEY"}));
    Call::new().perform(&effects, ask(&agent, "x", AgentOutput::Text)).await.result.unwrap();
    println!("sent={:?}", server.last().header("authorization"));
}

#[tokio::test]
async fn errors_of_the_provider_keep_their_status_and_say_whether_to_retry() {
    let server = StandIn::start(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let error = |status, body: &str| Reply::body("application/json", body).with_status(status);
        match body["model"].as_str().unwrap() {
            "limited" => error(429, r#"{"error":{"message":"slow down","type":"rate_limit"}}"#),
            "broke" => error(429, r#"{"error":{"message":"pay first","code":"insufficient_quota"}}"#),
            "missing" => error(404, r#"{"error":"model not found"}"#),
            "down" => error(502, "<html>bad gateway</html>"),
            _ => error(401, r#"{"error":{"message":"wrong key"}}"#),
        }
    })
    .await;
    for (name, status, retryable, detail) in [
        ("limited", 429, true, "slow down"),
        ("broke", 429, false, "pay first"),
        ("missing", 404, false, "model not found"),
        ("down", 502, true, "<html>bad gateway</html>"),
        ("forbidden", 401, false, "wrong key"),
    ] {
        let mut agent = model(&server, json!({}));
        agent.model = Some(name.into());
        let before = server.received().len();
        let (outcome, _) = answer(&agent, "x", AgentOutput::Text).await;
        let failure = outcome.result.unwrap_err();
        assert_eq!((kind(&failure), failure.retryable), (("communication", status), Some(retryable)), "{name}");
        assert_eq!(failure.detail.as_deref(), Some(detail));
        assert_eq!(server.received().len() - before, 1, "{name}: nothing is retried in secret");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_failure_and_one_cut_at_the_limit_a_warning() {
    let server = StandIn::start(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let begin = chunk(json!({"content": "begin"}), None);
        let (pieces, complete) = match body["model"].as_str().unwrap() {
            "cut" => (vec![begin], false),
            "unfinished" => (vec![begin, "data: [DONE]\n\n".into()], true),
            "error" => (vec![begin, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n".into()], true),
            "garbage" => (vec!["data: {nonsense\n\n".into()], true),
            "filtered" => (vec![begin, chunk(json!({}), Some("content_filter"))], true),
            "large" => (vec![chunk(json!({"content": "x".repeat(5_000)}), None)], true),
            "refusing" => (vec![chunk(json!({"refusal": "I will not"}), None), chunk(json!({}), Some("stop"))], true),
            _ => (vec![begin, chunk(json!({}), Some("length"))], true),
        };
        Reply::Chunks { content_type: "text/event-stream", pieces, complete }
    })
    .await;
    let mut options = open_options();
    options.http.response_limit_bytes = 4_000;
    let effects = Effects::new(options).unwrap();
    for (name, expected, title) in [
        ("cut", ("communication", 502), "Response unreadable"),
        ("unfinished", ("communication", 502), "Response unreadable"),
        ("error", ("communication", 502), "Model call failed"),
        ("garbage", ("communication", 502), "Response unreadable"),
        ("large", ("communication", 502), "Response too large"),
        ("filtered", ("runtime", 500), "Model refused"),
        ("refusing", ("runtime", 500), "Model refused"),
    ] {
        let mut agent = model(&server, json!({}));
        agent.model = Some(name.into());
        let outcome = Call::new().perform(&effects, ask(&agent, "x", AgentOutput::Text)).await;
        let failure = outcome.result.unwrap_err();
        assert_eq!((kind(&failure), failure.title.as_deref()), (expected, Some(title)), "{name}: {failure:?}");
    }
    let (outcome, call) = answer(&model(&server, json!({})), "x", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("begin")));
    assert_eq!(call.recorder.logs.lock().unwrap()[0].0, LogLevel::Warn);
}

#[tokio::test]
async fn a_model_that_never_answers_ends_with_the_deadline() {
    let server = StandIn::start(|_| Reply::Silence).await;
    let call = Call::new().with_deadline(Duration::from_millis(50));
    let outcome = call.perform(&open_effects(), ask(&model(&server, json!({})), "x", AgentOutput::Text)).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("timeout", 408));
}

#[tokio::test]
async fn model_endpoints_are_confined() {
    let server = StandIn::start(|_| stream(&["ok"])).await;
    let mut options = open_options();
    options.http.allow_private = false;
    let effects = Effects::new(options).unwrap();
    for base_url in [server.url.clone(), format!("http://localhost:{}", server.port)] {
        let agent = model(&server, json!({"base_url": base_url}));
        let outcome = Call::new().perform(&effects, ask(&agent, "x", AgentOutput::Text)).await;
        assert_eq!(kind(&outcome.result.unwrap_err()), ("authorization", 403));
    }
    assert!(server.received().is_empty());
}
