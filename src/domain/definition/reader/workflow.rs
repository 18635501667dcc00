//! The root of a definition: `document`, `evaluate`, and how the parts come together.

use super::components::Names;
use super::task::Targets;
use super::value::Place;
use super::{Reader, Scope, Site};
use crate::domain::definition::digest::digest;
use crate::domain::definition::document::{Content, Node};
use crate::domain::definition::expression::ExpressionCheck;
use crate::domain::definition::model::{Definition, Document, EvaluationMode};
use crate::domain::definition::problem::Problems;
use crate::domain::definition::suggestion::did_you_mean;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const ROOT: [&str; 8] = ["document", "input", "use", "do", "timeout", "output", "schedule", "evaluate"];
const DOCUMENT: [&str; 8] = ["dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"];
/// The longest `namespace` and `name`.
const MAX_NAME_LENGTH: usize = 63;
/// The longest version.
const MAX_VERSION_LENGTH: usize = 128;

/// Reads a whole document. `None` when a problem is an error.
pub(in super::super) fn read_definition(
    root: &Node,
    problems: &mut Problems,
    check: &dyn ExpressionCheck,
) -> Option<Definition> {
    let mut reader = Reader {
        problems,
        check,
        mode: EvaluationMode::Strict,
        root,
        names: Names::declared_in(root),
        used_retries: BTreeMap::new(),
    };
    let definition = reader.workflow();
    if problems.has_errors() { None } else { definition }
}

impl<'d> Reader<'d> {
    fn workflow(&mut self) -> Option<Definition> {
        let site = Site { node: self.root, pointer: String::new() };
        let entries = self.entries(&site, "a workflow definition")?;
        for entry in entries.iter().filter(|entry| !ROOT.contains(&entry.key.as_str())) {
            let pointer = format!("/{}", super::escape(&entry.key));
            let message = format!("'{}' is not a part of a workflow definition and is ignored", entry.key);
            let mut problem = super::Problem::warning("unknown_property", pointer, message).at(entry.mark);
            problem.suggestion = did_you_mean(&entry.key, &ROOT);
            self.problem(problem);
        }
        let fields = super::Fields { site: site.clone(), entries };
        // The mode decides how all the others are read.
        if let Some(evaluate) = fields.get("evaluate") {
            self.mode = self.evaluate(&evaluate).unwrap_or_default();
        }
        let document =
            self.required(&fields, "a workflow definition", "document").and_then(|site| self.document(&site));
        let scope = Scope::default();
        let input =
            fields.get("input").and_then(|site| self.data_spec(&site, "input", "from", &scope, Place::WorkflowInput));
        let timeout = fields.get("timeout").and_then(|site| self.timeout(&site, &scope, Place::WorkflowInput));
        let tasks = self
            .required(&fields, "a workflow definition", "do")
            .and_then(|site| self.task_list(&site, "do", &scope, Targets::List));
        let components = fields.get("use").map(|site| self.components(&site)).unwrap_or_default();
        let output =
            fields.get("output").and_then(|site| self.data_spec(&site, "output", "as", &scope, Place::WorkflowOutput));
        if let Some(schedule) = fields.get("schedule").filter(|site| !is_empty(site.node)) {
            self.unsupported(&schedule, "a schedule");
        }
        let source = self.root.to_value();
        Some(Definition {
            document: document?,
            input,
            components,
            tasks: tasks?,
            timeout,
            output,
            mode: self.mode,
            digest: digest(&source).into(),
            source: Arc::new(source),
        })
    }

    fn evaluate(&mut self, site: &Site<'d>) -> Option<EvaluationMode> {
        let fields = self.fields(site, "evaluate", &["language", "mode"])?;
        if let Some(language) = fields.get("language")
            && let Some(other) = self.text(&language, "evaluate.language").filter(|name| *name != "jq")
        {
            self.unsupported(&language, &format!("the expression language '{other}'"));
        }
        let modes = [("strict", EvaluationMode::Strict), ("loose", EvaluationMode::Loose)];
        fields.get("mode").and_then(|mode| self.choice(&mode, "evaluate.mode", &modes))
    }

    fn document(&mut self, site: &Site<'d>) -> Option<Document> {
        let fields = self.fields(site, "document", &DOCUMENT)?;
        let dsl = self.required(&fields, "document", "dsl").and_then(|site| self.dsl_version(&site));
        let namespace =
            self.required(&fields, "document", "namespace").and_then(|site| self.name(&site, "document.namespace"));
        let name = self.required(&fields, "document", "name").and_then(|site| self.name(&site, "document.name"));
        let version =
            self.required(&fields, "document", "version").and_then(|site| self.version(&site, "document.version"));
        let title = fields.get("title").and_then(|site| self.text(&site, "document.title"));
        let summary = fields.get("summary").and_then(|site| self.text(&site, "document.summary"));
        let tags = fields.get("tags").map(|site| self.free_object(&site, "document.tags"));
        let metadata = fields.get("metadata").map(|site| self.free_object(&site, "document.metadata"));
        Some(Document {
            dsl: dsl?.to_string(),
            namespace: namespace?.into(),
            name: name?.into(),
            version: version?.to_string().into(),
            title: title.map(str::to_owned),
            summary: summary.map(str::to_owned),
            tags: tags.unwrap_or_default(),
            metadata: metadata.unwrap_or_default(),
        })
    }

    /// Accepts 1.0.x and pre-releases of 1.0.0.
    fn dsl_version(&mut self, site: &Site<'d>) -> Option<semver::Version> {
        let version = self.version(site, "document.dsl")?;
        if version.major == 1 && version.minor == 0 {
            return Some(version);
        }
        let problem = site.error("unsupported_dsl", format!("the DSL version {version} is not supported"));
        self.problem(problem.suggest("this version reads DSL 1.0.x: write \"1.0.3\""));
        None
    }

    pub(super) fn version(&mut self, site: &Site<'d>, what: &str) -> Option<semver::Version> {
        let text = self.text(site, what)?;
        if text.len() > MAX_VERSION_LENGTH {
            let message = format!("{what} is longer than {MAX_VERSION_LENGTH} characters");
            self.problem(site.error("invalid_version", message).suggest("write three numbers, such as \"1.0.0\""));
            return None;
        }
        match semver::Version::parse(text) {
            Ok(version) => Some(version),
            Err(error) => {
                let message = format!("{what} must be a semantic version, not '{text}': {error}");
                self.problem(site.error("invalid_version", message).suggest("write three numbers, such as \"1.0.0\""));
                None
            }
        }
    }

    /// A namespace or a name: 1–63 letters, digits and hyphens, the first and last alphanumeric.
    pub(super) fn name(&mut self, site: &Site<'d>, what: &str) -> Option<&'d str> {
        let text = self.text(site, what)?;
        let fits = (1..=MAX_NAME_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !fits {
            let message = format!("{what} cannot be '{text}'");
            let rule = "use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends";
            self.problem(site.error("invalid_name", message).suggest(rule));
            return None;
        }
        Some(text)
    }

    /// An object that is never evaluated and may hold anything.
    pub(super) fn free_object(&mut self, site: &Site<'d>, what: &str) -> Map<String, Value> {
        match self.entries(site, what) {
            Some(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect(),
            None => Map::new(),
        }
    }
}

/// Whether a part is there without saying anything: `[]` or `{}`.
pub(super) fn is_empty(node: &Node) -> bool {
    match &node.content {
        Content::List(items) => items.is_empty(),
        Content::Object(entries) => entries.is_empty(),
        Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_) => false,
    }
}
