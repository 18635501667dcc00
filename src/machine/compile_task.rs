//! The longer task kinds of [`super::compile`]: `try`, `raise`, calls and runs.

use super::compile::{Compiler, find, next};
use super::expression::Template;
use super::program::{AgentRule, ErrorRule, HttpRule, RetryRule, ShellRule, TryRule, UriRule, WorkflowRule};
use crate::domain::definition::model::{
    AgentCall, AuthenticationRef, Endpoint, ErrorSpec, HttpCall, RaiseError, RetryPolicy, RetryRef, ShellRun, Try,
    UriSpec, WorkflowRun,
};
use serde_json::Value;
use std::sync::Arc;

impl Compiler {
    pub(super) fn try_rule(&mut self, rule: &Try, place: &str) -> TryRule {
        let body = self.list(&rule.body);
        let outer = self.locals.len();
        self.bind(&rule.catch.variable);
        let place = format!("{place}/catch");
        let definition = Arc::clone(&self.definition);
        let retry = match &rule.catch.retry {
            None => None,
            Some(RetryRef::Inline(policy)) => Some(self.retry(policy, &format!("{place}/retry"))),
            Some(RetryRef::Named(name)) => match find(&definition.components.retries, name) {
                Some(policy) => Some(self.retry(policy, &format!("/use/retries/{name}"))),
                None => self.unknown("retry policy", name, &format!("{place}/retry")),
            },
        };
        let catch = &rule.catch;
        let rule = TryRule {
            body,
            errors: catch.errors.clone(),
            variable: Arc::clone(&catch.variable),
            when: self.optional(catch.when.as_ref(), &place, "when"),
            except_when: self.optional(catch.except_when.as_ref(), &place, "exceptWhen"),
            retry,
            handler: catch.handler.as_ref().map(|tasks| self.list(tasks)),
            then: catch.then.as_ref().map(next),
        };
        self.locals.truncate(outer);
        rule
    }

    fn retry(&mut self, policy: &RetryPolicy, place: &str) -> RetryRule {
        RetryRule {
            when: self.optional(policy.when.as_ref(), place, "when"),
            except_when: self.optional(policy.except_when.as_ref(), place, "exceptWhen"),
            delay: policy.delay.as_ref().map(|spec| self.duration(spec, place)),
            backoff: policy.backoff,
            limit_count: policy.limit_count,
            limit_attempt_duration: policy.limit_attempt_duration.as_ref().map(|spec| self.duration(spec, place)),
            limit_duration: policy.limit_duration.as_ref().map(|spec| self.duration(spec, place)),
            jitter: policy.jitter.as_ref().map(|(from, to)| (self.duration(from, place), self.duration(to, place))),
        }
    }

    pub(super) fn raise(&mut self, raise: &RaiseError, place: &str) -> ErrorRule {
        let place = format!("{place}/raise/error");
        let definition = Arc::clone(&self.definition);
        let spec = match raise {
            RaiseError::Inline(spec) => Some(&**spec),
            RaiseError::Named(name) => match find(&definition.components.errors, name) {
                Some(spec) => Some(spec),
                None => self.unknown("error", name, &place),
            },
        };
        let unknown =
            ErrorSpec { error_type: Value::Null, status: Value::Null, title: None, detail: None, instance: None };
        let spec = spec.unwrap_or(&unknown);
        ErrorRule {
            error_type: self.template(&spec.error_type, &place),
            status: self.template(&spec.status, &place),
            title: self.optional_template(spec.title.as_ref(), &place),
            detail: self.optional_template(spec.detail.as_ref(), &place),
            instance: self.optional_template(spec.instance.as_ref(), &place),
        }
    }

    pub(super) fn http(&mut self, call: &HttpCall, place: &str) -> HttpRule {
        let (uri, authentication) = self.endpoint(&call.endpoint, &format!("{place}/endpoint"));
        HttpRule {
            method: call.method.clone(),
            uri,
            authentication,
            headers: self.optional_template(call.headers.as_ref(), place),
            query: self.optional_template(call.query.as_ref(), place),
            body: self.optional_template(call.body.as_ref(), place),
            output: call.output,
            redirect: call.redirect,
        }
    }

    /// The address and the policy of its authentication.
    pub(super) fn endpoint(&mut self, endpoint: &Endpoint, place: &str) -> (UriRule, Option<Template>) {
        let definition = Arc::clone(&self.definition);
        let authentication = match &endpoint.authentication {
            None => None,
            Some(AuthenticationRef::Inline(policy)) => Some(self.template(policy, place)),
            Some(AuthenticationRef::Named(name)) => match find(&definition.components.authentications, name) {
                Some(policy) => Some(self.template(policy, &format!("/use/authentications/{name}"))),
                None => self.unknown("authentication policy", name, place),
            },
        };
        let uri = match &endpoint.uri {
            UriSpec::Expression(text) => UriRule::Expression(self.expression(text, place)),
            UriSpec::Template(text) => UriRule::Template(Arc::clone(text)),
        };
        (uri, authentication)
    }

    pub(super) fn agent(&mut self, call: &AgentCall, place: &str) -> AgentRule {
        AgentRule {
            agent: self.template(&call.agent, place),
            prompt: self.optional_template(call.prompt.as_ref(), place),
            system_prompt: self.optional_template(call.system_prompt.as_ref(), place),
            parameters: self.optional_template(call.parameters.as_ref(), place),
            output: call.output,
        }
    }

    pub(super) fn shell(&mut self, run: &ShellRun, place: &str) -> ShellRule {
        ShellRule {
            command: self.template(&run.command, place),
            arguments: run.arguments.iter().map(|argument| self.template(argument, place)).collect(),
            stdin: self.optional_template(run.stdin.as_ref(), place),
            environment: self.optional_template(run.environment.as_ref(), place),
            wait_for_end: run.wait_for_end,
            returns: run.returns,
            on_unknown_outcome: run.on_unknown_outcome,
        }
    }

    pub(super) fn workflow(&mut self, run: &WorkflowRun, place: &str) -> WorkflowRule {
        WorkflowRule {
            namespace: self.template(&run.namespace, place),
            name: self.template(&run.name, place),
            version: self.template(&run.version, place),
            input: self.optional_template(run.input.as_ref(), place),
            wait_for_end: run.wait_for_end,
            returns_nothing: run.returns_nothing,
        }
    }
}
