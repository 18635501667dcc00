//! `use`: what the tasks refer to by name.

use super::task::Targets;
use super::value::Place;
use super::workflow::is_empty;
use super::{Reader, Scope, Site};
use crate::domain::definition::document::{Content, Node};
use crate::domain::definition::model::{Components, Task};
use std::sync::Arc;

const SECTIONS: [&str; 8] =
    ["authentications", "catalogs", "errors", "extensions", "functions", "retries", "secrets", "timeouts"];
/// The functions that are part of the DSL. `agent` is ours and gives way to a declared function of that name.
pub(super) const STANDARD_FUNCTIONS: [&str; 6] = ["http", "openapi", "grpc", "asyncapi", "a2a", "mcp"];

/// The names that `use` declares, known before anything that refers to them is read.
pub(super) struct Names<'d> {
    pub(super) authentications: Vec<&'d str>,
    pub(super) errors: Vec<&'d str>,
    pub(super) functions: Vec<&'d str>,
    pub(super) retries: Vec<&'d str>,
    pub(super) secrets: Vec<&'d str>,
    pub(super) timeouts: Vec<&'d str>,
}

impl<'d> Names<'d> {
    pub(super) fn declared_in(root: &'d Node) -> Self {
        let section = |name: &str| match root.get("use").and_then(|part| part.get(name)).map(|node| &node.content) {
            Some(Content::Object(entries)) => entries.iter().map(|entry| entry.key.as_str()).collect(),
            Some(Content::List(items)) => items.iter().filter_map(Node::text).collect(),
            Some(Content::Null | Content::Bool(_) | Content::Number(..) | Content::Text(_)) | None => Vec::new(),
        };
        Self {
            authentications: section("authentications"),
            errors: section("errors"),
            functions: section("functions"),
            retries: section("retries"),
            secrets: section("secrets"),
            timeouts: section("timeouts"),
        }
    }
}

impl<'d> Reader<'d> {
    /// Reads `use`. Call it after the tasks: they tell with which variables the named retry policies are used.
    pub(super) fn components(&mut self, site: &Site<'d>) -> Components {
        let Some(fields) = self.fields(site, "use", &SECTIONS) else { return Components::default() };
        for (key, thing) in [("extensions", "an extension"), ("catalogs", "a catalog")] {
            if let Some(section) = fields.get(key).filter(|site| !is_empty(site.node)) {
                self.unsupported(&section, thing);
            }
        }
        let scope = Scope::default();
        let mut components = Components::default();
        for (name, site) in self.section(fields.get("authentications"), "use.authentications") {
            let policy = self.authentication_policy(&site, &scope);
            components.authentications.extend(policy.map(|policy| (name, policy)));
        }
        for (name, site) in self.section(fields.get("errors"), "use.errors") {
            components.errors.extend(self.error_spec(&site, &scope).map(|error| (name, error)));
        }
        for (name, site) in self.section(fields.get("functions"), "use.functions") {
            components.functions.extend(self.function(&name, &site).map(|task| (name, task)));
        }
        let error_scope = scope.with(&[&Arc::from("error")]);
        for (name, site) in self.section(fields.get("retries"), "use.retries") {
            let policy = match self.used_retries.remove(&*name) {
                Some(policy) => policy,
                None => self.retry_policy(&site, &error_scope),
            };
            components.retries.extend(policy.map(|policy| (name, policy)));
        }
        for (name, site) in self.section(fields.get("timeouts"), "use.timeouts") {
            let after = self.timeout_object(&site, &scope, Place::TaskDefinition);
            components.timeouts.extend(after.map(|after| (name, after)));
        }
        if let Some(secrets) = fields.get("secrets") {
            components.secrets = self.secret_names(&secrets);
        }
        components
    }

    fn section(&mut self, site: Option<Site<'d>>, what: &str) -> Vec<(Arc<str>, Site<'d>)> {
        let Some(site) = site else { return Vec::new() };
        let entries = self.entries(&site, what).unwrap_or_default();
        entries.iter().map(|entry| (Arc::from(entry.key.as_str()), site.child(&entry.value, &entry.key))).collect()
    }

    fn function(&mut self, name: &str, site: &Site<'d>) -> Option<Task> {
        if STANDARD_FUNCTIONS.contains(&name) {
            let message = format!("the function '{name}' can never be called: 'call: {name}' is the standard one");
            self.problem(site.warning("shadowed_function", message));
        }
        if let Some(then) = site.node.get("then") {
            let then = site.child(then, "then");
            self.problem(
                then.warning("ignored_property", "the 'then' of a function is ignored; that of its caller counts"),
            );
        }
        self.task(site, name, &Scope::default(), &Targets::Function)
    }

    fn secret_names(&mut self, site: &Site<'d>) -> Vec<Arc<str>> {
        let items = self.items(site, "use.secrets").unwrap_or_default();
        let names = items.iter().enumerate().filter_map(|(index, node)| {
            let site = site.item(index, node);
            self.text(&site, "the name of a secret").map(Arc::from)
        });
        names.collect()
    }
}
