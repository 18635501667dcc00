//! A compiled definition: every expression, template and schema ready to run, every task with a number.
//!
//! Immutable and shared by all executions of the same definition. Tasks and task lists are numbered in the order in which they
//! are compiled, which depends on nothing but the definition; the state refers to them by these numbers.

use super::duration::DurationRule;
use super::expression::{Expression, Template};
use super::resource::ResourceRule;
use super::schema::Schema;
use crate::domain::definition::Definition;
use crate::domain::definition::model::{Backoff, ErrorField, UnknownOutcome};
use crate::domain::{AgentOutput, HttpOutput, ProcessReturn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The number of a task in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct NodeId(pub(super) u32);

/// The number of a task list in its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ListId(pub(super) u32);

/// A compiled definition. See [`Program::compile`].
#[derive(Debug)]
pub struct Program {
    pub(super) definition: Arc<Definition>,
    pub(super) nodes: Vec<Node>,
    pub(super) lists: Vec<Vec<NodeId>>,
    pub(super) main: ListId,
    pub(super) input: DataRule,
    pub(super) output: DataRule,
    pub(super) timeout: Option<DurationRule>,
    pub(super) is_bounded: bool,
    /// By list and position; see [`super::progress`].
    pub(super) ahead: Vec<Vec<Option<u32>>>,
}

/// One task.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    /// The name as a part of a path.
    pub(super) escaped: Arc<str>,
    /// From the document's root, or, in the body of a function, from the function.
    pub(super) pointer: Arc<str>,
    pub(super) source: Arc<Value>,
    pub(super) condition: Option<Arc<Expression>>,
    pub(super) input: DataRule,
    pub(super) output: DataRule,
    pub(super) export: DataRule,
    /// One of the three has an external schema.
    pub(super) has_resources: bool,
    pub(super) timeout: Option<DurationRule>,
    pub(super) then: Next,
    pub(super) kind: Kind,
}

/// Where a list goes on after a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Continue,
    Exit,
    End,
    /// To the task of this name.
    Task(Arc<str>),
}

/// A schema check and a transformation; both may be absent.
#[derive(Debug, Default)]
pub(super) struct DataRule {
    pub(super) schema: Option<SchemaRule>,
    pub(super) transform: Option<Template>,
    pub(super) transform_reads_secrets: bool,
    pub(super) transform_reads_authorization: bool,
}

#[derive(Debug)]
pub(super) enum SchemaRule {
    Inline(Schema),
    External(Box<ResourceRule>),
}

impl DataRule {
    pub(super) fn inline(&self) -> Option<&Schema> {
        if let Some(SchemaRule::Inline(schema)) = &self.schema { Some(schema) } else { None }
    }

    pub(super) fn resource(&self) -> Option<&ResourceRule> {
        if let Some(SchemaRule::External(resource)) = &self.schema { Some(resource) } else { None }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Do(ListId),
    Set(Template),
    Switch(Vec<Case>),
    For(Box<ForRule>),
    Fork { branches: Vec<ListId>, compete: bool },
    Try(Box<TryRule>),
    Raise(Box<ErrorRule>),
    Wait(DurationRule),
    Http(Box<HttpRule>),
    Agent(Box<AgentRule>),
    Function { body: ListId, with: Template },
    Shell(Box<ShellRule>),
    Workflow(Box<WorkflowRule>),
}

impl Kind {
    /// Whether tasks are started inside it.
    pub(super) fn has_lists(&self) -> bool {
        match self {
            Self::Do(_) | Self::For(_) | Self::Fork { .. } | Self::Try(_) | Self::Function { .. } => true,
            Self::Set(_)
            | Self::Switch(_)
            | Self::Raise(_)
            | Self::Wait(_)
            | Self::Http(_)
            | Self::Agent(_)
            | Self::Shell(_)
            | Self::Workflow(_) => false,
        }
    }
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) when: Option<Arc<Expression>>,
    pub(super) then: Next,
}

#[derive(Debug)]
pub(super) struct ForRule {
    pub(super) each: Arc<str>,
    pub(super) at: Arc<str>,
    pub(super) collection: Arc<Expression>,
    pub(super) condition: Option<Arc<Expression>>,
    pub(super) body: ListId,
}

#[derive(Debug)]
pub(super) struct TryRule {
    pub(super) body: ListId,
    pub(super) errors: Vec<(ErrorField, Value)>,
    pub(super) variable: Arc<str>,
    pub(super) when: Option<Arc<Expression>>,
    pub(super) except_when: Option<Arc<Expression>>,
    pub(super) retry: Option<RetryRule>,
    pub(super) handler: Option<ListId>,
    pub(super) then: Option<Next>,
}

#[derive(Debug)]
pub(super) struct RetryRule {
    pub(super) when: Option<Arc<Expression>>,
    pub(super) except_when: Option<Arc<Expression>>,
    pub(super) delay: Option<DurationRule>,
    pub(super) backoff: Backoff,
    pub(super) limit_count: Option<u64>,
    pub(super) limit_attempt_duration: Option<DurationRule>,
    pub(super) limit_duration: Option<DurationRule>,
    pub(super) jitter: Option<(DurationRule, DurationRule)>,
}

#[derive(Debug)]
pub(super) struct ErrorRule {
    pub(super) error_type: Template,
    pub(super) status: Template,
    pub(super) title: Option<Template>,
    pub(super) detail: Option<Template>,
    pub(super) instance: Option<Template>,
}

#[derive(Debug)]
pub(super) struct HttpRule {
    pub(super) method: String,
    pub(super) uri: UriRule,
    pub(super) authentication: Option<Template>,
    pub(super) headers: Option<Template>,
    pub(super) query: Option<Template>,
    pub(super) body: Option<Template>,
    pub(super) output: HttpOutput,
    pub(super) redirect: bool,
}

#[derive(Debug)]
pub(super) enum UriRule {
    Expression(Arc<Expression>),
    /// RFC 6570 level 1.
    Template(Arc<str>),
}

#[derive(Debug)]
pub(super) struct AgentRule {
    pub(super) agent: Template,
    pub(super) prompt: Option<Template>,
    pub(super) system_prompt: Option<Template>,
    pub(super) parameters: Option<Template>,
    pub(super) output: AgentOutput,
}

#[derive(Debug)]
pub(super) struct ShellRule {
    pub(super) command: Template,
    pub(super) arguments: Vec<Template>,
    pub(super) stdin: Option<Template>,
    pub(super) environment: Option<Template>,
    pub(super) wait_for_end: bool,
    pub(super) returns: ProcessReturn,
    pub(super) on_unknown_outcome: UnknownOutcome,
}

#[derive(Debug)]
pub(super) struct WorkflowRule {
    pub(super) namespace: Template,
    pub(super) name: Template,
    pub(super) version: Template,
    pub(super) input: Option<Template>,
    pub(super) wait_for_end: bool,
    pub(super) returns_nothing: bool,
}

impl Program {
    /// The definition this program was compiled from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The secrets that its executions may read.
    pub fn secrets(&self) -> &[Arc<str>] {
        &self.definition.components.secrets
    }

    /// Whether every expression is of a form whose time is bounded by its input (see [`Expression::is_bounded`]): steps of such
    /// a program may run on an arbiter.
    pub fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    /// A task of this program. Numbers come only from [`Program::compile`] and from states of the same program.
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id.0).ok()?)
    }

    /// The tasks of a list; empty when there is no such list.
    pub(super) fn list(&self, id: ListId) -> &[NodeId] {
        usize::try_from(id.0).ok().and_then(|index| self.lists.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The position of the task with this name in a list.
    pub(super) fn position_of(&self, list: ListId, name: &str) -> Option<usize> {
        self.list(list).iter().position(|id| self.node(*id).is_some_and(|node| *node.name == *name))
    }
}
