//! `call`: HTTP, agents, and the functions that `use.functions` declares.

use super::components::STANDARD_FUNCTIONS;
use super::value::{Leaves, Place};
use super::{Fields, Reader, Scope, Site};
use crate::domain::definition::document::Content;
use crate::domain::definition::model::{
    AgentCall, AuthenticationRef, Endpoint, Expression, FunctionCall, HttpCall, TaskKind, UriSpec,
};
use crate::domain::definition::suggestion::did_you_mean;
use crate::domain::{AgentOutput, HttpOutput};
use serde_json::{Map, Value};

impl<'d> Reader<'d> {
    pub(super) fn call(&mut self, task: &Fields<'d>, site: &Site<'d>, scope: &Scope) -> Option<TaskKind> {
        let name = self.text(site, "call")?;
        if name == "http" {
            let with = self.required(task, "'call: http'", "with")?;
            return self.http_call(&with, scope).map(|call| TaskKind::CallHttp(Box::new(call)));
        }
        if STANDARD_FUNCTIONS.contains(&name) {
            self.unsupported(site, &format!("'call: {name}'"));
            return None;
        }
        if self.names.functions.contains(&name) {
            let with = match task.get("with") {
                Some(with) => self.object_template(&with, "'with'", scope)?,
                None => Value::Object(Map::new()),
            };
            return Some(TaskKind::CallFunction(FunctionCall { function: name.into(), with }));
        }
        if name == "agent" {
            let with = self.required(task, "'call: agent'", "with")?;
            return self.agent_call(&with, scope).map(|call| TaskKind::CallAgent(Box::new(call)));
        }
        self.unknown_function(site, name);
        None
    }

    /// A URI is tested before the `@` of a catalog: URIs may contain one.
    fn unknown_function(&mut self, site: &Site<'d>, name: &str) {
        if name.contains("://") {
            self.unsupported(site, "a function that is fetched from a URI");
            return;
        }
        if name.contains('@') {
            self.unsupported(site, "a function of a catalog");
            return;
        }
        if Expression::wrapped(name).is_some() {
            self.problem(site.error("invalid_value", "the name of a function is never evaluated"));
            return;
        }
        let mut problem = site.error("unknown_function", format!("there is no function '{name}' in use.functions"));
        let possible: Vec<&str> = ["http", "agent"].into_iter().chain(self.names.functions.iter().copied()).collect();
        problem.suggestion = did_you_mean(name, &possible);
        self.problem(problem);
    }

    fn http_call(&mut self, site: &Site<'d>, scope: &Scope) -> Option<HttpCall> {
        let known = ["method", "endpoint", "headers", "query", "body", "output", "redirect"];
        let fields = self.fields(site, "'call: http'", &known)?;
        let method = self.required(&fields, "'call: http'", "method").and_then(|site| self.http_method(&site));
        let endpoint = self.required(&fields, "'call: http'", "endpoint").and_then(|site| self.endpoint(&site, scope));
        let headers = fields.get("headers").and_then(|site| self.headers(&site, scope));
        let query = fields.get("query").and_then(|site| self.text_map(&site, "query", scope));
        let body = self.optional_template(fields.get("body"), scope);
        let outputs = [("content", HttpOutput::Content), ("response", HttpOutput::Response), ("raw", HttpOutput::Raw)];
        let output = match fields.get("output") {
            Some(site) => self.choice(&site, "with.output", &outputs),
            None => Some(HttpOutput::Content),
        };
        let redirect = fields.get("redirect").and_then(|site| self.boolean(&site, "with.redirect")).unwrap_or(false);
        Some(HttpCall { method: method?, endpoint: endpoint?, headers, query, body, output: output?, redirect })
    }

    fn http_method(&mut self, site: &Site<'d>) -> Option<String> {
        let text = self.text(site, "with.method")?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
            let problem = site.error("invalid_value", format!("with.method cannot be '{text}'"));
            self.problem(problem.suggest("write the name of an HTTP method, such as get or post"));
            return None;
        }
        Some(text.to_ascii_uppercase())
    }

    fn headers(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Value> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if let Content::Object(entries) = &site.node.content {
            for entry in entries.iter().filter(|entry| entry.key.is_empty() || !entry.key.bytes().all(is_token)) {
                let site = site.child(&entry.value, &entry.key);
                self.problem(
                    site.error("invalid_name", format!("'{}' is no name of a header", entry.key)).at(entry.mark),
                );
            }
        }
        self.text_map(site, "headers", scope)
    }

    /// `headers` and `query`: an object of scalars and lists of scalars, or one expression that yields one.
    fn text_map(&mut self, site: &Site<'d>, what: &str, scope: &Scope) -> Option<Value> {
        let value = self.object_template(site, &format!("with.{what}"), scope)?;
        if let Content::Object(entries) = &site.node.content {
            for entry in entries.iter().filter(|entry| matches!(entry.value.content, Content::Object(_))) {
                let site = site.child(&entry.value, &entry.key);
                self.wrong_type(&site, &format!("with.{what}.{}", entry.key), "text");
            }
        }
        Some(value)
    }

    /// A URI, or an object with one and its authentication.
    pub(super) fn endpoint(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Endpoint> {
        if site.node.text().is_some() {
            return Some(Endpoint { uri: self.uri(site, scope)?, authentication: None });
        }
        let fields = self.fields(site, "an endpoint", &["uri", "authentication"])?;
        let uri = self.required(&fields, "an endpoint", "uri").and_then(|site| self.uri(&site, scope));
        let authentication = match fields.get("authentication") {
            Some(site) => Some(self.authentication(&site, scope)?),
            None => None,
        };
        Some(Endpoint { uri: uri?, authentication })
    }

    fn uri(&mut self, site: &Site<'d>, scope: &Scope) -> Option<UriSpec> {
        let text = self.text(site, "the URI of an endpoint")?;
        self.check_leaves(site, scope, Place::TaskDefinition, Leaves::Data);
        if let Some(expression) = Expression::wrapped(text) {
            return Some(UriSpec::Expression(expression));
        }
        if self.may_be_expression(text) && !text.contains("://") {
            return Some(UriSpec::Expression(Expression::bare_or_wrapped(text)));
        }
        if let Some(variable) = variable_with_operator(text) {
            let message = format!("'{{{variable}}}' stands for the property named '{variable}', sign included");
            let problem = site.warning("template_operator", message);
            self.problem(problem.suggest("only plain variables such as {name} are supported in a URI"));
        }
        let problem = match uri_problem(text) {
            None => return Some(UriSpec::Template(text.into())),
            Some((why, suggestion)) => site.error("invalid_uri", format!("'{text}' {why}")).suggest(suggestion),
        };
        self.problem(problem);
        None
    }

    pub(super) fn authentication(&mut self, site: &Site<'d>, scope: &Scope) -> Option<AuthenticationRef> {
        let named = match site.node.text() {
            Some(name) => Some((site.clone(), name)),
            None if site.node.get("use").is_some() => {
                let fields = self.fields(site, "authentication", &["use"])?;
                let site = self.required(&fields, "authentication", "use")?;
                let name = self.text(&site, "authentication.use")?;
                Some((site, name))
            }
            None => None,
        };
        let Some((site, name)) = named else {
            return self.authentication_policy(site, scope).map(AuthenticationRef::Inline);
        };
        let declared = self.names.authentications.clone();
        let is_declared = self.reference(&site, name, "authentications", &declared);
        is_declared.then(|| AuthenticationRef::Named(name.into()))
    }

    fn agent_call(&mut self, site: &Site<'d>, scope: &Scope) -> Option<AgentCall> {
        let known = ["agent", "prompt", "input", "system_prompt", "parameters", "output"];
        let fields = self.fields(site, "'call: agent'", &known)?;
        let data = Leaves::Data;
        let agent = self
            .required(&fields, "'call: agent'", "agent")
            .and_then(|site| self.text_template(&site, "with.agent", scope, data));
        if let Some(input) = fields.get("input").filter(|_| fields.has("prompt")) {
            let problem = input.error("invalid_value", "'call: agent' takes either 'prompt' or 'input', not both");
            self.problem(problem);
        }
        let prompt = match fields.get("prompt") {
            Some(site) => self.text_template(&site, "with.prompt", scope, data),
            None => self.optional_template(fields.get("input"), scope),
        };
        let system_prompt =
            fields.get("system_prompt").and_then(|site| self.text_template(&site, "with.system_prompt", scope, data));
        let parameters =
            fields.get("parameters").and_then(|site| self.object_template(&site, "with.parameters", scope));
        let outputs = [("text", AgentOutput::Text), ("json", AgentOutput::Json), ("response", AgentOutput::Response)];
        let output = match fields.get("output") {
            Some(site) => self.choice(&site, "with.output", &outputs),
            None => Some(AgentOutput::Text),
        };
        Some(AgentCall { agent: agent?, prompt, system_prompt, parameters, output: output? })
    }
}

/// The first variable of a URI template that starts with an operator of RFC 6570, or with the dot of a jq path.
fn variable_with_operator(text: &str) -> Option<&str> {
    let variables = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(variable, _)| variable);
    variables.into_iter().find(|variable| variable.starts_with(['+', '#', '.', '/', ';', '?', '&', '$']))
}

/// What is wrong with a literal URI template, and what to do about it.
fn uri_problem(text: &str) -> Option<(&'static str, &'static str)> {
    let absolute = "write an absolute address that starts with http:// or https://";
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some(("is not an absolute URI", absolute));
    };
    if !scheme.contains('{') && !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Some(("has a scheme that cannot be used here", absolute));
    }
    if rest.is_empty() || rest.starts_with('/') {
        return Some(("names no host", absolute));
    }
    let mut is_open = false;
    for letter in text.chars() {
        match (letter, is_open) {
            (white, false) if white.is_whitespace() => {
                return Some(("contains white space", "percent-encode it as %20"));
            }
            ('{', false) => is_open = true,
            ('}', true) => is_open = false,
            ('{', true) | ('}', false) => return Some(("has unbalanced braces", "write variables as {name}")),
            _ => {}
        }
    }
    is_open.then_some(("has unbalanced braces", "write variables as {name}"))
}
