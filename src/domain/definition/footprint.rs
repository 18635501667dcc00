//! What the executions of a definition may touch, found by reading it: hosts, commands, agents, other workflows.
//!
//! Nothing is evaluated. What is computed while an execution runs is shown as the expression that computes it, and how often
//! a loop turns is known only where its items are written down. Called by `actors::preflight`.

use super::model::*;
use serde_json::Value;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// One thing that a task may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// JSON pointer to the task; empty for the input and output of the whole.
    pub task: Arc<str>,
    pub what: Touched,
    /// How often one execution does it at most, repetitions after a crash aside; `None` when nothing bounds it.
    pub at_most: Option<u64>,
}

/// What is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// An HTTP request.
    Request(Subject),
    /// A schema that is fetched.
    Schema(Subject),
    /// A server that is asked for an access token.
    Token(Subject),
    /// A command.
    Program(Subject),
    Agent(Subject),
    Workflow {
        namespace: Subject,
        name: Subject,
        version: Subject,
    },
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// As it stands in the definition.
    Written(String),
    /// What it is computed from.
    Computed(String),
}

/// Everything that an execution of the definition may touch, in the order of the text. What is only reached through a workflow
/// that it runs is not among it.
pub fn footprint(definition: &Definition) -> Vec<Touch> {
    let mut walk = Walk { definition, touches: Vec::new(), calls: Vec::new() };
    let whole = Place { times: Some(1), caller: None };
    for data in [&definition.input, &definition.output].into_iter().flatten() {
        walk.data(data, &Arc::from(""), Some(1));
    }
    walk.list(&definition.tasks, &whole);
    walk.touches
}

struct Walk<'d> {
    definition: &'d Definition,
    touches: Vec<Touch>,
    /// The functions that the walk is inside of, and whether they call themselves.
    calls: Vec<(&'d str, bool)>,
}

/// Where a walk is.
#[derive(Clone)]
struct Place {
    /// How often an execution comes here.
    times: Option<u64>,
    /// Inside a function: the task that calls it.
    caller: Option<Arc<str>>,
}

impl Place {
    fn repeated(&self, times: Option<u64>) -> Self {
        let times = self.times.zip(times).map(|(outer, inner)| outer.saturating_mul(inner));
        Self { times, caller: self.caller.clone() }
    }
}

impl<'d> Walk<'d> {
    fn list(&mut self, tasks: &'d TaskList, place: &Place) {
        let turns = turns(tasks);
        for (index, task) in tasks.iter().enumerate() {
            if turns.iter().any(|turn| turn.contains(&index)) {
                self.task(task, &place.repeated(None));
            } else {
                self.task(task, place);
            }
        }
    }

    fn task(&mut self, task: &'d Task, place: &Place) {
        let at = place.caller.clone().unwrap_or_else(|| Arc::clone(&task.pointer));
        for data in [&task.input, &task.output, &task.export].into_iter().flatten() {
            self.data(data, &at, place.times);
        }
        match &task.kind {
            TaskKind::Set(_) | TaskKind::Switch(_) | TaskKind::Raise(_) | TaskKind::Wait(_) => {}
            TaskKind::Do(tasks) => self.list(tasks, place),
            TaskKind::For(each) => self.list(&each.body, &place.repeated(length(&each.collection))),
            TaskKind::Fork(fork) => fork.branches.iter().for_each(|branch| self.task(branch, place)),
            TaskKind::Try(attempt) => {
                let attempts = self.attempts(attempt.catch.retry.as_ref());
                self.list(&attempt.body, &place.repeated(attempts));
                if let Some(handler) = &attempt.catch.handler {
                    self.list(handler, place);
                }
            }
            TaskKind::CallHttp(call) => self.endpoint(&call.endpoint, &at, place.times, Touched::Request),
            TaskKind::CallAgent(call) => self.push(&at, Touched::Agent(subject(&call.agent)), place.times),
            TaskKind::CallFunction(call) => self.function(&call.function, &at, place.times),
            TaskKind::RunShell(run) => self.push(&at, Touched::Program(subject(&run.command)), place.times),
            TaskKind::RunWorkflow(run) => {
                let (namespace, name) = (subject(&run.namespace), subject(&run.name));
                let child = Touched::Workflow { namespace, name, version: subject(&run.version) };
                self.push(&at, child, place.times);
            }
        }
    }

    fn push(&mut self, at: &Arc<str>, what: Touched, at_most: Option<u64>) {
        self.touches.push(Touch { task: Arc::clone(at), what, at_most });
    }

    fn data(&mut self, data: &'d DataSpec, at: &Arc<str>, times: Option<u64>) {
        match &data.schema {
            Some(SchemaSpec::External(schema)) => self.endpoint(&schema.endpoint, at, times, Touched::Schema),
            Some(SchemaSpec::Inline(_)) | None => {}
        }
    }

    fn endpoint(&mut self, endpoint: &'d Endpoint, at: &Arc<str>, times: Option<u64>, what: fn(Subject) -> Touched) {
        let uri = match &endpoint.uri {
            UriSpec::Expression(expression) => Subject::Computed(expression.text().to_owned()),
            UriSpec::Template(text) if text.contains('{') => Subject::Computed(text.to_string()),
            UriSpec::Template(text) => Subject::Written(text.to_string()),
        };
        self.push(at, what(uri), times);
        let definition = self.definition;
        let policy = match &endpoint.authentication {
            None => None,
            Some(AuthenticationRef::Inline(policy)) => Some(policy),
            Some(AuthenticationRef::Named(name)) => {
                let mut known = definition.components.authentications.iter();
                known.find(|(known, _)| known == name).map(|(_, policy)| policy)
            }
        };
        let authority =
            policy.and_then(|policy| ["oauth2", "oidc"].iter().find_map(|kind| policy.get(kind)?.get("authority")));
        if let Some(authority) = authority {
            self.push(at, Touched::Token(subject(authority)), times);
        }
    }

    /// What a function touches is touched by who calls it.
    fn function(&mut self, name: &'d str, at: &Arc<str>, times: Option<u64>) {
        if let Some((_, calls_itself)) = self.calls.iter_mut().find(|(known, _)| *known == name) {
            *calls_itself = true;
            return;
        }
        let definition = self.definition;
        let Some((_, body)) = definition.components.functions.iter().find(|(known, _)| **known == *name) else {
            return;
        };
        let begin = self.touches.len();
        self.calls.push((name, false));
        self.task(body, &Place { times, caller: Some(Arc::clone(at)) });
        if self.calls.pop().is_some_and(|(_, calls_itself)| calls_itself) {
            self.touches.iter_mut().skip(begin).for_each(|touch| touch.at_most = None);
        }
    }

    /// How often the body of a `try` runs.
    fn attempts(&self, retry: Option<&RetryRef>) -> Option<u64> {
        let policy = match retry {
            None => return Some(1),
            Some(RetryRef::Inline(policy)) => Some(policy),
            Some(RetryRef::Named(name)) => {
                let mut known = self.definition.components.retries.iter();
                known.find(|(known, _)| known == name).map(|(_, policy)| policy)
            }
        };
        policy?.limit_count.map(|count| count.saturating_add(1))
    }
}

/// The stretches of a list that one of its tasks may send the flow back over.
fn turns(tasks: &TaskList) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        let mut directives = vec![&task.then];
        match &task.kind {
            TaskKind::Switch(cases) => directives.extend(cases.iter().map(|case| &case.then)),
            TaskKind::Try(attempt) => directives.extend(attempt.catch.then.as_ref()),
            TaskKind::Do(_)
            | TaskKind::Set(_)
            | TaskKind::For(_)
            | TaskKind::Fork(_)
            | TaskKind::Raise(_)
            | TaskKind::Wait(_)
            | TaskKind::CallHttp(_)
            | TaskKind::CallAgent(_)
            | TaskKind::CallFunction(_)
            | TaskKind::RunShell(_)
            | TaskKind::RunWorkflow(_) => {}
        }
        for directive in directives {
            if let Directive::Task(name) = directive
                && let Some(target) = tasks.iter().position(|task| task.name == *name)
                && target <= index
            {
                found.push(target..=index);
            }
        }
    }
    found
}

/// How many items a loop has, when they are written down.
fn length(collection: &Expression) -> Option<u64> {
    let items: Vec<Value> = serde_json::from_str(collection.text()).ok()?;
    u64::try_from(items.len()).ok()
}

fn subject(template: &Value) -> Subject {
    match template {
        Value::String(text) => match Expression::wrapped(text) {
            Some(expression) => Subject::Computed(expression.text().to_owned()),
            None if text.contains("${") => Subject::Computed(text.clone()),
            None => Subject::Written(text.clone()),
        },
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Subject::Computed(other.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// Each touch as `pointer kind subject times`.
    fn touches(body: &str) -> Vec<String> {
        let text = format!("document: {{ dsl: 1.0.3, namespace: n, name: w, version: 1.0.0 }}\n{body}");
        let show = |subject: &Subject| match subject {
            Subject::Written(text) => text.clone(),
            Subject::Computed(text) => format!("<{text}>"),
        };
        let line = |touch: Touch| {
            let what = match &touch.what {
                Touched::Request(subject) => format!("request {}", show(subject)),
                Touched::Schema(subject) => format!("schema {}", show(subject)),
                Touched::Token(subject) => format!("token {}", show(subject)),
                Touched::Program(subject) => format!("program {}", show(subject)),
                Touched::Agent(subject) => format!("agent {}", show(subject)),
                Touched::Workflow { namespace, name, version } => {
                    format!("workflow {}/{}:{}", show(namespace), show(name), show(version))
                }
            };
            let times = touch.at_most.map_or_else(|| "any".to_owned(), |times| times.to_string());
            format!("{} {what} {times}", touch.task)
        };
        footprint(&parse(&text).expect("a definition")).into_iter().map(line).collect()
    }

    #[test]
    fn every_kind_of_thing_is_found_where_it_is() {
        let found = touches(
            "
use:
  authentications: { door: { oauth2: { authority: 'https://id.example.com', grant: client_credentials, client: { id: a, secret: b } } } }
do:
  - get: { call: http, with: { method: get, endpoint: { uri: 'https://api.example.com/a', authentication: { use: door } } } }
  - look: { call: http, with: { method: get, endpoint: 'https://{host}/a' } }
  - ask: { call: agent, with: { agent: '${ .who }', prompt: hi } }
  - run: { run: { shell: { command: ls } } }
  - child: { run: { workflow: { namespace: n, name: other, version: 2.0.0 } } }
",
        );
        let expected = [
            "/do/0/get request https://api.example.com/a 1",
            "/do/0/get token https://id.example.com 1",
            "/do/1/look request <https://{host}/a> 1",
            "/do/2/ask agent <.who> 1",
            "/do/3/run program ls 1",
            "/do/4/child workflow n/other:2.0.0 1",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn loops_retries_and_functions_multiply() {
        let found = touches(
            "
use:
  functions: { ping: { run: { shell: { command: ping } } } }
do:
  - three:
      for: { in: '[1, 2, 3]' }
      do:
        - safe:
            try: [ { a: { call: ping } } ]
            catch: { retry: { limit: { attempt: { count: 4 } } }, do: [ { b: { call: ping } } ] }
  - some: { for: { in: .items }, do: [ { c: { call: ping } } ] }
  - once: { call: ping }
",
        );
        let expected = [
            "/do/0/three/do/0/safe/try/0/a program ping 15",
            "/do/0/three/do/0/safe/catch/do/0/b program ping 3",
            "/do/1/some/do/0/c program ping any",
            "/do/2/once program ping 1",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_directive_leads_back_to_has_no_bound() {
        let found = touches(
            "
do:
  - before: { run: { shell: { command: a } } }
  - again: { run: { shell: { command: b } } }
  - decide: { switch: [ { more: { when: .more, then: again } }, { done: { then: continue } } ] }
  - after: { run: { shell: { command: c } } }
",
        );
        assert_eq!(found, ["/do/0/before program a 1", "/do/1/again program b any", "/do/3/after program c 1"]);
    }

    #[test]
    fn a_function_that_calls_itself_has_no_bound() {
        let found = touches(
            "
use:
  functions:
    round: { do: [ { work: { run: { shell: { command: w } } } }, { more: { if: .more, call: round } } ] }
do: [ { first: { call: round } } ]
",
        );
        assert!(found.iter().all(|line| line.ends_with("program w any")) && !found.is_empty(), "{found:?}");
    }
}
