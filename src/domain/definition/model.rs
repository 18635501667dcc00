//! The typed model of a definition. Built by `parse`, checked by `validate`, interpreted by `crate::machine`.
//!
//! Two classes of text are told apart (DSL digest A9): [`Expression`] fields are always jq, with or without `${ }`;
//! value templates ([`Value`] fields named "template" below) are literal unless a whole string is `${ … }`.

use crate::domain::{AgentOutput, HttpOutput, ProcessReturn};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A jq expression with its `${ }` already stripped and trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expression(pub Arc<str>);

/// `from` and `as`: an expression, or an object whose leaves are a value template.
#[derive(Clone, Debug, PartialEq)]
pub enum Transform {
    Expression(Expression),
    Template(Value),
}

/// A whole definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub document: Document,
    pub input: Option<DataSpec>,
    pub components: Components,
    pub tasks: TaskList,
    pub timeout: Option<TimeoutRef>,
    pub output: Option<DataSpec>,
    pub mode: EvaluationMode,
    /// The definition as authored; what `$workflow.definition` shows.
    pub source: Arc<Value>,
    /// Lower-case hex SHA-256 of the canonical JSON of `source` (object keys sorted).
    pub digest: Arc<str>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub dsl: String,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub version: Arc<str>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub tags: Map<String, Value>,
    pub metadata: Map<String, Value>,
}

/// `evaluate.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum EvaluationMode {
    #[default]
    Strict,
    Loose,
}

/// `use`: what the tasks refer to by name. Order as authored.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Components {
    /// Policies as authored: `{basic: {…}}` and so on; leaves are value templates.
    pub authentications: Vec<(Arc<str>, Value)>,
    pub errors: Vec<(Arc<str>, ErrorSpec)>,
    /// The pointer of a function's task is that of its caller, so the one in here is not used.
    pub functions: Vec<(Arc<str>, Task)>,
    pub retries: Vec<(Arc<str>, RetryPolicy)>,
    pub secrets: Vec<Arc<str>>,
    pub timeouts: Vec<(Arc<str>, DurationSpec)>,
}

/// A schema check and a transformation. For `input` the schema comes first, for `output` and `export` the transformation.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    pub schema: Option<SchemaSpec>,
    pub transform: Option<Transform>,
}

/// Where a JSON Schema comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaSpec {
    /// The document itself.
    Inline(Arc<Value>),
    External(Box<ExternalSchema>),
}

/// A schema document that an execution fetches (`schema.resource`).
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalSchema {
    pub endpoint: Endpoint,
    /// The `$schema` of documents that name none.
    pub dialect: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TimeoutRef {
    After(DurationSpec),
    /// A name in `use.timeouts`.
    Named(Arc<str>),
}

/// A duration: literal or computed when it is needed.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationSpec {
    /// Days, hours … as authored in the object or ISO 8601 form; years and months are calendar-relative.
    Literal(super::duration::Duration),
    /// An expression that yields an ISO 8601 text or a duration object.
    Expression(Expression),
}

pub type TaskList = Vec<Task>;

/// One task with its name and the properties that all tasks have.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub name: Arc<str>,
    /// JSON pointer to it in the document, `/do/0/name`.
    pub pointer: Arc<str>,
    pub condition: Option<Expression>,
    pub input: Option<DataSpec>,
    pub output: Option<DataSpec>,
    pub export: Option<DataSpec>,
    pub timeout: Option<TimeoutRef>,
    pub then: Directive,
    pub metadata: Map<String, Value>,
    /// The task as authored; what `$task.definition` shows.
    pub source: Arc<Value>,
    pub kind: TaskKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Directive {
    #[default]
    Continue,
    Exit,
    End,
    /// A task of the same list.
    Task(Arc<str>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum TaskKind {
    Do(TaskList),
    Set(Transform),
    Switch(Vec<SwitchCase>),
    For(ForLoop),
    Fork(Fork),
    Try(Box<Try>),
    Raise(RaiseError),
    Wait(DurationSpec),
    CallHttp(Box<HttpCall>),
    CallAgent(Box<AgentCall>),
    CallFunction(FunctionCall),
    RunShell(Box<ShellRun>),
    RunWorkflow(Box<WorkflowRun>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct SwitchCase {
    pub name: Arc<str>,
    /// Absent for the default case.
    pub when: Option<Expression>,
    pub then: Directive,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ForLoop {
    /// Variable names without `$`.
    pub each: Arc<str>,
    pub at: Arc<str>,
    pub collection: Expression,
    pub condition: Option<Expression>,
    pub body: TaskList,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fork {
    pub branches: TaskList,
    pub compete: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Try {
    pub body: TaskList,
    pub catch: Catch,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Catch {
    /// Static filter: every given field must match. Empty = every error. Keys: type, status, instance, title, detail.
    pub errors: Vec<(ErrorField, Value)>,
    /// Variable name without `$`; default `error`.
    pub variable: Arc<str>,
    pub when: Option<Expression>,
    pub except_when: Option<Expression>,
    pub retry: Option<RetryRef>,
    /// The handler. `None` and an empty list differ: without one the error is swallowed or, after retries, rethrown.
    pub handler: Option<TaskList>,
    /// After the handler, instead of the try's own `then` (accepted after DSL 1.0.3).
    pub then: Option<Directive>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorField {
    Type,
    Status,
    Instance,
    Title,
    Detail,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RetryRef {
    Inline(RetryPolicy),
    /// A name in `use.retries`.
    Named(Arc<str>),
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct RetryPolicy {
    pub when: Option<Expression>,
    pub except_when: Option<Expression>,
    pub delay: Option<DurationSpec>,
    pub backoff: Backoff,
    /// How many retries; `None` = unlimited.
    pub limit_count: Option<u64>,
    /// The cap on each attempt.
    pub limit_attempt_duration: Option<DurationSpec>,
    /// No new retry is started after this much time since the first attempt.
    pub limit_duration: Option<DurationSpec>,
    /// A uniformly random extra delay between the two.
    pub jitter: Option<(DurationSpec, DurationSpec)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Backoff {
    #[default]
    Constant,
    Linear,
    Exponential,
}

/// An error definition: all five fields are value templates except that `status` may also be an integer.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorSpec {
    pub error_type: Value,
    pub status: Value,
    pub title: Option<Value>,
    pub detail: Option<Value>,
    pub instance: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RaiseError {
    Inline(Box<ErrorSpec>),
    /// A name in `use.errors`.
    Named(Arc<str>),
}

/// `call: http`. Templates unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpCall {
    /// Literal, upper case.
    pub method: String,
    pub endpoint: Endpoint,
    /// An object template, or one `${ }` text that yields an object.
    pub headers: Option<Value>,
    pub query: Option<Value>,
    pub body: Option<Value>,
    pub output: HttpOutput,
    pub redirect: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub uri: UriSpec,
    pub authentication: Option<AuthenticationRef>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum UriSpec {
    Expression(Expression),
    /// RFC 6570 level 1.
    Template(Arc<str>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum AuthenticationRef {
    /// A name in `use.authentications`.
    Named(Arc<str>),
    /// `{basic: {…}}`, `{bearer: {…}}` …; leaves are value templates.
    Inline(Value),
}

/// `call: agent`, our own function: `with: {agent, prompt | input, system_prompt?, parameters?, output?}`.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentCall {
    /// Template: name, slug or id of the agent.
    pub agent: Value,
    /// Template. `prompt` must yield text; `input` anything. Neither given: the task's transformed input.
    pub prompt: Option<Value>,
    pub system_prompt: Option<Value>,
    pub parameters: Option<Value>,
    pub output: AgentOutput,
}

/// `call: <name in use.functions>`; `with` is an object template, `{}` when absent.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionCall {
    pub function: Arc<str>,
    pub with: Value,
}

/// `run: shell`. Templates unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct ShellRun {
    pub command: Value,
    pub arguments: Vec<Value>,
    pub stdin: Option<Value>,
    pub environment: Option<Value>,
    pub wait_for_end: bool,
    pub returns: ProcessReturn,
    /// What happens to a run whose outcome a crash has swallowed (task `metadata.on_unknown_outcome`).
    pub on_unknown_outcome: UnknownOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnknownOutcome {
    /// Run it again (default).
    #[default]
    Rerun,
    /// Fail the task with a `runtime` error "outcome unknown".
    Fault,
}

/// `run: workflow`.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowRun {
    /// Templates are allowed in all three.
    pub namespace: Value,
    pub name: Value,
    /// `latest` when absent.
    pub version: Value,
    /// Template; the task's transformed input when absent.
    pub input: Option<Value>,
    pub wait_for_end: bool,
    pub returns_nothing: bool,
}
