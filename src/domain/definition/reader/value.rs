//! Expressions, value templates, transformations and schemas, with what is checked about them.

use super::{Reader, Scope, Site};
use crate::domain::definition::document::{Content, Node};
use crate::domain::definition::expression::{embeds_expression, looks_bare};
use crate::domain::definition::model::{
    DataSpec, Endpoint, EvaluationMode, Expression, ExternalSchema, SchemaSpec, Transform,
};
use crate::domain::definition::schema;
use crate::domain::definition::variables::variables;
use serde_json::Value;
use std::sync::Arc;

/// Where an expression stands, which decides about the variables that have a value (DSL 1.0.3, "Runtime expression
/// arguments").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    WorkflowInput,
    WorkflowOutput,
    /// `if` and `input.from` of a task.
    TaskInput,
    /// Everything inside the definition of a task.
    TaskDefinition,
    TaskOutput,
    TaskExport,
}

impl Place {
    /// The standard variables that have a value here.
    const fn available(self) -> &'static [&'static str] {
        match self {
            Self::WorkflowInput => &["secrets", "secret", "workflow", "runtime"],
            Self::WorkflowOutput => &["context", "secrets", "secret", "workflow", "runtime"],
            Self::TaskInput => &["context", "secrets", "secret", "task", "workflow", "runtime"],
            Self::TaskDefinition | Self::TaskOutput => {
                &["context", "input", "secrets", "secret", "task", "workflow", "runtime", "authorization"]
            }
            Self::TaskExport => {
                &["context", "input", "output", "secrets", "secret", "task", "workflow", "runtime", "authorization"]
            }
        }
    }
}

/// What kind of text a template's leaves are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    Data,
    /// Shell text, in which `$NAME` and `${NAME}` are the shell's.
    Shell,
    /// A program in any language, which may have `${ … }` of its own.
    Program,
}

impl<'d> Reader<'d> {
    /// A field that always holds an expression.
    pub(super) fn expression(
        &mut self,
        site: &Site<'d>,
        what: &str,
        scope: &Scope,
        place: Place,
    ) -> Option<Expression> {
        let text = self.text(site, what)?;
        let expression = Expression::bare_or_wrapped(text);
        self.check_expression(site, &expression, scope, place);
        Some(expression)
    }

    pub(super) fn optional_expression(
        &mut self,
        site: Option<Site<'d>>,
        what: &str,
        scope: &Scope,
        place: Place,
    ) -> Option<Expression> {
        site.and_then(|site| self.expression(&site, what, scope, place))
    }

    fn check_expression(&mut self, site: &Site<'d>, expression: &Expression, scope: &Scope, place: Place) {
        if expression.text().is_empty() || expression.text() == "${}" {
            let problem = site.error("invalid_expression", "the expression is empty");
            self.problem(problem.suggest("write '.' for the whole value"));
            return;
        }
        if let Err(why) = self.check.check(expression, &scope.locals) {
            self.problem(
                site.error("invalid_expression", format!("'{}' is no valid expression: {why}", expression.text())),
            );
            return;
        }
        for used in variables(expression.text()) {
            let is_local = scope.locals.iter().any(|local| **local == *used.name);
            if is_local || !super::super::expression::STANDARD_VARIABLES.contains(&used.name) {
                continue;
            }
            if !place.available().contains(&used.name) {
                let message = format!("${} has no value here: it is always null in this place", used.name);
                self.problem(site.warning("unavailable_variable", message));
            }
            if matches!(used.name, "secrets" | "secret")
                && let Some(secret) = used.property.filter(|secret| !self.names.secrets.contains(secret))
            {
                let message = format!("the secret '{secret}' is not listed in use.secrets, so reading it is refused");
                let problem = site.warning("unlisted_secret", message);
                self.problem(problem.suggest(format!("add '{secret}' to the list use.secrets")));
            }
        }
    }

    /// A value in which every text that is wholly `${ … }` is an expression, at any depth.
    pub(super) fn template(&mut self, site: &Site<'d>, scope: &Scope, place: Place) -> Value {
        self.check_leaves(site, scope, place, Leaves::Data);
        site.node.to_value()
    }

    pub(super) fn optional_template(&mut self, site: Option<Site<'d>>, scope: &Scope) -> Option<Value> {
        site.map(|site| self.template(&site, scope, Place::TaskDefinition))
    }

    /// A template that is an object, or one `${ … }` that yields an object.
    pub(super) fn object_template(&mut self, site: &Site<'d>, what: &str, scope: &Scope) -> Option<Value> {
        let is_expression = site.node.text().is_some_and(|text| self.may_be_expression(text));
        if !is_expression {
            self.entries(site, what)?;
        }
        Some(self.template(site, scope, Place::TaskDefinition))
    }

    /// A template that is a text, or one `${ … }` that yields one.
    pub(super) fn text_template(
        &mut self,
        site: &Site<'d>,
        what: &str,
        scope: &Scope,
        leaves: Leaves,
    ) -> Option<Value> {
        self.text(site, what)?;
        self.check_leaves(site, scope, Place::TaskDefinition, leaves);
        Some(site.node.to_value())
    }

    /// A template that is a text, a number or a boolean.
    pub(super) fn scalar_template(
        &mut self,
        site: &Site<'d>,
        what: &str,
        scope: &Scope,
        leaves: Leaves,
    ) -> Option<Value> {
        match &site.node.content {
            Content::Text(_) | Content::Number(..) | Content::Bool(_) => {
                self.check_leaves(site, scope, Place::TaskDefinition, leaves);
                Some(site.node.to_value())
            }
            Content::Null | Content::List(_) | Content::Object(_) => {
                self.wrong_type(site, what, "text");
                None
            }
        }
    }

    /// Whether a text in a value field is evaluated: it is wholly `${ … }`, or the mode is loose.
    pub(super) fn may_be_expression(&self, text: &str) -> bool {
        self.mode == EvaluationMode::Loose || Expression::wrapped(text).is_some()
    }

    pub(super) fn check_leaves(&mut self, site: &Site<'d>, scope: &Scope, place: Place, leaves: Leaves) {
        match &site.node.content {
            Content::Text(text) => self.check_leaf(site, text, scope, place, leaves),
            Content::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_leaves(&site.item(index, item), scope, place, leaves);
                }
            }
            Content::Object(entries) => {
                for entry in entries {
                    self.check_leaves(&site.child(&entry.value, &entry.key), scope, place, leaves);
                }
            }
            Content::Null | Content::Bool(_) | Content::Number(..) => {}
        }
    }

    fn check_leaf(&mut self, site: &Site<'d>, text: &str, scope: &Scope, place: Place, leaves: Leaves) {
        if let Some(expression) = Expression::wrapped(text) {
            // In loose mode a text that does not compile stays the text it is.
            if self.mode == EvaluationMode::Strict || self.check.check(&expression, &scope.locals).is_ok() {
                self.check_expression(site, &expression, scope, place);
            }
            return;
        }
        if self.mode == EvaluationMode::Loose {
            return;
        }
        let may_look_bare = match leaves {
            Leaves::Data => true,
            Leaves::Shell => !text.trim_start().starts_with('$'),
            Leaves::Program => false,
        };
        let may_embed = match leaves {
            Leaves::Data => true,
            // No name of a shell variable starts like this.
            Leaves::Shell => text.contains("${ ") || text.contains("${."),
            Leaves::Program => false,
        };
        if may_look_bare && looks_bare(text) {
            let problem = site.warning("bare_expression", format!("'{text}' is taken literally here"));
            self.problem(problem.suggest(format!("to evaluate it, write '${{ {} }}'", text.trim())));
        } else if may_embed && embeds_expression(text) {
            let message = "an expression inside a longer text is not evaluated; the text is taken literally";
            let problem = site.warning("embedded_expression", message);
            self.problem(problem.suggest("make the whole text one expression: '${ \"…\\(.name)…\" }'"));
        }
    }

    /// `from` or `as`: an expression, or an object whose leaves are a template.
    pub(super) fn transform(&mut self, site: &Site<'d>, what: &str, scope: &Scope, place: Place) -> Option<Transform> {
        match &site.node.content {
            Content::Text(_) => self.expression(site, what, scope, place).map(Transform::Expression),
            Content::Object(_) => Some(Transform::Template(self.template(site, scope, place))),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::List(_) => {
                self.wrong_type(site, what, "an expression or an object");
                None
            }
        }
    }

    /// `input`, `output` or `export`: a schema and a transformation; `key` is `from` or `as`.
    pub(super) fn data_spec(
        &mut self,
        site: &Site<'d>,
        what: &str,
        key: &str,
        scope: &Scope,
        place: Place,
    ) -> Option<DataSpec> {
        let fields = self.fields(site, what, &["schema", key])?;
        let schema = fields.get("schema").and_then(|site| self.schema(&site, scope));
        let transform = fields.get(key).and_then(|site| self.transform(&site, &format!("{what}.{key}"), scope, place));
        Some(DataSpec { schema, transform })
    }

    fn schema(&mut self, site: &Site<'d>, scope: &Scope) -> Option<SchemaSpec> {
        let fields = self.fields(site, "a schema", &["format", "document", "resource"])?;
        let dialect = fields.get("format").and_then(|format| self.dialect(&format));
        if let Some(resource) = fields.get("resource") {
            if fields.has("document") {
                let message = "a schema has either 'document' or 'resource', not both";
                self.problem(resource.error("invalid_value", message));
            }
            let endpoint = self.external_resource(&resource, scope)?;
            return Some(SchemaSpec::External(Box::new(ExternalSchema { endpoint, dialect })));
        }
        let document = self.required(&fields, "a schema", "document")?;
        if !matches!(document.node.content, Content::Object(_) | Content::Bool(_)) {
            self.wrong_type(&document, "a schema document", "an object");
            return None;
        }
        let mut value = document.node.to_value();
        schema::name_dialect(&mut value, dialect);
        if let Err(refusal) = schema::compile(&value) {
            let (place, pointer) = descend(document.node, &document.pointer, &refusal.pointer);
            let site = Site { node: place, pointer };
            self.problem(site.error("invalid_schema", format!("the JSON schema is not valid: {}", refusal.message)));
        }
        Some(SchemaSpec::Inline(Arc::new(value)))
    }

    /// The dialect that the format of a schema names.
    fn dialect(&mut self, site: &Site<'d>) -> Option<&'static str> {
        let format = self.text(site, "the format of a schema")?;
        schema::dialect_of_format(format).unwrap_or_else(|why| {
            self.problem(site.error("unsupported", why));
            None
        })
    }

    /// `{endpoint, name?}`; the authentication stands in the endpoint, or beside it.
    fn external_resource(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Endpoint> {
        let fields = self.fields(site, "an external resource", &["endpoint", "authentication", "name"])?;
        if let Some(name) = fields.get("name") {
            self.text(&name, "the name of an external resource");
        }
        let endpoint_site = self.required(&fields, "an external resource", "endpoint")?;
        let endpoint = self.endpoint(&endpoint_site, scope)?;
        let Some(authentication) = fields.get("authentication") else { return Some(endpoint) };
        if endpoint.authentication.is_some() {
            let message = "the authentication stands either in the endpoint or beside it, not in both places";
            self.problem(authentication.error("invalid_value", message));
        }
        let authentication = self.authentication(&authentication, scope)?;
        Some(Endpoint { authentication: Some(authentication), ..endpoint })
    }
}

/// The deepest node on the way of a JSON pointer, with its own pointer.
fn descend<'d>(node: &'d Node, base: &str, pointer: &str) -> (&'d Node, String) {
    let (mut node, mut reached) = (node, base.to_owned());
    for segment in pointer.split('/').skip(1) {
        let key = segment.replace("~1", "/").replace("~0", "~");
        let next = match &node.content {
            Content::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            Content::Object(_) => node.get(&key),
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_) => None,
        };
        let Some(next) = next else { break };
        node = next;
        reached = format!("{reached}/{segment}");
    }
    (node, reached)
}
