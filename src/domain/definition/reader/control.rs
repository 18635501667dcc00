//! The tasks that direct the flow: `set`, `switch`, `for`, `fork`, `try`, `raise`.

use super::task::Targets;
use super::value::Place;
use super::workflow::is_empty;
use super::{Fields, Reader, Scope, Site};
use crate::domain::definition::document::Content;
use crate::domain::definition::expression::STANDARD_VARIABLES;
use crate::domain::definition::model::{
    Catch, ErrorField, Expression, ForLoop, Fork, RaiseError, SwitchCase, TaskKind, Transform, Try,
};
use serde_json::Value;
use std::sync::Arc;

impl<'d> Reader<'d> {
    pub(super) fn set(&mut self, site: &Site<'d>, scope: &Scope) -> Option<TaskKind> {
        let transform = self.transform(site, "set", scope, Place::TaskDefinition)?;
        if matches!(transform, Transform::Template(_)) && is_empty(site.node) {
            self.problem(site.error("empty", "'set' needs at least one property"));
            return None;
        }
        Some(TaskKind::Set(transform))
    }

    pub(super) fn switch(&mut self, site: &Site<'d>, scope: &Scope, targets: &Targets<'d>) -> Option<TaskKind> {
        let items = self.named_items(site, "switch")?;
        if is_empty(site.node) {
            self.problem(site.error("empty", "'switch' needs at least one case"));
        }
        let mut cases = Vec::new();
        let mut default_name: Option<&str> = None;
        for (site, name, mark) in items {
            let what = format!("the case '{name}'");
            let Some(fields) = self.fields(&site, &what, &["when", "then"]) else { continue };
            if !fields.has("when") {
                if let Some(first) = default_name {
                    let message = format!("'{name}' is a second default case besides '{first}': neither has a 'when'");
                    self.problem(site.error("duplicate_default_case", message).at(mark));
                }
                default_name.get_or_insert(name);
            }
            let when = self.optional_expression(fields.get("when"), "'when' of a case", scope, Place::TaskDefinition);
            let then = self.required(&fields, &what, "then").and_then(|site| self.directive(&site, targets));
            cases.extend(then.map(|then| SwitchCase { name: name.into(), when, then }));
        }
        Some(TaskKind::Switch(cases))
    }

    pub(super) fn for_loop(&mut self, task: &Fields<'d>, site: &Site<'d>, scope: &Scope) -> Option<TaskKind> {
        let fields = self.fields(site, "for", &["each", "in", "at"])?;
        let collection = self.required(&fields, "for", "in").and_then(|site| self.collection(&site, scope));
        let each = self.variable(fields.get("each"), "for.each", "item");
        let at = self.variable(fields.get("at"), "for.at", "index");
        if let (Some(each), Some(at)) = (&each, &at)
            && each == at
        {
            let message = format!("'each' and 'at' are both named '{each}'");
            self.problem(site.error("duplicate_variable", message));
        }
        let inner = scope.with(&each.iter().chain(&at).collect::<Vec<_>>());
        let condition = self.optional_expression(task.get("while"), "'while'", &inner, Place::TaskDefinition);
        let body = self
            .required(task, "a 'for' task", "do")
            .and_then(|site| self.task_list(&site, "do", &inner, Targets::List));
        Some(TaskKind::For(ForLoop { each: each?, at: at?, collection: collection?, condition, body: body? }))
    }

    /// `for.in`: an expression; also a literal list, which is accepted ahead of the next version of the DSL.
    fn collection(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Expression> {
        if !matches!(site.node.content, Content::List(_)) {
            return self.expression(site, "for.in", scope, Place::TaskDefinition);
        }
        let value = site.node.to_value();
        if holds_expression(&value) {
            let problem = site.error("invalid_value", "a literal list in for.in cannot hold expressions");
            self.problem(problem.suggest("make the whole list one expression: '${ [ … ] }'"));
            return None;
        }
        Some(Expression(value.to_string().into()))
    }

    /// The name of a local variable; a leading `$` is accepted and dropped.
    pub(super) fn variable(&mut self, site: Option<Site<'d>>, what: &str, default: &str) -> Option<Arc<str>> {
        let Some(site) = site else { return Some(default.into()) };
        let text = self.text(&site, what)?;
        let name = text.strip_prefix('$').unwrap_or(text);
        let is_identifier = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_identifier {
            let problem = site.error("invalid_variable", format!("{what} cannot be named '{text}'"));
            self.problem(problem.suggest("use letters, digits and '_', and no digit at the start"));
            return None;
        }
        if STANDARD_VARIABLES.contains(&name) || matches!(name, "__loc__" | "ENV") {
            let message = format!("{what} cannot be named '{name}': ${name} is a standard variable");
            self.problem(site.error("reserved_variable", message));
            return None;
        }
        Some(name.into())
    }

    pub(super) fn fork(&mut self, site: &Site<'d>, scope: &Scope) -> Option<TaskKind> {
        let fields = self.fields(site, "fork", &["branches", "compete"])?;
        let branches = self
            .required(&fields, "fork", "branches")
            .and_then(|site| self.task_list(&site, "fork.branches", scope, Targets::Branch));
        let compete = fields.get("compete").and_then(|site| self.boolean(&site, "fork.compete")).unwrap_or(false);
        Some(TaskKind::Fork(Fork { branches: branches?, compete }))
    }

    pub(super) fn try_block(
        &mut self,
        task: &Fields<'d>,
        site: &Site<'d>,
        scope: &Scope,
        targets: &Targets<'d>,
    ) -> Option<TaskKind> {
        let body = self.task_list(site, "try", scope, Targets::List);
        let catch = self.required(task, "a 'try' task", "catch").and_then(|site| self.catch(&site, scope, targets));
        Some(TaskKind::Try(Box::new(Try { body: body?, catch: catch? })))
    }

    fn catch(&mut self, site: &Site<'d>, scope: &Scope, targets: &Targets<'d>) -> Option<Catch> {
        let known = ["errors", "as", "when", "exceptWhen", "retry", "do", "then"];
        let fields = self.fields(site, "catch", &known)?;
        let errors = fields.get("errors").map(|site| self.error_filter(&site)).unwrap_or_default();
        let variable = self.variable(fields.get("as"), "catch.as", "error");
        let inner = scope.with(&variable.iter().collect::<Vec<_>>());
        let place = Place::TaskDefinition;
        let when = self.optional_expression(fields.get("when"), "catch.when", &inner, place);
        let except_when = self.optional_expression(fields.get("exceptWhen"), "catch.exceptWhen", &inner, place);
        let retry = fields.get("retry").and_then(|site| self.retry(&site, &inner));
        let handler = fields.get("do").and_then(|site| self.task_list(&site, "catch.do", &inner, Targets::List));
        let then = fields.get("then").and_then(|site| self.directive(&site, targets));
        Some(Catch { errors, variable: variable?, when, except_when, retry, handler, then })
    }

    /// `catch.errors`: literal values that must all be equal to those of the error.
    fn error_filter(&mut self, site: &Site<'d>) -> Vec<(ErrorField, Value)> {
        let fields = self.fields(site, "catch.errors", &["with"]);
        let Some(with) = fields.and_then(|fields| fields.get("with")) else { return Vec::new() };
        let keys = [
            ("type", ErrorField::Type),
            ("status", ErrorField::Status),
            ("instance", ErrorField::Instance),
            ("title", ErrorField::Title),
            ("detail", ErrorField::Detail),
            ("details", ErrorField::Detail),
        ];
        let known = keys.map(|(key, _)| key);
        let Some(fields) = self.fields(&with, "catch.errors.with", &known) else { return Vec::new() };
        if fields.entries.is_empty() {
            let problem = with.error("empty", "catch.errors.with needs at least one property");
            self.problem(problem.suggest("leave 'errors' out to catch every error"));
        }
        let mut filter = Vec::new();
        for (key, field) in keys {
            let Some(site) = fields.get(key) else { continue };
            let what = format!("catch.errors.with.{key}");
            let fits = match field {
                ErrorField::Status => self.count(&site, &what).is_some(),
                ErrorField::Type | ErrorField::Instance | ErrorField::Title | ErrorField::Detail => {
                    self.literal(&site, &what).is_some()
                }
            };
            if fits {
                filter.push((field, site.node.to_value()));
            }
        }
        filter
    }

    /// A text that is never evaluated; one that looks like an expression gets a warning.
    pub(super) fn literal(&mut self, site: &Site<'d>, what: &str) -> Option<&'d str> {
        let text = self.text(site, what)?;
        if Expression::wrapped(text).is_some() {
            let message = format!("{what} is never evaluated; '{text}' is taken literally");
            self.problem(site.warning("literal_expression", message));
        }
        Some(text)
    }

    pub(super) fn raise(&mut self, site: &Site<'d>, scope: &Scope) -> Option<TaskKind> {
        let fields = self.fields(site, "raise", &["error"])?;
        let error = self.required(&fields, "raise", "error")?;
        let raised = match error.node.text() {
            Some(name) => {
                let declared = self.names.errors.clone();
                self.reference(&error, name, "errors", &declared).then(|| RaiseError::Named(name.into()))
            }
            None => self.error_spec(&error, scope).map(|error| RaiseError::Inline(Box::new(error))),
        };
        raised.map(TaskKind::Raise)
    }
}

fn holds_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => Expression::wrapped(text).is_some(),
        Value::Array(items) => items.iter().any(holds_expression),
        Value::Object(map) => map.values().any(holds_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
