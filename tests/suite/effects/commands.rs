//! The command adapter with real scripts that write what command-line agents write.

use super::agents::{agent, answer, ask};
use super::{Call, kind};
use callboard::domain::{Adapter, Agent, AgentOutput};
use callboard::effects::{Effects, Options};
use serde_json::{Value, json};

/// An agent whose program is a shell script.
fn scripted(script: &str, more: Value) -> Agent {
    let mut agent = agent(Adapter::Command, None, json!({"program": "sh", "arguments": ["-c", script]}));
    agent.parameters.extend(more.as_object().unwrap().clone());
    agent
}

/// A script that writes given lines and nothing else.
fn lines(lines: &[Value]) -> String {
    let text: Vec<_> = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("cat > /dev/null; cat <<'END'\n{}END\n", text.concat())
}

#[tokio::test]
async fn the_prompt_goes_in_and_the_text_comes_out() {
    let upper = scripted("tr a-z A-Z; echo thinking >&2", json!({}));
    let (outcome, call) = answer(&upper, "hello\n", AgentOutput::Text).await;
    assert_eq!((outcome.result, outcome.usage), (Ok(json!("HELLO")), None));
    assert_eq!(call.recorder.text(), "HELLO\n");
    assert_eq!(call.recorder.log_lines(), ["thinking"]);
}

#[tokio::test]
async fn the_system_prompt_and_the_model_find_their_place() {
    let mut first = scripted("cat", json!({}));
    first.system_prompt = Some("Be brief.".into());
    let (outcome, _) = answer(&first, "Hi", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("Be brief.\n\nHi")));

    let arguments = json!(["-c", "echo \"$0 $1 $X\"; cat", "--model={model}", "{system_prompt}"]);
    let mut placed = scripted("", json!({"arguments": arguments, "environment": {"X": "y"}}));
    let (outcome, _) = answer(&placed, "Hi", AgentOutput::Text).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("validation", 400), "no model to put there");
    placed.model = Some("opus".into());
    placed.system_prompt = Some("Be brief.".into());
    let (outcome, _) = answer(&placed, "Hi", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("--model=opus Be brief. y\nHi")));
}

#[tokio::test]
async fn claude_style_lines_are_understood() {
    let text = |text: &str| json!({"type": "stream_event", "event": {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}});
    let script = lines(&[
        json!({"type": "system", "subtype": "init", "model": "claude-x", "text": "not the answer"}),
        text("Hello "),
        text("there"),
        json!({"type": "assistant", "message": {"content": [{"type": "text", "text": "Hello there"}]}}),
        json!({"type": "user", "message": {"content": [{"type": "tool_result", "content": "noise"}]}}),
        json!({"type": "result", "subtype": "success", "is_error": false, "result": "Hello there", "total_cost_usd": 0.25,
               "usage": {"input_tokens": 3, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 20, "output_tokens": 7}}),
    ]);
    let (outcome, call) = answer(&scripted(&script, json!({"output": "json_lines"})), "x", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("Hello there")));
    assert_eq!(*call.recorder.deltas.lock().unwrap(), ["Hello ", "there"], "the whole message is not repeated");
    let usage = outcome.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.output_tokens), (13, 20, 7));
    assert_eq!((usage.provider.as_str(), usage.model.as_str(), usage.cost_usd), ("sh", "claude-x", Some(0.25)));
}

#[tokio::test]
async fn codex_and_plain_lines_are_understood() {
    let codex = lines(&[
        json!({"type": "item.completed", "item": {"type": "reasoning", "text": "hm"}}),
        json!({"type": "item.completed", "item": {"type": "agent_message", "text": "Done."}}),
        json!({"type": "turn.completed", "usage": {"input_tokens": 10, "cached_input_tokens": 4, "output_tokens": 2}}),
    ]);
    let (outcome, _) = answer(&scripted(&codex, json!({"output": "json_lines"})), "x", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("Done.")));
    assert_eq!(outcome.usage.map(|usage| (usage.input_tokens, usage.cached_input_tokens)), Some((6, 4)));

    let ollama =
        format!("echo warming up; {}", lines(&[json!({"response": "a"}), json!({"response": "b", "done": true})]));
    let (outcome, call) = answer(&scripted(&ollama, json!({"output": "json_lines"})), "x", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("ab")));
    assert_eq!(call.recorder.log_lines(), ["warming up"]);

    let own = lines(&[json!({"chunk": {"words": "a"}, "text": "no"}), json!({"chunk": {"words": "b"}})]);
    let own = scripted(&own, json!({"output": "json_lines", "text_field": "/chunk/words"}));
    assert_eq!(answer(&own, "x", AgentOutput::Text).await.0.result, Ok(json!("ab")));
}

#[tokio::test]
async fn a_session_may_be_long_and_its_answer_may_not() {
    let step = json!({"type": "user", "message": {"content": "x".repeat(1_000)}});
    let end = json!({"type": "result", "result": "Done."});
    let session = |text: &Value, end: &Value| format!("cat > /dev/null; yes '{text}' | head -n 3000; echo '{end}'");
    let lines = json!({"output": "json_lines"});
    let (outcome, call) = answer(&scripted(&session(&step, &end), lines.clone()), "x", AgentOutput::Text).await;
    assert_eq!(outcome.result, Ok(json!("Done.")), "three megabytes of steps around it");
    assert_eq!(call.recorder.log_lines(), [""; 0]);

    let piece = json!({"delta": "x".repeat(1_000)});
    for (script, output) in [
        (session(&piece, &end), "json_lines"),
        ("cat > /dev/null; yes | tr -d '\\n'".to_owned(), "json_lines"),
        ("cat > /dev/null; yes".to_owned(), "text"),
    ] {
        let (outcome, _) = answer(&scripted(&script, json!({"output": output})), "x", AgentOutput::Text).await;
        assert_eq!(outcome.result.unwrap_err().title.as_deref(), Some("Output too large"), "{script}");
    }
}

#[tokio::test]
async fn a_json_document_is_understood_and_one_without_text_is_not() {
    let document = lines(&[json!({"result": "[1, 2]", "usage": {"input_tokens": 1, "output_tokens": 1}})]);
    let (outcome, _) = answer(&scripted(&document, json!({"output": "json"})), "x", AgentOutput::Json).await;
    assert_eq!(outcome.result, Ok(json!([1, 2])));
    assert!(outcome.usage.is_some());
    let document = lines(&[json!({"something": "else"})]);
    let (outcome, _) = answer(&scripted(&document, json!({"output": "json"})), "x", AgentOutput::Text).await;
    assert!(outcome.result.unwrap_err().suggestion.unwrap().contains("text_field"));
}

#[tokio::test]
async fn failures_of_the_program_are_failures() {
    let (outcome, _) = answer(&scripted("echo no credit >&2; exit 2", json!({})), "x", AgentOutput::Text).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((kind(&failure), failure.detail.as_deref()), (("runtime", 500), Some("no credit")));

    let told = lines(&[
        json!({"type": "result", "is_error": true, "result": "limit reached", "usage": {"input_tokens": 5, "output_tokens": 0}}),
    ]);
    let (outcome, _) = answer(&scripted(&told, json!({"output": "json_lines"})), "x", AgentOutput::Text).await;
    assert_eq!(outcome.result.unwrap_err().detail.as_deref(), Some("limit reached"));
    assert_eq!(outcome.usage.map(|usage| usage.input_tokens), Some(5), "what was used is reported all the same");

    let missing = agent(Adapter::Command, None, json!({"program": "no-such-program-anywhere"}));
    let (outcome, _) = answer(&missing, "x", AgentOutput::Text).await;
    assert!(outcome.result.unwrap_err().suggestion.unwrap().contains("installed"));
}

#[tokio::test]
async fn programs_need_permission_like_shells() {
    let effects = Effects::new(Options::default()).unwrap();
    let outcome = Call::new().perform(&effects, ask(&scripted("cat", json!({})), "x", AgentOutput::Text)).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("configuration", 400));
}
