//! Redaction: finding secrets in whatever is about to be kept, shown or logged, and hiding them.
//!
//! A value is looked for as it is and in the forms in which programs commonly write it: escaped for JSON, percent-encoded, as
//! HTML, as hexadecimal digits, and in base64, also in the middle of a longer base64 text. It knows nothing of where texts come
//! from or go to. Called by the machine before an event is applied, by the actors for outcomes and live output, and by the
//! log writer.

mod forms;
mod stream;

pub use stream::RedactedStream;

use super::{Failure, StandardType};
use aho_corasick::AhoCorasick;
use serde_json::{Map, Value};
use std::fmt;
use std::ops::Range;
use zeroize::Zeroize;

/// What is put in the place of a secret.
pub const HIDDEN: &str = "***";

/// Shorter values, in bytes, are not looked for: they occur everywhere by chance.
pub const MIN_SECRET_BYTES: usize = 6;

/// Looks for the values of some secrets.
#[derive(Default)]
pub struct Redactor {
    /// Absent when there is nothing to look for.
    automaton: Option<AhoCorasick>,
    /// Everything that is looked for, sorted.
    forms: Vec<String>,
    longest: usize,
}

impl Redactor {
    /// Finds nothing.
    pub const NONE: Self = Self { automaton: None, forms: Vec::new(), longest: 0 };

    /// Looks for every text and number in these values, at any depth.
    pub fn new<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut all = Vec::new();
        for value in values {
            leaves(value, "", &mut |_, text| forms::add(text, &mut all));
        }
        Self::of(all)
    }

    /// Finds what either finds.
    pub fn both(first: &Self, second: &Self) -> Self {
        Self::of(first.forms.iter().chain(&second.forms).cloned().collect())
    }

    fn of(mut all: Vec<String>) -> Self {
        all.sort_unstable();
        all.dedup();
        // Fails only for more patterns than a tenant could store; then nothing could be promised about any of them.
        let automaton = if all.is_empty() { None } else { AhoCorasick::new(&all).ok() };
        Self { automaton, longest: all.iter().map(String::len).max().unwrap_or(0), forms: all }
    }

    /// Whether it finds nothing, whatever it is given.
    pub fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// Whether a text holds a secret in any of its forms.
    pub fn finds(&self, text: &str) -> bool {
        self.automaton.as_ref().is_some_and(|automaton| automaton.is_match(text))
    }

    /// The text with every secret hidden; `None` when there is none in it.
    pub fn text(&self, text: &str) -> Option<String> {
        let spans = self.spans(text);
        (!spans.is_empty()).then(|| hide(text, &spans))
    }

    /// The same for a text that may have been cut off at either end: a part of a secret at an end is hidden, too.
    pub fn cut_text(&self, text: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let mut spans = self.spans(text);
        let is_mark = |character: char| matches!(character, '…' | '.') || character.is_whitespace();
        let (end, start) = (text.trim_end_matches(is_mark).len(), text.len() - text.trim_start_matches(is_mark).len());
        for end in [end, text.len()] {
            let begun = self.begun_at_end(text.get(..end).unwrap_or_default());
            if begun >= MIN_SECRET_BYTES {
                spans.push(end - begun..end);
            }
        }
        for start in [start, 0] {
            let ended = self.ended_at_start(text.get(start..).unwrap_or_default());
            if ended >= MIN_SECRET_BYTES {
                spans.push(start..start + ended);
            }
        }
        let spans = merged(spans);
        (!spans.is_empty()).then(|| hide(text, &spans))
    }

    /// Hides secrets in a value: in texts, in keys, and numbers whose digits are one.
    pub fn value(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Some(hidden) = self.text(text) {
                    *text = hidden;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => self.map(map),
            Value::Number(number) => {
                if self.text(&number.to_string()).is_some() {
                    *value = Value::from(HIDDEN);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn map(&self, map: &mut Map<String, Value>) {
        map.values_mut().for_each(|value| self.value(value));
        if map.keys().any(|key| self.text(key).is_some()) {
            let entries = std::mem::take(map).into_iter();
            *map = entries.map(|(key, value)| (self.text(&key).unwrap_or(key), value)).collect();
        }
    }

    /// Hides secrets in the texts of a failure. Those for people are often cut off. The standard types stay what they are, whatever
    /// is a secret: `catch` goes by them.
    pub fn failure(&self, failure: &mut Failure) {
        if self.is_empty() {
            return;
        }
        let Failure { error_type, status, title, detail, instance, retryable: _, suggestion, request, output } =
            failure;
        self.value(status);
        for text in [title, detail, suggestion, request, output].into_iter().flatten() {
            if let Some(hidden) = self.cut_text(text) {
                *text = hidden;
            }
        }
        let is_standard = StandardType::ALL.iter().any(|standard| standard.uri() == *error_type);
        for text in instance.iter_mut().chain((!is_standard).then_some(error_type)) {
            if let Some(hidden) = self.text(text) {
                *text = hidden;
            }
        }
    }

    /// Where secrets are, in order, without overlaps.
    fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        merged(automaton.find_overlapping_iter(text).map(|found| found.range()).collect())
    }

    /// How many bytes at the end of a text are the beginning of a secret that is not complete.
    fn begun_at_end(&self, text: &str) -> usize {
        let first = text.len().saturating_sub(self.longest.saturating_sub(1));
        let starts = (first..text.len()).filter(|at| text.is_char_boundary(*at));
        let begun = starts.filter_map(|at| text.get(at..)).find(|rest| {
            let next = self.forms.partition_point(|form| form.as_str() < *rest);
            self.forms
                .get(next..)
                .unwrap_or_default()
                .iter()
                .take_while(|form| form.starts_with(rest))
                .any(|form| form.len() > rest.len())
        });
        begun.map_or(0, str::len)
    }

    /// How many bytes at the start of a text are the end of a secret whose beginning is missing.
    fn ended_at_start(&self, text: &str) -> usize {
        let longest_of = |form: &String| {
            let rests = form.char_indices().skip(1).filter_map(|(at, _)| form.get(at..));
            rests.filter(|rest| text.starts_with(rest)).map(str::len).next()
        };
        self.forms.iter().filter_map(longest_of).max().unwrap_or(0)
    }
}

impl Drop for Redactor {
    fn drop(&mut self) {
        self.forms.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for Redactor {
    /// Never what it looks for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("forms", &self.forms.len()).finish_non_exhaustive()
    }
}

/// The JSON pointers of what is too short in a value to be looked for.
pub fn too_short(value: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    leaves(value, "", &mut |pointer, text| {
        if !text.is_empty() && text.trim().len() < MIN_SECRET_BYTES {
            pointers.push(pointer.to_owned());
        }
    });
    pointers
}

/// Calls `see` with the pointer and the text of every text and number in a value.
fn leaves(value: &Value, pointer: &str, see: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(pointer, text),
        Value::Number(number) => see(pointer, &number.to_string()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{pointer}/{index}"), see);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                leaves(item, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), see);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            Some(_) | None => merged.push(span),
        }
    }
    merged
}

fn hide(text: &str, spans: &[Range<usize>]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        shown.push_str(text.get(at..span.start).unwrap_or_default());
        shown.push_str(HIDDEN);
        at = span.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests;
