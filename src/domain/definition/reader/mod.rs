//! From a marked document to the model, collecting every problem on the way.
//!
//! Each file reads one part of the DSL. A function that reads something returns `None` when it could not; the problem is
//! then already noted, and reading goes on with the neighbors.

mod authentication;
mod call;
mod components;
mod control;
mod policy;
mod run;
mod task;
mod value;
mod workflow;

use super::document::{Content, Entry, Node};
use super::expression::ExpressionCheck;
use super::model::{EvaluationMode, RetryPolicy};
use super::problem::{Mark, Problem, Problems};
use super::suggestion::{did_you_mean, listed};
use components::Names;
use std::collections::BTreeMap;
use std::sync::Arc;
pub(super) use workflow::read_definition;

/// What is carried through the whole reading.
pub(super) struct Reader<'d> {
    problems: &'d mut Problems,
    check: &'d dyn ExpressionCheck,
    mode: EvaluationMode,
    root: &'d Node,
    /// What `use` declares.
    names: Names<'d>,
    /// The named retry policies that some `catch` uses, as read with the variables of that `catch`.
    used_retries: BTreeMap<&'d str, Option<RetryPolicy>>,
}

/// A node with its place in the document.
#[derive(Clone)]
pub(super) struct Site<'d> {
    node: &'d Node,
    pointer: String,
}

impl<'d> Site<'d> {
    fn child(&self, node: &'d Node, segment: &str) -> Site<'d> {
        Site { node, pointer: format!("{}/{}", self.pointer, escape(segment)) }
    }

    fn item(&self, index: usize, node: &'d Node) -> Site<'d> {
        Site { node, pointer: format!("{}/{index}", self.pointer) }
    }

    fn error(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::error(code, &self.pointer, message).at(self.node.mark)
    }

    fn warning(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::warning(code, &self.pointer, message).at(self.node.mark)
    }
}

/// A segment of a JSON pointer (RFC 6901).
pub(super) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// An object whose properties are all known ones.
pub(super) struct Fields<'d> {
    site: Site<'d>,
    entries: &'d [Entry],
}

impl<'d> Fields<'d> {
    fn get(&self, key: &str) -> Option<Site<'d>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| self.site.child(&entry.value, key))
    }

    fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }
}

/// The variables an expression can see besides the standard ones, outermost first.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    locals: Vec<Arc<str>>,
}

impl Scope {
    /// This scope with more variables; one of the same name hides the outer one.
    fn with(&self, names: &[&Arc<str>]) -> Scope {
        let mut locals = self.locals.clone();
        for name in names {
            locals.retain(|local| local != *name);
            locals.push(Arc::clone(name));
        }
        Scope { locals }
    }
}

impl<'d> Reader<'d> {
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// The entries of an object of any shape.
    fn entries(&mut self, site: &Site<'d>, what: &str) -> Option<&'d [Entry]> {
        match &site.node.content {
            Content::Object(entries) => Some(entries),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_) | Content::List(_) => {
                self.wrong_type(site, what, "an object");
                None
            }
        }
    }

    /// An object with the given properties and no others.
    fn fields(&mut self, site: &Site<'d>, what: &str, known: &[&str]) -> Option<Fields<'d>> {
        let entries = self.entries(site, what)?;
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let problem = self.unknown_property(site, what, entry, known);
            self.problem(problem);
        }
        Some(Fields { site: site.clone(), entries })
    }

    fn unknown_property(&self, site: &Site<'d>, what: &str, entry: &Entry, known: &[&str]) -> Problem {
        let pointer = format!("{}/{}", site.pointer, escape(&entry.key));
        let message = format!("{what} has no property '{}'", entry.key);
        let mut problem = Problem::error("unknown_property", pointer, message).at(entry.mark);
        problem.suggestion = did_you_mean(&entry.key, known);
        problem
    }

    /// A property that must be there.
    fn required(&mut self, fields: &Fields<'d>, what: &str, key: &str) -> Option<Site<'d>> {
        let found = fields.get(key);
        if found.is_none() {
            self.problem(fields.site.error("missing_property", format!("{what} needs the property '{key}'")));
        }
        found
    }

    fn items(&mut self, site: &Site<'d>, what: &str) -> Option<&'d [Node]> {
        match &site.node.content {
            Content::List(items) => Some(items),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_) | Content::Object(_) => {
                self.wrong_type(site, what, "a list");
                None
            }
        }
    }

    /// The items of a list of single-key objects: site of the value, name and its mark.
    fn named_items(&mut self, site: &Site<'d>, what: &str) -> Option<Vec<(Site<'d>, &'d str, Option<Mark>)>> {
        let mut named = Vec::new();
        for (index, node) in self.items(site, what)?.iter().enumerate() {
            let item = site.item(index, node);
            match self.entries(&item, &format!("an item of {what}")) {
                Some([entry]) => named.push((item.child(&entry.value, &entry.key), entry.key.as_str(), entry.mark)),
                Some(entries) => {
                    // What is in there is read all the same, so that its problems are told too. Only when the first
                    // is nothing, the others are probably its own properties, not indented far enough.
                    let are_things = entries.first().is_some_and(|first| !matches!(first.value.content, Content::Null));
                    for entry in entries.iter().filter(|_| are_things) {
                        named.push((item.child(&entry.value, &entry.key), entry.key.as_str(), entry.mark));
                    }
                    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
                    let found = if keys.is_empty() { "none".to_owned() } else { listed(&keys) };
                    let message = format!("an item of {what} has exactly one property, its name; here: {found}");
                    let problem = item.error("single_key", message);
                    self.problem(problem.suggest(
                        "start every item with '- ' and its name, and indent what belongs to it below the name",
                    ));
                }
                None => {}
            }
        }
        Some(named)
    }

    fn text(&mut self, site: &Site<'d>, what: &str) -> Option<&'d str> {
        let text = site.node.text();
        if text.is_none() {
            self.wrong_type(site, what, "text");
        }
        text
    }

    fn boolean(&mut self, site: &Site<'d>, what: &str) -> Option<bool> {
        if let Content::Bool(flag) = &site.node.content {
            return Some(*flag);
        }
        self.wrong_type(site, what, "true or false");
        None
    }

    /// A whole number that is not negative; `3.0` is one.
    fn count(&mut self, site: &Site<'d>, what: &str) -> Option<u64> {
        let Content::Number(number, _) = &site.node.content else {
            self.wrong_type(site, what, "a whole number");
            return None;
        };
        let whole =
            number.as_u64().or_else(|| number.to_string().strip_suffix(".0").and_then(|text| text.parse().ok()));
        if whole.is_none() {
            let message = format!("{what} must be a whole number that is not negative, not {number}");
            self.problem(site.error("invalid_value", message));
        }
        whole
    }

    /// One of a few words.
    fn choice<T: Copy>(&mut self, site: &Site<'d>, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(site, what)?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let message = format!("{what} cannot be '{text}'; it is one of {}", listed(&words));
            let mut problem = site.error("invalid_value", message);
            problem.suggestion = super::suggestion::nearest(text, words).map(|word| format!("did you mean '{word}'?"));
            self.problem(problem);
        }
        found
    }

    fn wrong_type(&mut self, site: &Site<'d>, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, but it is {}", site.node.describe());
        let mut problem = site.error("wrong_type", message);
        problem.suggestion = match (&site.node.content, wanted) {
            (Content::Number(_, written), "text") => Some(format!("quote it: \"{written}\"")),
            (Content::Bool(flag), "text") => Some(format!("quote it: \"{flag}\"")),
            (Content::Null, "an object") => Some("for an empty object write {}".to_owned()),
            (Content::Null, "a list") => Some("for an empty list write []".to_owned()),
            (Content::Object(_), "a list") => {
                Some("the order matters here: write each entry as a list item that starts with '- '".to_owned())
            }
            (Content::Text(text), "true or false" | "a whole number") => Some(format!("write {text} without quotes"))
                .filter(|_| matches!(text.as_str(), "true" | "false") || text.parse::<u64>().is_ok()),
            _ => None,
        };
        self.problem(problem);
    }

    /// Something of the DSL that this version does not have. It is refused, never ignored.
    fn unsupported(&mut self, site: &Site<'d>, thing: &str) {
        let message = format!("{thing} is part of the DSL, but this version does not support it");
        self.problem(site.error("unsupported", message));
    }

    /// A name that must be declared in `use`.
    fn reference(&mut self, site: &Site<'d>, name: &str, section: &str, declared: &[&'d str]) -> bool {
        if declared.contains(&name) {
            return true;
        }
        let mut problem = site.error("unknown_reference", format!("there is no '{name}' in use.{section}"));
        problem.suggestion = did_you_mean(name, declared);
        self.problem(problem);
        false
    }
}
