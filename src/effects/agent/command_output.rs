//! Reads what a command-line agent writes, while it writes.
//!
//! In JSON lines the text is looked for, in this order, in
//!
//! 1. Claude Code (`--output-format stream-json`): `stream_event` pieces, `assistant` messages, the final `result`;
//! 2. Codex (`exec --json`): `item.completed` agent messages, `turn.completed` with the usage, `turn.failed` and `error`;
//! 3. OpenAI-style chunks: `choices[0].delta.content` and `choices[0].message.content`;
//! 4. a text in `delta`, `text`, `content`, `response`, `output` or `message.content`.
//!
//! A final result is the answer; otherwise it is the last whole message, otherwise all pieces together. Lines that are not
//! JSON become log lines. A single JSON document (`output: json`) is read the same way; its text may also be in `result`.

use super::usage::Tokens;
use super::{Parameters, invalid};
use crate::domain::{Failure, LogLevel, StandardType};
use crate::effects::Observer;
use crate::effects::process::too_large;
use crate::effects::text::{Decoder, Lines};
use serde_json::{Value, json};

/// `parameters.output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    JsonLines,
}

impl Format {
    pub fn read(parameters: Parameters<'_>) -> Result<Self, Failure> {
        match parameters.text("output")? {
            None | Some("text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json),
            Some("json_lines") => Ok(Self::JsonLines),
            Some(other) => {
                Err(invalid(format!("the parameter `output` has to be text, json or json_lines, not `{other}`")))
            }
        }
    }
}

/// What was found in an output.
pub struct Reading {
    pub text: Result<String, Failure>,
    /// What the program itself calls an error.
    pub error: Option<String>,
    pub model: Option<String>,
    pub tokens: Option<Tokens>,
    pub cost_usd: Option<f64>,
}

/// Takes an output piece by piece and passes the text on to the observer.
pub struct Reader<'a> {
    format: Format,
    text_field: Option<String>,
    /// How much may be kept, in bytes: the answer so far, and the line that has not ended. What lies around the answer (the
    /// steps of a long session) may be as long as it likes.
    limit: usize,
    observer: &'a dyn Observer,
    decoder: Decoder,
    lines: Lines,
    found: Found,
}

/// What the lines so far have brought.
#[derive(Default)]
struct Found {
    pieces: String,
    /// Whether pieces came since the last whole message, which then repeats them.
    has_fresh_pieces: bool,
    message: Option<String>,
    result: Option<String>,
    error: Option<String>,
    model: Option<String>,
    tokens: Option<Tokens>,
    cost_usd: Option<f64>,
}

/// What one JSON value holds.
#[derive(Debug, PartialEq)]
enum Part {
    Piece(String),
    Message(String),
    Result(String),
    Error(String),
}

impl<'a> Reader<'a> {
    pub fn new(format: Format, text_field: Option<String>, limit: usize, observer: &'a dyn Observer) -> Self {
        // Lines are never cut into parts: one that is too long is a failure.
        let (lines, found) = (Lines::new(usize::MAX), Found::default());
        Self { format, text_field, limit, observer, decoder: Decoder::default(), lines, found }
    }

    /// Takes the next piece of the output.
    ///
    /// # Errors
    /// When the answer, or a line of it, is larger than the limit.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Failure> {
        let Self { format, text_field, limit, observer, decoder, lines, found } = self;
        match format {
            Format::Text => decoder.push(piece, &mut |text| found.take_piece(text, *observer)),
            Format::JsonLines => {
                lines.push(piece, &mut |line| found.take_line(line, text_field.as_deref(), *observer));
            }
            Format::Json => decoder.push(piece, &mut |text| found.pieces.push_str(text)),
        }
        if found.pieces.len() > *limit {
            return Err(too_large(*limit, "as its answer"));
        }
        if lines.pending_bytes() > *limit {
            return Err(too_large(*limit, "in one line of its output"));
        }
        Ok(())
    }

    pub fn finish(mut self) -> Reading {
        let (observer, text_field) = (self.observer, self.text_field.as_deref());
        let found = &mut self.found;
        match self.format {
            Format::Text => self.decoder.finish(&mut |text| found.take_piece(text, observer)),
            Format::JsonLines => self.lines.finish(&mut |line| found.take_line(line, text_field, observer)),
            Format::Json => {
                self.decoder.finish(&mut |text| found.pieces.push_str(text));
                let document = std::mem::take(&mut found.pieces);
                if !document.trim().is_empty() {
                    found.take_line(&document, text_field, observer);
                }
            }
        }
        let found = self.found;
        let is_text = self.format == Format::Text;
        let pieces = Some(found.pieces).filter(|pieces| is_text || !pieces.is_empty());
        let text = found.result.or(found.message).or(pieces).map(without_line_end).ok_or_else(no_text);
        Reading { text, error: found.error, model: found.model, tokens: found.tokens, cost_usd: found.cost_usd }
    }
}

fn without_line_end(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    text
}

fn no_text() -> Failure {
    let detail = "no text was found in the JSON that the program wrote";
    Failure::new(StandardType::Runtime, "Answer unreadable", detail)
        .retryable(false)
        .with_suggestion("check the parameter `output`, or say where the text is with `text_field`")
}

impl Found {
    fn take_piece(&mut self, text: &str, observer: &dyn Observer) {
        observer.delta(text);
        self.pieces.push_str(text);
        self.has_fresh_pieces = true;
    }

    fn take_line(&mut self, line: &str, text_field: Option<&str>, observer: &dyn Observer) {
        if line.trim().is_empty() {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            observer.log(LogLevel::Info, line, json!({ "stream": "stdout" }));
            return;
        };
        self.take_facts(&value);
        let part = match text_field {
            Some(pointer) => value.pointer(pointer).and_then(Value::as_str).map(|text| Part::Piece(text.to_owned())),
            None => part(&value),
        };
        match part {
            Some(Part::Piece(text)) => self.take_piece(&text, observer),
            Some(Part::Message(text)) => {
                if !self.has_fresh_pieces {
                    observer.delta(&text);
                }
                self.has_fresh_pieces = false;
                self.message = Some(text);
            }
            Some(Part::Result(text)) => {
                if self.pieces.is_empty() && self.message.is_none() {
                    observer.delta(&text);
                }
                self.result = Some(text);
            }
            Some(Part::Error(text)) => self.error = Some(text),
            None => {}
        }
    }

    /// Usage, cost and model; later lines know better.
    fn take_facts(&mut self, value: &Value) {
        if let Some(tokens) = value.get("usage").and_then(Tokens::read) {
            self.tokens = Some(tokens);
        }
        if let Some(cost) = value.get("total_cost_usd").and_then(Value::as_f64) {
            self.cost_usd = Some(cost);
        }
        let model = value.get("model").or_else(|| value.pointer("/message/model")).and_then(Value::as_str);
        if let Some(model) = model {
            self.model = Some(model.to_owned());
        }
    }
}

fn part(value: &Value) -> Option<Part> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match value.get("type").and_then(Value::as_str) {
        Some("stream_event") => text("/event/delta/text").map(Part::Piece),
        Some("assistant") => message_text(value).map(Part::Message),
        Some("result") => {
            let result = text("/result").or_else(|| text("/subtype"));
            let is_error = value.get("is_error").and_then(Value::as_bool).unwrap_or(false);
            result.map(if is_error { Part::Error } else { Part::Result })
        }
        Some("item.completed") => match value.pointer("/item/type").and_then(Value::as_str) {
            Some("agent_message") => text("/item/text").map(Part::Message),
            Some(_) | None => None,
        },
        Some("turn.failed") => text("/error/message").map(Part::Error),
        Some("error") => text("/message").or_else(|| text("/error/message")).map(Part::Error),
        // What the person or a tool said, and what the program says about itself, is not the answer.
        Some("user" | "system" | "tool" | "tool_use" | "tool_result" | "thinking" | "reasoning") => None,
        Some(_) | None => plain_part(value),
    }
}

fn plain_part(value: &Value) -> Option<Part> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if let Some(text) = text("/choices/0/message/content").or_else(|| text("/result")) {
        return Some(Part::Message(text));
    }
    let places = [
        "/choices/0/delta/content",
        "/delta",
        "/delta/text",
        "/text",
        "/content",
        "/response",
        "/output",
        "/message/content",
    ];
    places.iter().find_map(|place| text(place)).map(Part::Piece)
}

/// The text blocks of an `assistant` message.
fn message_text(value: &Value) -> Option<String> {
    match value.pointer("/message/content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(blocks) => {
            let texts: Vec<&str> = blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
            (!texts.is_empty()).then(|| texts.concat())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
