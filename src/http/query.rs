//! Query parameters: read by name, every problem reported at once, unknown ones refused.

use super::error::{Error, Result};
use crate::wire::catalog::Code;
use crate::wire::problem::{FieldError, Problem};
use actix_web::HttpRequest;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The parameters of one request that have not been read yet, and what was wrong with those that have.
#[derive(Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

/// The longest text that is searched for.
pub const MAX_TEXT_CHARACTERS: usize = 1_000;
/// The largest number that any parameter takes: cursors are signed numbers of 64 bits in both databases.
pub const MAX_NUMBER: u64 = i64::MAX.unsigned_abs();

impl Query {
    pub fn of(request: &HttpRequest) -> Self {
        Self::parse(request.query_string())
    }

    pub fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        Self { pairs, errors: Vec::new() }
    }

    /// Whether the parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// All values of a parameter that may be given several times.
    fn take(&mut self, name: &str) -> Vec<String> {
        self.pairs.extract_if(.., |(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// Leaves out parameters that were read elsewhere.
    pub fn ignore(&mut self, names: &[&str]) {
        self.pairs.retain(|(key, _)| !names.contains(&key.as_str()));
    }

    /// A text; absent when empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.take(name);
        if values.len() > 1 {
            self.refuse(name, "may be given only once");
        }
        let text = values.pop().filter(|text| !text.is_empty())?;
        if text.chars().count() > MAX_TEXT_CHARACTERS {
            self.refuse(name, &format!("is longer than {MAX_TEXT_CHARACTERS} characters"));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.refuse(name, "contains a control character");
            return None;
        }
        Some(text)
    }

    /// A value of a type; `expected` says in words what it looks like. Unlike a text it cannot be empty.
    pub fn value<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        if self.pairs.iter().any(|(key, value)| key == name && value.is_empty()) {
            self.take(name);
            self.refuse(name, &format!("must be {expected}, or be left out; it is empty"));
            return None;
        }
        let text = self.text(name)?;
        self.read(name, &text, expected)
    }

    /// Several values: given repeatedly, or separated by commas.
    pub fn values<T: FromStr>(&mut self, name: &str, expected: &str) -> Vec<T> {
        let texts = self.take(name);
        let words = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        words.filter_map(|word| self.read(name, word, expected)).collect()
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let expected = if *bounds.end() == MAX_NUMBER {
            format!("a whole number from {}", bounds.start())
        } else {
            format!("a whole number from {} to {}", bounds.start(), bounds.end())
        };
        let number = self.value(name, &expected)?;
        if !bounds.contains(&number) {
            self.refuse(name, &format!("must be {expected}, not {number}"));
            return None;
        }
        Some(number)
    }

    /// The parameters whose names begin with `prefix`, by the rest of their names.
    pub fn with_prefix(&mut self, prefix: &str) -> BTreeMap<String, String> {
        let names: Vec<String> =
            self.pairs.iter().map(|(key, _)| key.clone()).filter(|key| key.starts_with(prefix)).collect();
        let mut found = BTreeMap::new();
        for name in names {
            if name == prefix {
                self.take(&name);
                self.refuse(&name, "must go on with a name");
            } else if let (Some(value), Some(rest)) = (self.text(&name), name.strip_prefix(prefix)) {
                found.insert(rest.to_owned(), value);
            }
        }
        found
    }

    /// Notes that a parameter cannot be used.
    pub fn refuse(&mut self, name: &str, detail: &str) {
        let name = shorten(name);
        self.errors.push(FieldError {
            detail: format!("'{name}' {detail}"),
            parameter: Some(name),
            ..FieldError::default()
        });
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// With everything that was refused, and every parameter that nobody has read.
    pub fn finish(mut self) -> Result<()> {
        let unknown: Vec<String> = self.pairs.drain(..).map(|(name, _)| name).collect();
        for name in unknown {
            self.refuse(&name, "is not a parameter of this request");
        }
        if self.errors.is_empty() {
            return Ok(());
        }
        let detail = self.errors.iter().map(|error| error.detail.as_str()).collect::<Vec<_>>().join("; ");
        Err(Error::from(Problem::new(Code::InvalidQuery, detail).with_errors(self.errors)))
    }

    fn read<T: FromStr>(&mut self, name: &str, text: &str, expected: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(_) => {
                let hint = if text.contains('T') && text.contains(' ') { " (write + as %2B)" } else { "" };
                self.refuse(name, &format!("must be {expected}, not '{}'{hint}", shorten(text)));
                None
            }
        }
    }
}

/// The words of an enumeration, for `expected`.
pub fn one_of<T: Display>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(T::to_string).collect();
    format!("one of {}", words.join(", "))
}

fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(SHOWN).collect();
    short.push('…');
    short
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// `page` counts from 1.
    Page {
        page: u64,
        size: u64,
    },
    Cursor {
        cursor: Option<String>,
        limit: u64,
    },
}

/// The most items one answer holds.
pub const MAX_ITEMS: u64 = 100;
const DEFAULT_SIZE: u64 = 10;
const DEFAULT_LIMIT: u64 = 50;
/// Pages beyond this are not worth counting to; cursors have no such end.
const MAX_PAGE: u64 = 1_000_000;

impl Query {
    /// `page` and `size`, or `cursor` and `limit`; the first page when neither is given.
    pub fn window(&mut self) -> Window {
        let by_cursor = self.has("cursor") || self.has("limit");
        if by_cursor && (self.has("page") || self.has("size")) {
            self.refuse("cursor", "and 'limit' cannot be combined with 'page' and 'size'");
        }
        let page = self.number("page", 1..=MAX_PAGE).unwrap_or(1);
        let size = self.number("size", 1..=MAX_ITEMS).unwrap_or(DEFAULT_SIZE);
        let cursor = self.text("cursor");
        let limit = self.number("limit", 1..=MAX_ITEMS).unwrap_or(DEFAULT_LIMIT);
        if by_cursor { Window::Cursor { cursor, limit } } else { Window::Page { page, size } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;

    #[test]
    fn every_problem_is_named_at_once() {
        let mut query = Query::parse("status=running,nonsense&status=failed&size=0&q=a&q=b&later=1&limit=x");
        let statuses: Vec<Status> = query.values("status", &one_of(Status::ALL));
        assert_eq!(statuses, [Status::Running, Status::Failed]);
        assert_eq!(query.number("size", 1..=100), None);
        query.text("q");
        query.number("limit", 1..=100);
        let text = query.finish().unwrap_err().to_string();
        for part in [
            "'status' must be one of pending, running",
            "'nonsense'",
            "'size' must be a whole number from 1 to 100, not 0",
            "'q' may be given only once",
            "'later' is not a parameter",
            "'limit' must be a whole number",
        ] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }

    #[test]
    fn labels_are_read_by_prefix_and_the_rest_by_name() {
        let mut query = Query::parse("label.team=red&label.a%20b=c&page=2");
        let labels = query.with_prefix("label.");
        assert_eq!(labels.into_iter().collect::<Vec<_>>(), [("a b".into(), "c".into()), ("team".into(), "red".into())]);
        assert_eq!(query.window(), Window::Page { page: 2, size: 10 });
        assert!(query.finish().is_ok());
    }

    #[test]
    fn the_two_paginations_exclude_each_other() {
        let mut query = Query::parse("limit=5");
        assert_eq!(query.window(), Window::Cursor { cursor: None, limit: 5 });
        let mut query = Query::parse("limit=5&page=1");
        query.window();
        assert!(query.finish().is_err());
    }

    #[test]
    fn a_plus_that_became_a_space_and_a_label_without_a_name_are_explained() {
        let mut query = Query::parse("created_after=2026-11-21T00:00:00+01:00&label.=x");
        let instant: Option<crate::domain::Timestamp> = query.value("created_after", "an instant");
        assert_eq!((instant, query.with_prefix("label.").len()), (None, 0));
        let text = query.finish().unwrap_err().to_string();
        assert!(text.contains("write + as %2B") && text.contains("'label.' must go on with a name"), "{text}");
    }

    #[test]
    fn a_value_is_not_empty() {
        let mut query = Query::parse("since=&status=&q=");
        assert_eq!(query.value::<u64>("since", "a number"), None);
        assert_eq!(query.values::<Status>("status", "a status"), []);
        assert_eq!(query.text("q"), None);
        let text = query.finish().unwrap_err().to_string();
        assert!(
            text.contains("'since' must be a number, or be left out") && text.contains("'status' must be a status")
        );
        assert!(!text.contains("'q'"), "{text}");
    }

    #[test]
    fn control_characters_are_refused() {
        let mut query = Query::parse("q=a%00b");
        assert_eq!(query.text("q"), None);
        assert!(query.finish().is_err());
    }
}
