//! The `builtin` adapter: deterministic and offline, no language model. It needs no key and costs nothing, so that a fresh
//! installation, examples, tests and benchmarks have something to talk to.
//!
//! `parameters.skill` chooses what it does: `echo` (default), `summarize`, `extract`, `classify`, `score`. The answer is
//! streamed word by word; `parameters.delay_ms` puts a pause after each.

use super::skills::{extract, keywords, summarize};
use super::{Parameters, answered, failed, invalid};
use crate::domain::{Agent, AgentRequest, EffectOutcome, Failure, StandardType};
use crate::effects::{EffectContext, Observer};
use std::time::Duration;

/// An answer is streamed in at most about so many pieces; those of a longer one hold several words.
const PIECES: usize = 500;
/// The longest `delay_ms`.
const LONGEST_DELAY_MS: u64 = 10_000;

/// Answers one request. Without a delay it never waits.
pub async fn perform(agent: &Agent, mut request: AgentRequest, context: &EffectContext) -> EffectOutcome {
    let prompt = std::mem::take(&mut request.prompt);
    let ready =
        Parameters::of(agent, &request).and_then(|parameters| Ok((answer(prompt, parameters)?, delay(parameters)?)));
    let (text, delay) = match ready {
        Ok(ready) => ready,
        Err(failure) => return failed(failure, None),
    };
    let observer = context.observer.as_ref();
    match delay {
        None => stream(&text, observer),
        Some(delay) => {
            tokio::select! {
                biased;
                failure = context.interrupted() => return failed(failure, None),
                () = stream_slowly(&text, observer, delay) => {}
            }
        }
    }
    answered(agent, request.output, text, None, None)
}

fn answer(prompt: String, parameters: Parameters<'_>) -> Result<String, Failure> {
    match parameters.text("skill")?.unwrap_or("echo") {
        "echo" => Ok(prompt),
        "summarize" => summarize::answer(&prompt, parameters),
        "extract" => extract::answer(&prompt, parameters),
        "classify" => keywords::classify(&prompt, parameters),
        "score" => keywords::score(&prompt, parameters),
        other => Err(Failure::new(
            StandardType::Configuration,
            "Unknown skill",
            format!("the builtin adapter has no skill `{other}`"),
        )
        .retryable(false)
        .with_suggestion("use echo, summarize, extract, classify or score, or an agent with another adapter")),
    }
}

fn delay(parameters: Parameters<'_>) -> Result<Option<Duration>, Failure> {
    match parameters.whole_number("delay_ms")? {
        None | Some(0) => Ok(None),
        Some(delay_ms @ 1..=LONGEST_DELAY_MS) => Ok(Some(Duration::from_millis(delay_ms))),
        Some(_) => Err(invalid(format!("the parameter `delay_ms` may be {LONGEST_DELAY_MS} at most"))),
    }
}

fn stream(text: &str, observer: &dyn Observer) {
    for piece in pieces(text) {
        observer.delta(piece);
    }
}

async fn stream_slowly(text: &str, observer: &dyn Observer, delay: Duration) {
    for piece in pieces(text) {
        observer.delta(piece);
        tokio::time::sleep(delay).await;
    }
}

/// Cuts a text after its words, borrowing every piece.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let shortest = text.len() / PIECES;
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut after_space = false;
        let end = rest.char_indices().find_map(|(at, character)| {
            let begins_word = after_space && !character.is_whitespace();
            after_space = character.is_whitespace();
            (begins_word && at > shortest).then_some(at)
        });
        let (piece, remaining) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = remaining;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_words_with_the_space_that_follows() {
        assert_eq!(pieces("one  two\nthrée ").collect::<Vec<_>>(), ["one  ", "two\n", "thrée "]);
        assert_eq!(pieces("").count(), 0);
    }

    #[test]
    fn a_long_answer_has_a_bounded_number_of_pieces() {
        let text = "a b c d e ".repeat(100_000);
        let pieces: Vec<_> = pieces(&text).collect();
        assert!(pieces.len() <= PIECES + 1, "{}", pieces.len());
        assert_eq!(pieces.concat(), text);
    }
}
