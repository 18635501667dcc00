//! What an expression sees from where it stands: context, local variables, the task it belongs to.

use super::expression::{Evaluator, Expression, Template};
use super::input::Moment;
use super::program::{DataRule, Node, Program};
use super::state::{Shared, State};
use crate::domain::{Failure, Pointer, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// The surroundings of a list or a task. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) program: &'a Program,
    pub(super) state: &'a State,
    pub(super) moment: Moment,
    pub(super) evaluator: &'a dyn Evaluator,
    /// The context of the innermost fork branch, otherwise that of the execution.
    pub(super) context: &'a Shared,
    pub(super) locals: Option<&'a Local<'a>>,
    /// In the body of a function: the pointer of the calling task.
    pub(super) caller: Option<&'a Pointer>,
    /// How many function calls are around this place.
    pub(super) calls: usize,
    /// How many started tasks are around this place.
    pub(super) depth: usize,
}

/// A variable of a `for` or a `catch`, and those around it.
pub(super) struct Local<'a> {
    pub(super) name: &'a str,
    pub(super) value: LocalValue<'a>,
    pub(super) outer: Option<&'a Local<'a>>,
}

#[derive(Clone, Copy)]
pub(super) enum LocalValue<'a> {
    Item(&'a Value),
    Index(usize),
    Error(&'a Failure),
}

/// The task that an expression belongs to, as far as it has come.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) node: &'a Node,
    pub(super) pointer: &'a str,
    pub(super) started_at: Timestamp,
    pub(super) raw_input: &'a Shared,
    pub(super) input: Option<&'a Shared>,
    pub(super) raw_output: Option<&'a Shared>,
    pub(super) output: Option<&'a Shared>,
    pub(super) authorization: Option<&'a Shared>,
}

impl<'a> Scope<'a> {
    /// The scope of the main list.
    pub(super) fn new(program: &'a Program, state: &'a State, moment: Moment, evaluator: &'a dyn Evaluator) -> Self {
        let context = &state.context;
        Self { program, state, moment, evaluator, context, locals: None, caller: None, calls: 0, depth: 0 }
    }

    /// The pointer of a task at this place.
    pub(super) fn pointer(&self, node: &Node) -> Pointer {
        match self.caller {
            None => Arc::clone(&node.pointer),
            Some(caller) => [&**caller, &*node.pointer].concat().into(),
        }
    }

    /// Evaluates an expression with `.` = `input`.
    ///
    /// # Errors
    /// An `expression` failure, or an `authorization` failure when it reads a secret that is not available. Both without `instance`.
    pub(super) fn evaluate(
        &self,
        expression: &Expression,
        input: &Value,
        view: Option<&View<'_>>,
    ) -> Result<Value, Failure> {
        let secrets = self.secrets_for(expression)?;
        let variable = |name: &Arc<str>| match (&**name, &secrets) {
            ("secrets" | "secret", Some(secrets)) => Arc::clone(secrets),
            (name, _) => self.variable(name, view),
        };
        let variables: Vec<Shared> = expression.variables().iter().map(variable).collect();
        let result = self.evaluator.evaluate(expression, input, &variables, self.moment.at);
        result.map_err(|failure| self.explained(failure, expression, view))
    }

    /// Evaluates a condition with jq's notion of truth: everything but `false` and `null`.
    pub(super) fn is_true(
        &self,
        expression: &Expression,
        input: &Value,
        view: Option<&View<'_>>,
    ) -> Result<bool, Failure> {
        let value = self.evaluate(expression, input, view)?;
        Ok(!matches!(value, Value::Null | Value::Bool(false)))
    }

    pub(super) fn template(
        &self,
        template: &Template,
        input: &Value,
        view: Option<&View<'_>>,
    ) -> Result<Value, Failure> {
        template.evaluate(&|expression| self.evaluate(expression, input, view))
    }

    /// Checks the schema of a rule, then applies its transformation; `None` when it has none. An external schema is checked when
    /// it has been fetched, see [`super::resource`].
    pub(super) fn checked_then_transformed(
        &self,
        rule: &DataRule,
        value: &Value,
        view: Option<&View<'_>>,
    ) -> Result<Option<Value>, Failure> {
        if let Some(schema) = rule.inline() {
            schema.check(value, "input")?;
        }
        rule.transform.as_ref().map(|transform| self.template(transform, value, view)).transpose()
    }

    /// Applies the transformation of a rule.
    pub(super) fn transformed(
        &self,
        rule: &DataRule,
        value: &Shared,
        view: Option<&View<'_>>,
    ) -> Result<Shared, Failure> {
        match &rule.transform {
            Some(transform) => self.template(transform, value, view).map(Arc::new),
            None => Ok(Arc::clone(value)),
        }
    }

    fn variable(&self, name: &str, view: Option<&View<'_>>) -> Shared {
        let mut local = self.locals;
        while let Some(found) = local {
            if found.name == name {
                return Arc::new(match found.value {
                    LocalValue::Item(item) => item.clone(),
                    LocalValue::Index(index) => Value::from(index),
                    LocalValue::Error(error) => error.to_expression_value(),
                });
            }
            local = found.outer;
        }
        let shared = |value: Option<&Shared>| value.map_or_else(|| Arc::new(Value::Null), Arc::clone);
        match name {
            "context" => Arc::clone(self.context),
            "input" => shared(view.and_then(|view| view.input)),
            "output" => shared(view.and_then(|view| view.output)),
            "authorization" => shared(view.and_then(|view| view.authorization)),
            "task" => Arc::new(view.map_or(Value::Null, task_descriptor)),
            "workflow" => Arc::new(self.workflow_descriptor()),
            "runtime" => Arc::new(json!({"name": "callboard", "version": env!("CARGO_PKG_VERSION"), "metadata": {}})),
            _ => Arc::new(Value::Null),
        }
    }

    fn workflow_descriptor(&self) -> Value {
        json!({
            "id": self.state.id.to_string(),
            "definition": *self.program.definition.source,
            "input": *self.state.raw_input,
            "startedAt": instant(self.state.started_at.unwrap_or(self.moment.at)),
        })
    }
}

fn task_descriptor(view: &View<'_>) -> Value {
    json!({
        "name": *view.node.name,
        "reference": view.pointer,
        "definition": *view.node.source,
        "input": **view.raw_input,
        "output": view.raw_output.map_or(Value::Null, |output| Value::clone(output)),
        "startedAt": instant(view.started_at),
    })
}

/// An instant as the DSL describes it: `epoch.milliseconds` is the full timestamp, not the rest behind the seconds.
fn instant(at: Timestamp) -> Value {
    let milliseconds = at.as_millis();
    json!({
        "iso8601": at.to_string(),
        "epoch": {"seconds": milliseconds.div_euclid(1_000), "milliseconds": milliseconds},
    })
}
