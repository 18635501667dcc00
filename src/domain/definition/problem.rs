//! What can be wrong with a definition, and where. Problems are collected, never thrown one at a time.

use serde::{Deserialize, Serialize};

/// No more problems than this are reported for one definition; a last one says that there are more.
pub const MAX_PROBLEMS: usize = 200;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The definition is refused.
    Error,
    /// The definition is accepted, but probably does not do what its author wants.
    Warning,
}

/// One problem of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub severity: Severity,
    /// A stable word for programs: `unknown_property`.
    pub code: &'static str,
    /// A sentence for people, without final period.
    pub message: String,
    /// JSON pointer to the place in the document; empty for the document itself.
    pub pointer: String,
    /// Line in the text, from 1; absent when the definition did not come as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What the author can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    /// An error without a place in the text.
    pub fn error(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            pointer: pointer.into(),
            line: None,
            column: None,
            suggestion: None,
        }
    }

    /// A warning without a place in the text.
    pub fn warning(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, pointer, message) }
    }

    /// Adds the place in the text.
    #[must_use]
    pub fn at(mut self, mark: Option<Mark>) -> Self {
        self.line = mark.map(|mark| mark.line);
        self.column = mark.map(|mark| mark.column);
        self
    }

    /// Adds what the author can do.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// A place in a text, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub line: u32,
    /// In characters.
    pub column: u32,
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    has_errors: bool,
    more: usize,
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        self.has_errors |= problem.severity == Severity::Error;
        if self.found.len() >= MAX_PROBLEMS {
            self.more = self.more.saturating_add(1);
        } else if !self.found.contains(&problem) {
            self.found.push(problem);
        }
    }

    pub(super) const fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// All problems in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        if self.more > 0 {
            let message = format!("{} more problems are not shown", self.more);
            let last = if self.has_errors { Problem::error } else { Problem::warning };
            self.found.push(last("more_problems", "", message));
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_sorted_by_place_deduplicated_and_bounded() {
        let mut problems = Problems::default();
        let at = |line| Problem::warning("w", "", "w").at(Some(Mark { line, column: 1 }));
        problems.push(at(9));
        problems.push(at(2));
        problems.push(at(9));
        assert!(!problems.has_errors());
        for line in 0..250 {
            problems.push(Problem::error("e", format!("/{line}"), "e").at(Some(Mark { line, column: 3 })));
        }
        assert!(problems.has_errors());
        let sorted = problems.into_sorted();
        assert_eq!(sorted.len(), MAX_PROBLEMS + 1);
        assert!(sorted[..MAX_PROBLEMS].windows(2).all(|pair| pair[0].line <= pair[1].line));
        assert_eq!(sorted[MAX_PROBLEMS].message, "52 more problems are not shown");
    }
}
