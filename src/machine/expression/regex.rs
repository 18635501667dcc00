//! Regular expressions as jq hands them out: groups that took no part in a match are there, as `null`.
//!
//! The syntax is that of the `regex` crate: Unicode, linear time, neither look-around nor back references.

use super::budget::spend_size;
use super::library::Kind;
use super::value::{Data, DataResult, Error};
use indexmap::IndexMap;
use jaq_core::native::bome;
use jaq_core::{Cv, ValXs};
use regex::{Captures, Match, Regex, RegexBuilder};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Compiled patterns kept per thread; all are dropped when there are more.
const MAX_KEPT: usize = 64;
/// What compiling a pattern costs of the budget, besides its length.
const COMPILE_UNITS: usize = 2_000;
/// The largest compiled pattern.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// What of a text is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    Matches,
    /// The texts between the matches.
    Between,
    /// Both in turn.
    Both,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Flags {
    all: bool,
    no_empty: bool,
    any_case: bool,
    extended: bool,
    dot_takes_newline: bool,
}

thread_local! {
    static KEPT: RefCell<HashMap<(Arc<str>, Flags), Regex>> = RefCell::new(HashMap::new());
}

/// The native function behind `match`, `test`, `sub` and the others: pattern and flags are its variables.
pub(super) fn search<'a>(mut cv: Cv<'a, Kind>, parts: Parts) -> ValXs<'a, Data> {
    let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
    bome(found(&cv.1, &pattern, &flags, parts))
}

fn found(text: &Data, pattern: &Data, flags: &Data, parts: Parts) -> DataResult {
    let (Some(text), Some(pattern)) = (text.as_text(), pattern.as_text()) else {
        let wrong = if text.as_text().is_none() { text } else { pattern };
        return Err(Error::str(format_args!("{} cannot be matched, as it is not a string", wrong.described())));
    };
    let flags = Flags::read(flags)?;
    let regex = compiled(pattern, flags)?;
    spend_size(text.len());
    let mut found = Vec::new();
    let (mut bytes, mut characters) = (0, Characters::default());
    let mut start = 0;
    while start <= text.len()
        && let Some(captures) = regex.captures_at(text, start)
    {
        let Some(whole) = captures.get(0) else { break };
        // As in jq an empty match may follow another match at once, unlike with an iterator of the library.
        start = if whole.is_empty() { next_character(text, whole.end()) } else { whole.end() };
        if flags.no_empty && whole.is_empty() {
            continue;
        }
        if parts != Parts::Matches {
            found.push(Data::text(text.get(bytes..whole.start()).unwrap_or_default()));
            bytes = whole.end();
        }
        if parts != Parts::Between {
            found.push(groups(&regex, &captures, text, &mut characters));
        }
        if !flags.all {
            break;
        }
    }
    if parts != Parts::Matches {
        found.push(Data::text(text.get(bytes..).unwrap_or_default()));
    }
    Ok(Data::array(found))
}

/// The place behind the character at a place; beyond the end of the text when there is none.
fn next_character(text: &str, at: usize) -> usize {
    let length = text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
    at.saturating_add(length)
}

/// The whole match, then its groups.
fn groups(regex: &Regex, captures: &Captures<'_>, text: &str, characters: &mut Characters) -> Data {
    let start = captures.get(0).map_or(0, |whole| whole.start());
    let base = characters.before(text, start);
    let groups = captures.iter().zip(regex.capture_names()).map(|(group, name)| {
        let offset = group.map_or(-1, |group| {
            let inner = text.get(start.min(group.start())..group.start()).unwrap_or_default();
            i64::try_from(base.saturating_add(inner.chars().count())).unwrap_or(i64::MAX)
        });
        described(group, offset, name)
    });
    Data::array(groups.collect())
}

fn described(group: Option<Match<'_>>, offset: i64, name: Option<&str>) -> Data {
    let string = group.map_or(Data::Null, |group| Data::text(group.as_str()));
    let length = Data::from(group.map_or(0, |group| group.as_str().chars().count()));
    let name = name.map_or(Data::Null, Data::text);
    let fields = [("offset", Data::Integer(offset)), ("length", length), ("string", string), ("name", name)];
    Data::object(fields.into_iter().map(|(key, value)| (Arc::from(key), value)).collect::<IndexMap<_, _>>())
}

/// Counts characters once, from the left to the right.
#[derive(Default)]
struct Characters {
    bytes: usize,
    count: usize,
}

impl Characters {
    fn before(&mut self, text: &str, byte: usize) -> usize {
        self.count = self.count.saturating_add(text.get(self.bytes..byte).map_or(0, |part| part.chars().count()));
        self.bytes = byte;
        self.count
    }
}

impl Flags {
    /// `s` and `l` change nothing here: `^` and `$` stand for the ends of the text anyway.
    fn read(flags: &Data) -> Result<Self, Error> {
        let Some(text) = flags.as_text() else {
            return Err(Error::str(format_args!("{} is not a string", flags.described())));
        };
        let mut read = Self::default();
        for flag in text.chars() {
            match flag {
                'g' => read.all = true,
                'n' => read.no_empty = true,
                'i' => read.any_case = true,
                'x' => read.extended = true,
                'p' => read.dot_takes_newline = true,
                's' | 'l' => {}
                _ => return Err(Error::str(format_args!("{text} is not a valid modifier string"))),
            }
        }
        Ok(read)
    }
}

fn compiled(pattern: &Arc<str>, flags: Flags) -> Result<Regex, Error> {
    let key = (Arc::clone(pattern), Flags { all: false, no_empty: false, ..flags });
    if let Some(regex) = KEPT.with_borrow(|kept| kept.get(&key).cloned()) {
        return Ok(regex);
    }
    spend_size(pattern.len().saturating_mul(64).saturating_add(COMPILE_UNITS));
    let built = RegexBuilder::new(pattern)
        .case_insensitive(flags.any_case)
        .ignore_whitespace(flags.extended)
        .dot_matches_new_line(flags.dot_takes_newline)
        .size_limit(MAX_COMPILED_BYTES)
        .build();
    let regex = built.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Error::str(format_args!("{pattern} (at offset 0) is not a valid regex: {reason}"))
    })?;
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, regex.clone());
    });
    Ok(regex)
}
