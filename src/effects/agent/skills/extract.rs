//! `extract`: e-mail addresses, URLs, dates, numbers and `key: value` pairs of a text, and what given patterns match.
//!
//! Parameters: `kinds`, a list out of `emails`, `urls`, `dates`, `numbers`, `keys` (default all); `patterns`, names to
//! regular expressions (the first group when there is one, otherwise the whole match). The answer is a JSON object with a
//! list per kind and pattern, `keys` being an object. Repetitions are left out.

use super::super::{Parameters, invalid, wrong};
use crate::domain::Failure;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// No kind yields more.
const MOST_MATCHES: usize = 1_000;
/// The compiled size that a given pattern may have.
const PATTERN_BYTES: usize = 1024 * 1024;

const KINDS: [&str; 5] = ["emails", "urls", "dates", "numbers", "keys"];

struct Kinds {
    emails: Regex,
    urls: Regex,
    dates: Regex,
    numbers: Regex,
    keys: Regex,
}

#[expect(clippy::expect_used, reason = "constant patterns, compiled by a test")]
static PATTERNS: LazyLock<Kinds> = LazyLock::new(|| {
    let compile = |pattern: &str| Regex::new(pattern).expect("a constant pattern");
    Kinds {
        emails: compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"),
        urls: compile(r#"https?://[^\s<>"'`)\]}]*[^\s<>"'`)\]}.,;:!?]"#),
        dates: compile(
            r"\b(?:\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}|(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}, \d{4})\b",
        ),
        numbers: compile(
            r"(?:^|[\s(\[:=,;<>$€£])([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?:[\s)\],;:%!?$€£<>]|\.(?:\s|$)|$)",
        ),
        keys: compile(r"(?m)^[ \t]*(?:[-*] )?([A-Za-z][A-Za-z0-9_ .-]{0,60}?)[ \t]*(?::[ \t]+|=[ \t]*)(\S.*?)[ \t]*$"),
    }
});

/// The findings as JSON text.
pub fn answer(text: &str, parameters: Parameters<'_>) -> Result<String, Failure> {
    let kinds = parameters.texts("kinds")?.unwrap_or_else(|| KINDS.to_vec());
    let mut found = Map::new();
    for kind in kinds {
        let value = match kind {
            "emails" => matches(&PATTERNS.emails, text, &text_value),
            "urls" => matches(&PATTERNS.urls, text, &text_value),
            "dates" => matches(&PATTERNS.dates, text, &text_value),
            "numbers" => numbers(text),
            "keys" => keys(text),
            other => return Err(invalid(format!("`{other}` is not one of the kinds {}", KINDS.join(", ")))),
        };
        found.insert(kind.to_owned(), value);
    }
    for (name, pattern) in parameters.object("patterns")?.into_iter().flatten() {
        let pattern = pattern.as_str().ok_or_else(|| wrong("patterns", "an object of texts"))?;
        let pattern = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build();
        let pattern = pattern.map_err(|error| invalid(format!("the pattern `{name}` is not valid: {error}")))?;
        found.insert(name.clone(), matches(&pattern, text, &text_value));
    }
    Ok(Value::Object(found).to_string())
}

fn text_value(text: &str) -> Option<Value> {
    Some(Value::from(text))
}

/// The distinct matches in order: the first group of each, or all of it.
fn matches(pattern: &Regex, text: &str, convert: &dyn Fn(&str) -> Option<Value>) -> Value {
    let mut found: Vec<Value> = Vec::new();
    for captures in pattern.captures_iter(text) {
        let value = captures.get(1).or_else(|| captures.get(0)).and_then(|part| convert(part.as_str()));
        found.extend(value.filter(|value| !found.contains(value)));
        if found.len() == MOST_MATCHES {
            break;
        }
    }
    Value::Array(found)
}

/// Numbers that stand alone and are no part of a URL or a date. Word by word, because two may share what separates them.
fn numbers(text: &str) -> Value {
    let text = PATTERNS.urls.replace_all(text, " ");
    let text = PATTERNS.dates.replace_all(&text, " ");
    let parse = |number: &str| serde_json::from_str(number.trim_start_matches('+')).ok();
    let mut found: Vec<Value> = Vec::new();
    for word in text.split_whitespace() {
        for value in matches(&PATTERNS.numbers, word, &parse).as_array().into_iter().flatten() {
            if found.len() < MOST_MATCHES && !found.contains(value) {
                found.push(value.clone());
            }
        }
    }
    Value::Array(found)
}

/// `key: value` and `key = value` lines; of a repeated key the first counts.
fn keys(text: &str) -> Value {
    let mut found = Map::new();
    for captures in PATTERNS.keys.captures_iter(text).take(MOST_MATCHES) {
        if let (Some(key), Some(value)) = (captures.get(1), captures.get(2)) {
            found.entry(key.as_str()).or_insert_with(|| Value::from(value.as_str()));
        }
    }
    Value::Object(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn extract(text: &str, parameters: &Value) -> Value {
        let (own, laid_over) = (Map::new(), parameters.as_object().unwrap().clone());
        let answer = answer(text, Parameters { own: &own, laid_over: &laid_over }).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    #[test]
    fn everything_in_an_order_confirmation_is_found() {
        let text = "Order: A-17\nTotal = 49.90 EUR\nMail jo@example.org, or see https://example.org/o?id=17.\n\
                    Delivered on 2026-11-20 or 3 March 2027. Items: 3 (2 large). Mail jo@example.org!";
        let found = extract(text, &json!({}));
        assert_eq!(found["emails"], json!(["jo@example.org"]));
        assert_eq!(found["urls"], json!(["https://example.org/o?id=17"]));
        assert_eq!(found["dates"], json!(["2026-11-20", "3 March 2027"]));
        assert_eq!(found["numbers"], json!([49.90, 3, 2]));
        assert_eq!(found["keys"]["Order"], "A-17");
        assert_eq!(found["keys"]["Total"], "49.90 EUR");
    }

    #[test]
    fn given_patterns_yield_their_first_group() {
        let found = extract("see #12 and #7, then #12", &json!({"kinds": [], "patterns": {"issues": "#(\\d+)"}}));
        assert_eq!(found, json!({"issues": ["12", "7"]}));
    }

    #[test]
    fn parts_of_identifiers_are_not_numbers() {
        assert_eq!(
            extract("v1.2.3 a17 10.0.0.1 -5 1e3 7%", &json!({"kinds": ["numbers"]}))["numbers"],
            json!([-5, 1000.0, 7])
        );
    }
}
