//! A marked document: the value tree of a YAML 1.2 or JSON text in which every node and key knows its line and column.
//!
//! It owns the carrier rules (one document, unique text keys, core-schema scalars, budgets) and knows nothing of the DSL.

use super::problem::{Mark, Problem, Problems};
use super::scalar::{self, Scalar};
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use indexmap::IndexMap;
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// The longest text that is read, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// The largest number of nodes, aliases counted as what they stand for.
pub const MAX_NODES: usize = 100_000;
/// The deepest nesting of lists and objects.
pub const MAX_DEPTH: usize = 200;

/// One value of a document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Absent when the document did not come as text.
    pub(super) mark: Option<Mark>,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    /// The number and the text it was written as.
    Number(Number, String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// One property of an object.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) mark: Option<Mark>,
    pub(super) value: Node,
}

impl Node {
    /// Reads a text. On an error of the carrier the problems say so and there may still be a tree.
    pub(super) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
        if text.len() > MAX_TEXT_BYTES {
            problems.push(Problem::error("too_large", "", format!("the text is longer than {MAX_TEXT_BYTES} bytes")));
            return None;
        }
        let mut options = granit_parser::Options::default();
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        let mut builder =
            Builder { problems, open: Vec::new(), anchors: HashMap::new(), nodes: 0, anchored: 0, root: None };
        for next in Parser::new_from_str_with_options(text, options) {
            let step = match next {
                Ok((event, span)) => builder.event(event, span),
                Err(error) => {
                    let mark = Mark { line: number_from(error.marker().line()), column: column(error.marker().col()) };
                    let mut problem = Problem::error("syntax", "", error.info()).at(Some(mark));
                    if matches!(error.kind(), granit_parser::ErrorKind::RecursionLimitExceeded) {
                        problem = too_deep(mark);
                    }
                    if matches!(error.kind(), granit_parser::ErrorKind::MappingValueNotAllowed) {
                        problem = problem.suggest("put quotes around a text that contains ': '");
                    }
                    Err(Box::new(problem))
                }
            };
            if let Err(problem) = step {
                builder.problems.push(*problem);
                return None;
            }
        }
        if builder.root.is_none() {
            builder.problems.push(Problem::error("empty", "", "the text is empty"));
        }
        builder.root
    }

    /// The tree of a value that did not come as text, so without marks.
    pub(super) fn from_value(value: &Value) -> Node {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(flag) => Content::Bool(*flag),
            Value::Number(number) => Content::Number(number.clone(), number.to_string()),
            Value::String(text) => Content::Text(text.clone()),
            Value::Array(items) => Content::List(items.iter().map(Node::from_value).collect()),
            Value::Object(map) => Content::Object(
                map.iter()
                    .map(|(key, value)| Entry { key: key.clone(), mark: None, value: Node::from_value(value) })
                    .collect(),
            ),
        };
        Node { mark: None, content }
    }

    /// The plain value.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(flag) => Value::Bool(*flag),
            Content::Number(number, _) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Content::Object(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The value of a property, when this is an object that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Object(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_) | Content::List(_) => None,
        }
    }

    /// The text, when this is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::List(_) | Content::Object(_) => None,
        }
    }

    /// What this is, for messages: `a list`.
    pub(super) const fn describe(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "a boolean",
            Content::Number(..) => "a number",
            Content::Text(_) => "text",
            Content::List(_) => "a list",
            Content::Object(_) => "an object",
        }
    }

    /// Number of nodes and depth of the tree.
    fn measure(&self) -> (usize, usize) {
        let children: Vec<&Node> = match &self.content {
            Content::List(items) => items.iter().collect(),
            Content::Object(entries) => entries.iter().map(|entry| &entry.value).collect(),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_) => return (1, 0),
        };
        children.into_iter().map(Node::measure).fold((1, 1), |(nodes, depth), (child_nodes, child_depth)| {
            (nodes.saturating_add(child_nodes), depth.max(child_depth.saturating_add(1)))
        })
    }
}

/// A list or object whose end has not been seen.
struct Open {
    mark: Mark,
    anchor: usize,
    /// By key: an object may have very many.
    entries: IndexMap<String, (Mark, Node)>,
    items: Vec<Node>,
    is_object: bool,
    /// The key whose value comes next.
    key: Option<(String, Mark)>,
}

struct Anchor {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Builder<'p> {
    problems: &'p mut Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    /// How many were copied for aliases that may come.
    anchored: usize,
    root: Option<Node>,
}

type Step = Result<(), Box<Problem>>;

fn refuse(code: &'static str, message: impl Into<String>, mark: Mark) -> Box<Problem> {
    Box::new(Problem::error(code, "", message).at(Some(mark)))
}

fn too_deep(mark: Mark) -> Problem {
    Problem::error("too_deep", "", format!("the nesting is deeper than {MAX_DEPTH} levels")).at(Some(mark))
}

fn too_large(mark: Mark) -> Box<Problem> {
    refuse("too_large", format!("the document has more than {MAX_NODES} values"), mark)
}

impl Builder<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else the parser tells carries no data")]
    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        let mark = Mark { line: number_from(span.start.line()), column: column(span.start.col()) };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.is_key_next() {
                    return self.key(text.into_owned(), style, mark);
                }
                // A value that is not there is shown at its key.
                let key = self.open.last().and_then(|open| open.key.as_ref()).filter(|_| span.is_empty());
                let mark = key.filter(|_| style == ScalarStyle::Plain).map_or(mark, |(_, mark)| *mark);
                let content = scalar_content(text.into_owned(), style, tag.as_deref(), mark)?;
                self.add(Node { mark: Some(mark), content }, anchor, 1, 0)
            }
            Event::SequenceStart(_, anchor, tag) => self.start(false, anchor, tag.as_deref(), mark),
            Event::MappingStart(_, anchor, tag) => self.start(true, anchor, tag.as_deref(), mark),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, mark),
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(refuse("several_documents", "the text holds more than one document", mark))
            }
            Event::UnresolvedAlias(name) => Err(refuse("syntax", format!("there is no anchor '{name}'"), mark)),
            _ => Ok(()),
        }
    }

    fn is_key_next(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_object && open.key.is_none())
    }

    fn key(&mut self, key: String, style: ScalarStyle, mark: Mark) -> Step {
        if key == "<<" && style == ScalarStyle::Plain {
            let problem = refuse("merge_key", "YAML 1.2 has no merge keys ('<<')", mark);
            return Err(Box::new(problem.suggest("write the properties out, or quote the key if it is data")));
        }
        if let Some(open) = self.open.last_mut() {
            if let Some((first, _)) = open.entries.get(&key) {
                let message = format!("the key '{key}' is there twice; the first is on line {}", first.line);
                self.problems.push(*refuse("duplicate_key", message, mark));
            }
            open.key = Some((key, mark));
        }
        Ok(())
    }

    fn start(&mut self, is_object: bool, anchor: usize, tag: Option<&Tag>, mark: Mark) -> Step {
        if self.is_key_next() {
            return Err(refuse("invalid_key", "a key must be text, not a list or an object", mark));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(mark)));
        }
        let wanted = if is_object { "map" } else { "seq" };
        if tag.is_some_and(|tag| tag.core_suffix() != Some(wanted)) {
            return Err(refuse("unknown_tag", "YAML tags other than those of the core schema are not supported", mark));
        }
        self.open.push(Open { mark, anchor, entries: IndexMap::new(), items: Vec::new(), is_object, key: None });
        Ok(())
    }

    fn end(&mut self) -> Step {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let entry = |(key, (mark, value))| Entry { key, mark: Some(mark), value };
        let content = match open.is_object {
            true => Content::Object(open.entries.into_iter().map(entry).collect()),
            false => Content::List(open.items),
        };
        let node = Node { mark: Some(open.mark), content };
        let (nodes, depth) = if open.anchor == 0 { (1, 0) } else { node.measure() };
        self.add_counted(node, open.anchor, 1, nodes, depth)
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Step {
        if self.is_key_next() {
            return Err(refuse("invalid_key", "a key must be text, not an alias", mark));
        }
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(refuse("syntax", "an alias must not be part of what it stands for", mark));
        };
        if self.open.len().saturating_add(target.depth) > MAX_DEPTH {
            return Err(Box::new(too_deep(mark)));
        }
        let (nodes, depth) = (target.nodes, target.depth);
        self.reserve(nodes, mark)?;
        let Some(node) = self.anchors.get(&anchor).map(|target| target.node.clone()) else { return Ok(()) };
        self.add_counted(node, 0, 0, nodes, depth)
    }

    fn add(&mut self, node: Node, anchor: usize, nodes: usize, depth: usize) -> Step {
        self.add_counted(node, anchor, 1, nodes, depth)
    }

    fn reserve(&mut self, nodes: usize, mark: Mark) -> Step {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES { Err(too_large(mark)) } else { Ok(()) }
    }

    /// Puts a finished node where it belongs. `fresh` nodes are counted; `nodes` and `depth` describe it as an anchor.
    fn add_counted(&mut self, node: Node, anchor: usize, fresh: usize, nodes: usize, depth: usize) -> Step {
        let mark = node.mark.unwrap_or(Mark { line: 1, column: 1 });
        self.reserve(fresh, mark)?;
        if anchor != 0 {
            // An anchor inside an anchor is copied with both.
            self.anchored = self.anchored.saturating_add(nodes);
            if self.anchored > MAX_NODES {
                return Err(too_large(mark));
            }
            self.anchors.insert(anchor, Anchor { node: node.clone(), nodes, depth });
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(open) if open.is_object => {
                let Some((key, mark)) = open.key.take() else { return Ok(()) };
                open.entries.entry(key).or_insert((mark, node));
            }
            Some(open) => open.items.push(node),
        }
        Ok(())
    }
}

fn scalar_content(text: String, style: ScalarStyle, tag: Option<&Tag>, mark: Mark) -> Result<Content, Box<Problem>> {
    let resolved = match (tag, style) {
        (None, ScalarStyle::Plain) => scalar::resolve(&text),
        (None, _) => Scalar::Text,
        // `!` alone makes any scalar text.
        (Some(tag), _) if tag.core_suffix() == Some("str") || tag.original() == "!" => Scalar::Text,
        (Some(tag), _) => tag.core_suffix().and_then(|name| scalar::resolve_as(name, &text)).ok_or_else(|| {
            refuse("unknown_tag", format!("'{text}' cannot be read with the tag {}", tag.original()), mark)
        })?,
    };
    Ok(match resolved {
        Scalar::Null => Content::Null,
        Scalar::Bool(flag) => Content::Bool(flag),
        Scalar::Number(number) => Content::Number(number, text),
        Scalar::Text => Content::Text(text),
        Scalar::NotFinite => {
            return Err(Box::new(
                refuse("not_finite", format!("'{text}' is a number that JSON does not have"), mark)
                    .suggest("quote it if it is text"),
            ));
        }
    })
}

fn number_from(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn column(zero_based: usize) -> u32 {
    number_from(zero_based.saturating_add(1))
}
