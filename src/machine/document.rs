//! Schema documents that were fetched, and what the state knows about a fetch. When they are fetched is told in
//! [`super::resource`].

use super::program::{DataRule, Node};
use super::schema::Schema;
use super::state::{Effect, Frame, Shared, State, Work};
use crate::domain::definition::{read_document, schema};
use crate::domain::{Failure, StandardType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Which of the three schemas of a task or a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Input,
    Output,
    Export,
}

/// A schema document that was fetched.
#[derive(Clone, Debug)]
pub(super) struct Document {
    value: Shared,
    compiled: Arc<OnceLock<Result<Schema, String>>>,
}

pub(super) type Documents = BTreeMap<Place, Document>;

/// A schema that is being fetched, or was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fetch {
    pub(super) place: Place,
    /// Its completed result holds nothing: the document is kept elsewhere.
    pub(super) effect: Effect,
}

impl Place {
    pub(super) const ALL: [Self; 3] = [Self::Input, Self::Output, Self::Export];

    /// The kind of the effect in the journal.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Input => "input_schema",
            Self::Output => "output_schema",
            Self::Export => "export_schema",
        }
    }

    pub(super) fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.kind() == kind)
    }

    pub(super) fn of_task(self, node: &Node) -> &DataRule {
        match self {
            Self::Input => &node.input,
            Self::Output => &node.output,
            Self::Export => &node.export,
        }
    }

    /// The instance of errors of a workflow.
    pub(super) const fn of_workflow(self) -> &'static str {
        match self {
            Self::Input => "/input",
            Self::Output | Self::Export => "/output",
        }
    }
}

impl Document {
    pub(super) fn new(value: Shared) -> Self {
        Self { value, compiled: Arc::default() }
    }

    pub(super) fn check(&self, value: &Value, what: &str) -> Result<(), Failure> {
        match self.compiled.get_or_init(|| Schema::compile(&self.value)) {
            Ok(schema) => schema.check(value, what),
            Err(why) => Err(unusable(&format!("The schema of the {what} is not a valid JSON schema: {why}"))),
        }
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shared::deserialize(deserializer).map(Self::new)
    }
}

impl State {
    /// The schema that is being fetched for the workflow itself.
    pub(super) fn outstanding_fetch(&self) -> Option<&Fetch> {
        self.fetch.as_ref().filter(|fetch| fetch.effect.result.is_none())
    }

    /// The frame of the task at a path.
    pub(super) fn frame_at(&self, path: &str) -> Option<&Frame> {
        let mut found = None;
        self.visit(&mut |frame| {
            if *frame.path == *path {
                found = Some(frame);
            }
        });
        found
    }
}

impl Frame {
    /// The effect whose outcome is still awaited: the task's own, or the fetch of a schema. There is never more than one.
    pub(super) fn outstanding_effect(&self) -> Option<&Effect> {
        let own = if let Work::Effect(effect) = &self.work { Some(effect) } else { None };
        let fetch = self.fetch.as_ref().map(|fetch| &fetch.effect);
        own.into_iter().chain(fetch).find(|effect| effect.result.is_none() && !effect.is_withheld)
    }

    /// The schema that is being fetched.
    pub(super) fn outstanding_fetch(&self) -> Option<&Fetch> {
        self.fetch.as_ref().filter(|fetch| fetch.effect.result.is_none())
    }

    /// The number of the next effect's first attempt: no outcome of an earlier effect of this task can be taken for its own.
    pub(super) fn next_attempt(&self) -> u32 {
        next_attempt(self.fetch.as_ref())
    }
}

pub(super) fn next_attempt(fetch: Option<&Fetch>) -> u32 {
    fetch.map_or(0, |fetch| fetch.effect.attempt).saturating_add(1)
}

pub(super) fn unusable(detail: &str) -> Failure {
    Failure::new(StandardType::Configuration, "Schema unusable", detail)
}

/// The address of the file behind a page of GitHub or GitLab that shows it.
pub(super) fn raw_address(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    if host == "github.com" {
        let mut parts = path.splitn(4, '/');
        let (owner, repository, kind) = (parts.next()?, parts.next()?, parts.next()?);
        let file = parts.next().filter(|_| matches!(kind, "blob" | "tree"))?;
        return Some(format!("https://raw.githubusercontent.com/{owner}/{repository}/refs/heads/{file}"));
    }
    let (project, file) = path.split_once("/-/blob/").or_else(|| path.split_once("/-/tree/"))?;
    host.contains("gitlab").then(|| format!("https://{host}/{project}/-/raw/{file}"))
}

/// The document in what the effect brought, in base64.
pub(super) fn read(output: &Value, dialect: Option<&str>) -> Result<Value, Failure> {
    let bytes = output.as_str().and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
    let text = String::from_utf8(bytes).map_err(|_| unusable("The schema document is not UTF-8 text"))?;
    let mut document = read_document(&text)
        .map_err(|why| unusable(&format!("The schema document is neither JSON nor YAML: {why}")))?;
    if !(document.is_object() || document.is_boolean()) {
        return Err(unusable("The schema document is not an object"));
    }
    schema::name_dialect(&mut document, dialect);
    if let Err(refusal) = schema::compile(&document) {
        let place = refusal.pointer;
        return Err(unusable(&format!(
            "The schema document is not a valid JSON schema, at '{place}': {}",
            refusal.message
        )));
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_that_show_a_file_are_not_the_file() {
        let raw = |uri| raw_address(uri).unwrap_or_default();
        assert_eq!(
            raw("https://github.com/o/r/blob/main/a/b.json"),
            "https://raw.githubusercontent.com/o/r/refs/heads/main/a/b.json"
        );
        assert_eq!(raw("https://gitlab.com/g/s/p/-/blob/main/a.yaml"), "https://gitlab.com/g/s/p/-/raw/main/a.yaml");
        assert_eq!(raw("https://github.com/o/r/releases/x"), "");
        assert_eq!(raw("https://example.com/a/-/blob/b"), "");
    }

    #[test]
    fn documents_are_json_or_yaml_objects_that_are_schemas() {
        let read = |text: &str| read(&json!(BASE64.encode(text)), Some("http://json-schema.org/draft-04/schema#"));
        let schema = json!({"type": "object", "$schema": "http://json-schema.org/draft-04/schema#"});
        assert_eq!(read("{\"type\": \"object\"}"), Ok(schema.clone()));
        assert_eq!(read("type: object\n"), Ok(schema));
        for text in ["[1]", "{", "", "type: strin\n", "$ref: https://example.com/x.json\n", &"x".repeat(2 << 20)] {
            assert_eq!(read(text).unwrap_err().error_type, StandardType::Configuration.uri());
        }
    }
}
