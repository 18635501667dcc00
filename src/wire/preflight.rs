//! Pre-flight: what the executions of a workflow may touch.

use crate::domain::definition::{Subject, Touch, Touched};
use crate::domain::preflight::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the executions of a workflow may touch, and how that stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreflightView {
    /// Whether nothing is found that would fail.
    pub is_ready: bool,
    /// In the order of the definition. What only a workflow that it runs touches is not among it.
    pub touches: Vec<TouchView>,
    /// What it lists in `use.secrets`, and the keys of the agents that it asks by name.
    pub secrets: Vec<SecretVerdict>,
    /// How many calls of agents one execution makes at most; `null` when nothing bounds them.
    #[schema(required)]
    pub model_calls_at_most: Option<u64>,
    /// How many HTTP requests one execution makes at most; `null` when nothing bounds them.
    #[schema(required)]
    pub requests_at_most: Option<u64>,
}

/// One thing that a task may touch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TouchView {
    pub kind: TouchKind,
    /// The address, the command, the name; or, when it is computed, the expression.
    pub subject: String,
    /// Whether it is known only while an execution runs.
    pub is_computed: bool,
    /// JSON pointer to the task; empty for the input and output of the whole.
    pub task: String,
    /// How often one execution does it at most, repetitions after a crash aside; `null` when nothing bounds it.
    #[schema(required)]
    pub at_most: Option<u64>,
    pub verdict: Verdict,
}

/// What is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TouchKind {
    /// An HTTP request.
    Request,
    /// A schema that is fetched.
    Schema,
    /// A server that is asked for an access token.
    Token,
    /// A command.
    Program,
    Agent,
    /// A workflow that is run, `namespace/name:version`.
    Workflow,
}

/// A secret that the workflow lists, or that is the key of an agent that it asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretVerdict {
    pub name: String,
    /// The slug of the agent whose key it is; absent for what the workflow lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub verdict: Verdict,
}

impl TouchView {
    pub fn new(touch: &Touch, verdict: Verdict) -> Self {
        let (kind, (subject, is_computed)) = match &touch.what {
            Touched::Request(subject) => (TouchKind::Request, shown(subject)),
            Touched::Schema(subject) => (TouchKind::Schema, shown(subject)),
            Touched::Token(subject) => (TouchKind::Token, shown(subject)),
            Touched::Program(subject) => (TouchKind::Program, shown(subject)),
            Touched::Agent(subject) => (TouchKind::Agent, shown(subject)),
            Touched::Workflow { namespace, name, version } => {
                let parts = [namespace, name, version].map(shown);
                let is_computed = parts.iter().any(|(_, is_computed)| *is_computed);
                let [(namespace, _), (name, _), (version, _)] = parts;
                (TouchKind::Workflow, (format!("{namespace}/{name}:{version}"), is_computed))
            }
        };
        Self { kind, subject, is_computed, task: touch.task.to_string(), at_most: touch.at_most, verdict }
    }
}

fn shown(subject: &Subject) -> (String, bool) {
    match subject {
        Subject::Written(text) => (text.clone(), false),
        Subject::Computed(text) => (text.clone(), true),
    }
}

impl PreflightView {
    pub fn new(touches: Vec<TouchView>, secrets: Vec<SecretVerdict>) -> Self {
        let at_most = |kind: TouchKind| {
            let mut of_kind = touches.iter().filter(|touch| touch.kind == kind);
            of_kind.try_fold(0_u64, |sum, touch| Some(sum.saturating_add(touch.at_most?)))
        };
        let verdicts = touches.iter().map(|touch| touch.verdict).chain(secrets.iter().map(|secret| secret.verdict));
        Self {
            is_ready: !verdicts.into_iter().any(Verdict::is_bad),
            model_calls_at_most: at_most(TouchKind::Agent),
            requests_at_most: at_most(TouchKind::Request),
            touches,
            secrets,
        }
    }
}
