//! From a definition to a [`Program`].

use super::duration::DurationRule;
use super::expression::{Expression, Template};
use super::program::{Case, DataRule, ForRule, Kind, ListId, Next, Node, NodeId, Program, SchemaRule};
use super::progress;
use super::resource::ResourceRule;
use super::schema::Schema;
use crate::domain::definition::model::{
    DataSpec, Directive, DurationSpec, EvaluationMode, Expression as Text, ExternalSchema, SchemaSpec, Task, TaskKind,
    TimeoutRef, Transform, UriSpec,
};
use crate::domain::definition::{Definition, Problem};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

impl Program {
    /// Compiles every expression, template and schema of a definition.
    ///
    /// # Errors
    /// All problems at once: expressions and schemas that do not compile, references to components that do not exist. A
    /// definition that `domain::definition` has validated has none of them.
    pub fn compile(definition: Arc<Definition>) -> Result<Program, Vec<Problem>> {
        let mut compiler = Compiler::new(Arc::clone(&definition));
        let main = compiler.list(&definition.tasks);
        let input = compiler.data(definition.input.as_ref(), "/input", true);
        let output = compiler.data(definition.output.as_ref(), "/output", false);
        let timeout = compiler.timeout(definition.timeout.as_ref(), "");
        compiler.called_functions();
        if !compiler.problems.is_empty() {
            return Err(compiler.problems);
        }
        let Compiler { nodes, lists, is_bounded, .. } = compiler;
        let nodes: Vec<Node> = nodes.into_iter().flatten().collect();
        let ahead = progress::ahead(&nodes, &lists);
        Ok(Program { definition, nodes, lists, main, input, output, timeout, is_bounded, ahead })
    }
}

/// What a compiled expression is known by: its text and the variables that are visible to it.
type TextAndVariables = (Arc<str>, Vec<Arc<str>>);

pub(super) struct Compiler {
    pub(super) definition: Arc<Definition>,
    /// `None` while the task is being compiled: its children get their numbers after it.
    nodes: Vec<Option<Node>>,
    lists: Vec<Vec<NodeId>>,
    /// The one-task lists of functions that are called somewhere.
    functions: HashMap<Arc<str>, ListId>,
    /// Those of them that are not compiled yet. Each is compiled after its callers and not inside them: a chain of calls may be
    /// longer than a stack is deep.
    waiting: VecDeque<(Arc<str>, ListId)>,
    expressions: HashMap<TextAndVariables, Arc<Expression>>,
    /// The variables that are visible at this place besides the standard ones, outermost first.
    pub(super) locals: Vec<Arc<str>>,
    /// What the pointers of the function that is being compiled start with in the document.
    function_pointer: Option<Arc<str>>,
    is_bounded: bool,
    problems: Vec<Problem>,
}

impl Compiler {
    fn new(definition: Arc<Definition>) -> Self {
        Self {
            definition,
            nodes: Vec::new(),
            lists: Vec::new(),
            functions: HashMap::new(),
            waiting: VecDeque::new(),
            expressions: HashMap::new(),
            locals: Vec::new(),
            function_pointer: None,
            is_bounded: true,
            problems: Vec::new(),
        }
    }

    pub(super) fn list(&mut self, tasks: &[Task]) -> ListId {
        let id = ListId(u32::try_from(self.lists.len()).unwrap_or(u32::MAX));
        let at = self.lists.len();
        self.lists.push(Vec::new());
        let nodes = tasks.iter().map(|task| self.task(task)).collect();
        if let Some(list) = self.lists.get_mut(at) {
            *list = nodes;
        }
        id
    }

    fn task(&mut self, task: &Task) -> NodeId {
        let at = self.nodes.len();
        self.nodes.push(None);
        let place = &*task.pointer;
        let input = self.data(task.input.as_ref(), &format!("{place}/input"), true);
        let output = self.data(task.output.as_ref(), &format!("{place}/output"), false);
        let export = self.data(task.export.as_ref(), &format!("{place}/export"), false);
        let node = Node {
            name: Arc::clone(&task.name),
            escaped: task.name.replace('~', "~0").replace('/', "~1").into(),
            pointer: self.relative(&task.pointer),
            source: Arc::clone(&task.source),
            condition: self.optional(task.condition.as_ref(), place, "if"),
            has_resources: [&input, &output, &export].iter().any(|rule| rule.resource().is_some()),
            input,
            output,
            export,
            timeout: self.timeout(task.timeout.as_ref(), place),
            then: next(&task.then),
            kind: self.kind(task),
        };
        if let Some(slot) = self.nodes.get_mut(at) {
            *slot = Some(node);
        }
        NodeId(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// In a function the pointer from the function's task on, elsewhere the pointer in the document.
    fn relative(&self, pointer: &Arc<str>) -> Arc<str> {
        let function = self.function_pointer.as_deref();
        match function.and_then(|function| pointer.strip_prefix(function)) {
            Some(rest) => rest.into(),
            None => Arc::clone(pointer),
        }
    }

    fn kind(&mut self, task: &Task) -> Kind {
        let place = &*task.pointer;
        match &task.kind {
            TaskKind::Do(tasks) => Kind::Do(self.list(tasks)),
            TaskKind::Set(transform) => Kind::Set(self.transform(transform, &format!("{place}/set"))),
            TaskKind::Switch(cases) => Kind::Switch(
                cases
                    .iter()
                    .map(|case| Case {
                        when: self.optional(case.when.as_ref(), place, "switch"),
                        then: next(&case.then),
                    })
                    .collect(),
            ),
            TaskKind::For(rule) => {
                let collection = self.expression(&rule.collection, &format!("{place}/for/in"));
                let outer = self.locals.len();
                self.bind(&rule.each);
                self.bind(&rule.at);
                let condition = self.optional(rule.condition.as_ref(), place, "while");
                let body = self.list(&rule.body);
                self.locals.truncate(outer);
                let (each, at) = (Arc::clone(&rule.each), Arc::clone(&rule.at));
                Kind::For(Box::new(ForRule { each, at, collection, condition, body }))
            }
            TaskKind::Fork(fork) => {
                let branches = fork.branches.iter().map(|task| self.list(std::slice::from_ref(task))).collect();
                Kind::Fork { branches, compete: fork.compete }
            }
            TaskKind::Try(rule) => Kind::Try(Box::new(self.try_rule(rule, place))),
            TaskKind::Raise(raise) => Kind::Raise(Box::new(self.raise(raise, place))),
            TaskKind::Wait(spec) => Kind::Wait(self.duration(spec, &format!("{place}/wait"))),
            TaskKind::CallHttp(call) => Kind::Http(Box::new(self.http(call, &format!("{place}/with")))),
            TaskKind::CallAgent(call) => Kind::Agent(Box::new(self.agent(call, &format!("{place}/with")))),
            TaskKind::CallFunction(call) => {
                let with = self.template(&call.with, &format!("{place}/with"));
                Kind::Function { body: self.function(&call.function, place), with }
            }
            TaskKind::RunShell(run) => Kind::Shell(Box::new(self.shell(run, &format!("{place}/run/shell")))),
            TaskKind::RunWorkflow(run) => {
                Kind::Workflow(Box::new(self.workflow(run, &format!("{place}/run/workflow"))))
            }
        }
    }

    /// The one-task list of a function. A function sees nothing of its callers' variables, so it is compiled once.
    fn function(&mut self, name: &Arc<str>, place: &str) -> ListId {
        if let Some(known) = self.functions.get(name) {
            return *known;
        }
        if find(&self.definition.components.functions, name).is_none() {
            self.unknown::<()>("function", name, &format!("{place}/call"));
            return ListId(u32::MAX);
        }
        let id = ListId(u32::try_from(self.lists.len()).unwrap_or(u32::MAX));
        self.lists.push(Vec::new());
        self.functions.insert(Arc::clone(name), id);
        self.waiting.push_back((Arc::clone(name), id));
        id
    }

    /// Compiles the functions that are called, and those that they call.
    fn called_functions(&mut self) {
        let definition = Arc::clone(&self.definition);
        while let Some((name, id)) = self.waiting.pop_front() {
            let Some(task) = find(&definition.components.functions, &name) else { continue };
            self.function_pointer = Some(Arc::clone(&task.pointer));
            let node = self.task(task);
            // The directive of a function's task is ignored (Serverless Workflow DSL 1.0.3, "Custom functions").
            let number = usize::try_from(node.0).unwrap_or(usize::MAX);
            if let Some(node) = self.nodes.get_mut(number).and_then(Option::as_mut) {
                node.then = Next::Continue;
            }
            if let Some(list) = usize::try_from(id.0).ok().and_then(|at| self.lists.get_mut(at)) {
                list.push(node);
            }
        }
        self.function_pointer = None;
    }

    pub(super) fn bind(&mut self, name: &Arc<str>) {
        self.locals.push(Arc::clone(name));
    }

    /// `input` transforms after its check, `output` and `export` before; the rule is the same either way.
    fn data(&mut self, spec: Option<&DataSpec>, place: &str, is_input: bool) -> DataRule {
        let Some(spec) = spec else { return DataRule::default() };
        let schema = spec.schema.as_ref().and_then(|schema| self.schema(schema, place));
        let field = if is_input { "from" } else { "as" };
        let transform = spec.transform.as_ref().map(|transform| self.transform(transform, &format!("{place}/{field}")));
        let reads = |is_wanted: &dyn Fn(&Expression) -> bool| transform.as_ref().is_some_and(|it| it.any(is_wanted));
        let transform_reads_secrets = reads(&Expression::reads_secrets);
        let transform_reads_authorization =
            reads(&|expression| expression.variables().iter().any(|name| **name == *"authorization"));
        DataRule { schema, transform, transform_reads_secrets, transform_reads_authorization }
    }

    fn schema(&mut self, schema: &SchemaSpec, place: &str) -> Option<SchemaRule> {
        let external = match schema {
            SchemaSpec::External(external) => external,
            SchemaSpec::Inline(document) => {
                return Schema::compile(document)
                    .map(SchemaRule::Inline)
                    .map_err(|message| {
                        self.problems.push(Problem::error(
                            "invalid_schema",
                            format!("{place}/schema/document"),
                            message,
                        ))
                    })
                    .ok();
            }
        };
        let ExternalSchema { endpoint, dialect } = &**external;
        let (uri, authentication) = self.endpoint(endpoint, &format!("{place}/schema/resource/endpoint"));
        let key = match &endpoint.uri {
            UriSpec::Template(address) if !address.contains('{') => {
                Some(format!("{address} {:?} {dialect:?}", endpoint.authentication).into())
            }
            UriSpec::Template(_) | UriSpec::Expression(_) => None,
        };
        Some(SchemaRule::External(Box::new(ResourceRule { uri, authentication, dialect: *dialect, key })))
    }

    fn transform(&mut self, transform: &Transform, place: &str) -> Template {
        match transform {
            Transform::Expression(text) => Template::Expression(self.expression(text, place)),
            Transform::Template(value) => self.template(value, place),
        }
    }

    fn timeout(&mut self, timeout: Option<&TimeoutRef>, place: &str) -> Option<DurationRule> {
        let place = format!("{place}/timeout");
        match timeout? {
            TimeoutRef::After(spec) => Some(self.duration(spec, &place)),
            TimeoutRef::Named(name) => {
                let definition = Arc::clone(&self.definition);
                match find(&definition.components.timeouts, name) {
                    Some(spec) => Some(self.duration(spec, &format!("/use/timeouts/{name}"))),
                    None => self.unknown("timeout", name, &place),
                }
            }
        }
    }

    pub(super) fn duration(&mut self, spec: &DurationSpec, place: &str) -> DurationRule {
        match spec {
            DurationSpec::Literal(duration) => DurationRule::Literal(*duration),
            DurationSpec::Expression(text) => DurationRule::Expression(self.expression(text, place)),
        }
    }

    pub(super) fn optional(&mut self, text: Option<&Text>, place: &str, field: &str) -> Option<Arc<Expression>> {
        text.map(|text| self.expression(text, &format!("{place}/{field}")))
    }

    pub(super) fn optional_template(&mut self, value: Option<&Value>, place: &str) -> Option<Template> {
        value.map(|value| self.template(value, place))
    }

    pub(super) fn template(&mut self, value: &Value, place: &str) -> Template {
        let is_loose = self.definition.mode == EvaluationMode::Loose;
        Template::compile(value, is_loose, &mut |text, is_tried| {
            if is_tried {
                return self.compiled(text).ok();
            }
            Some(self.expression(&Text(text.into()), place))
        })
    }

    pub(super) fn expression(&mut self, text: &Text, place: &str) -> Arc<Expression> {
        self.compiled(&text.0).unwrap_or_else(|message| {
            self.problems.push(Problem::error("invalid_expression", place, message));
            Arc::new(Expression::identity())
        })
    }

    fn compiled(&mut self, text: &str) -> Result<Arc<Expression>, String> {
        let key = (Arc::from(text), self.locals.clone());
        if let Some(known) = self.expressions.get(&key) {
            return Ok(Arc::clone(known));
        }
        let expression = Arc::new(Expression::compile(text, &self.locals)?);
        self.is_bounded &= expression.is_bounded();
        self.expressions.insert(key, Arc::clone(&expression));
        Ok(expression)
    }

    /// Reports a reference to a component that does not exist.
    pub(super) fn unknown<T>(&mut self, what: &str, name: &str, place: &str) -> Option<T> {
        self.problems.push(Problem::error("unknown_reference", place, format!("there is no {what} '{name}' in 'use'")));
        None
    }
}

pub(super) fn find<'a, T>(components: &'a [(Arc<str>, T)], name: &str) -> Option<&'a T> {
    components.iter().find(|(known, _)| **known == *name).map(|(_, component)| component)
}

pub(super) fn next(directive: &Directive) -> Next {
    match directive {
        Directive::Continue => Next::Continue,
        Directive::Exit => Next::Exit,
        Directive::End => Next::End,
        Directive::Task(name) => Next::Task(Arc::clone(name)),
    }
}
