//! Durations, timeouts, retry policies and error definitions: what may stand inline or be declared in `use`.

use super::value::Place;
use super::{Reader, Scope, Site};
use crate::domain::definition::document::Content;
use crate::domain::definition::duration::{Duration, OBJECT_PROPERTIES};
use crate::domain::definition::model::{
    Backoff, DurationSpec, ErrorSpec, EvaluationMode, Expression, RetryPolicy, RetryRef, TimeoutRef,
};
use serde_json::{Map, Value};

impl<'d> Reader<'d> {
    /// A duration in one of its three forms.
    pub(super) fn duration(
        &mut self,
        site: &Site<'d>,
        what: &str,
        scope: &Scope,
        place: Place,
    ) -> Option<DurationSpec> {
        match &site.node.content {
            Content::Object(_) => {
                let fields = self.fields(site, what, &OBJECT_PROPERTIES)?;
                // What is unknown is already noted.
                let known: Map<String, Value> = OBJECT_PROPERTIES
                    .into_iter()
                    .filter_map(|unit| Some((unit.to_owned(), fields.get(unit)?.node.to_value())))
                    .collect();
                if known.is_empty() && !fields.entries.is_empty() {
                    return None;
                }
                self.literal_duration(site, Duration::from_object(&known))
            }
            Content::Text(text) if Expression::wrapped(text).is_some() => {
                self.expression(site, what, scope, place).map(DurationSpec::Expression)
            }
            Content::Text(text) => match Duration::parse_iso(text) {
                Err(_) if self.mode == EvaluationMode::Loose => {
                    self.expression(site, what, scope, place).map(DurationSpec::Expression)
                }
                read => self.literal_duration(site, read),
            },
            Content::Null | Content::Bool(_) | Content::Number(..) | Content::List(_) => {
                let message = format!("{what} must be a duration, but it is {}", site.node.describe());
                self.problem(site.error("wrong_type", message).suggest("write {seconds: 5} or PT5S"));
                None
            }
        }
    }

    fn literal_duration(&mut self, site: &Site<'d>, read: Result<Duration, String>) -> Option<DurationSpec> {
        match read {
            Ok(duration) => Some(DurationSpec::Literal(duration)),
            Err(why) => {
                let problem = site.error("invalid_duration", why);
                self.problem(
                    problem.suggest("write an object such as {minutes: 1, seconds: 30} or ISO 8601 such as PT1M30S"),
                );
                None
            }
        }
    }

    /// `timeout`: `{after: duration}` or a name in `use.timeouts`.
    pub(super) fn timeout(&mut self, site: &Site<'d>, scope: &Scope, place: Place) -> Option<TimeoutRef> {
        let Some(name) = site.node.text() else {
            return self.timeout_object(site, scope, place).map(TimeoutRef::After);
        };
        if !self.names.timeouts.contains(&name) && Duration::parse_iso(name).is_ok() {
            let message = format!("a text here is a name in use.timeouts, and there is no '{name}'");
            let problem = site.error("unknown_reference", message);
            self.problem(problem.suggest(format!("for a duration write {{after: {name}}}")));
            return None;
        }
        let declared = self.names.timeouts.clone();
        self.reference(site, name, "timeouts", &declared).then(|| TimeoutRef::Named(name.into()))
    }

    pub(super) fn timeout_object(&mut self, site: &Site<'d>, scope: &Scope, place: Place) -> Option<DurationSpec> {
        let fields = self.fields(site, "a timeout", &["after"])?;
        self.required(&fields, "a timeout", "after")
            .and_then(|site| self.duration(&site, "timeout.after", scope, place))
    }

    /// `catch.retry`: a policy or a name in `use.retries`.
    pub(super) fn retry(&mut self, site: &Site<'d>, scope: &Scope) -> Option<RetryRef> {
        let Some(name) = site.node.text() else {
            return self.retry_policy(site, scope).map(RetryRef::Inline);
        };
        let declared = self.names.retries.clone();
        if !self.reference(site, name, "retries", &declared) {
            return None;
        }
        // The variables of this catch are those that the expressions of the named policy see.
        let section = self.root.get("use").and_then(|part| part.get("retries"))?;
        let policy = Site { node: section, pointer: "/use/retries".to_owned() }.child(section.get(name)?, name);
        let policy = self.retry_policy(&policy, scope);
        self.used_retries.insert(name, policy);
        Some(RetryRef::Named(name.into()))
    }

    pub(super) fn retry_policy(&mut self, site: &Site<'d>, scope: &Scope) -> Option<RetryPolicy> {
        let known = ["when", "exceptWhen", "delay", "backoff", "limit", "jitter"];
        let fields = self.fields(site, "a retry policy", &known)?;
        let place = Place::TaskDefinition;
        let when = self.optional_expression(fields.get("when"), "retry.when", scope, place);
        let except_when = self.optional_expression(fields.get("exceptWhen"), "retry.exceptWhen", scope, place);
        let delay = fields.get("delay").and_then(|site| self.duration(&site, "retry.delay", scope, place));
        let backoff = fields.get("backoff").and_then(|site| self.backoff(&site)).unwrap_or_default();
        let jitter = fields.get("jitter").and_then(|site| self.jitter(&site, scope));
        let mut policy = RetryPolicy { when, except_when, delay, backoff, jitter, ..RetryPolicy::default() };
        if let Some(limit) = fields.get("limit") {
            self.retry_limit(&limit, scope, &mut policy);
        }
        Some(policy)
    }

    fn backoff(&mut self, site: &Site<'d>) -> Option<Backoff> {
        let kinds =
            [("constant", Backoff::Constant), ("linear", Backoff::Linear), ("exponential", Backoff::Exponential)];
        let fields = self.fields(site, "retry.backoff", &kinds.map(|(key, _)| key))?;
        let given: Vec<_> = kinds.into_iter().filter_map(|(key, kind)| Some((fields.get(key)?, key, kind))).collect();
        for (site, key, _) in &given {
            self.fields(site, &format!("backoff.{key}"), &[]);
        }
        if let [(_, _, kind)] = given.as_slice() {
            return Some(*kind);
        }
        if given.len() > 1 || fields.entries.is_empty() {
            let problem = site.error("invalid_value", "retry.backoff is exactly one of constant, linear, exponential");
            self.problem(problem.suggest("write {exponential: {}}"));
        }
        None
    }

    fn jitter(&mut self, site: &Site<'d>, scope: &Scope) -> Option<(DurationSpec, DurationSpec)> {
        let fields = self.fields(site, "retry.jitter", &["from", "to"])?;
        let mut bound = |key: &str| {
            let site = self.required(&fields, "retry.jitter", key)?;
            self.duration(&site, &format!("jitter.{key}"), scope, Place::TaskDefinition)
        };
        let (from, to) = (bound("from"), bound("to"));
        let (from, to) = (from?, to?);
        if let (DurationSpec::Literal(low), DurationSpec::Literal(high)) = (&from, &to)
            && low.nominal_micros() > high.nominal_micros()
        {
            self.problem(site.error("invalid_range", "jitter.from is longer than jitter.to"));
        }
        Some((from, to))
    }

    fn retry_limit(&mut self, site: &Site<'d>, scope: &Scope, policy: &mut RetryPolicy) {
        let Some(fields) = self.fields(site, "retry.limit", &["attempt", "duration"]) else { return };
        let place = Place::TaskDefinition;
        policy.limit_duration =
            fields.get("duration").and_then(|site| self.duration(&site, "limit.duration", scope, place));
        let Some(attempt) = fields.get("attempt") else { return };
        let Some(fields) = self.fields(&attempt, "limit.attempt", &["count", "duration"]) else { return };
        policy.limit_count = fields.get("count").and_then(|site| self.count(&site, "limit.attempt.count"));
        policy.limit_attempt_duration =
            fields.get("duration").and_then(|site| self.duration(&site, "limit.attempt.duration", scope, place));
    }

    /// An error definition, inline in `raise` or declared in `use.errors`.
    pub(super) fn error_spec(&mut self, site: &Site<'d>, scope: &Scope) -> Option<ErrorSpec> {
        use super::value::Leaves::Data;
        let fields = self.fields(site, "an error", &["type", "status", "title", "detail", "instance"])?;
        let error_type = self.required(&fields, "an error", "type").and_then(|site| {
            let value = self.text_template(&site, "the type of an error", scope, Data);
            let literal = site.node.text().filter(|text| !self.may_be_expression(text));
            if literal.is_some_and(|text| !text.contains(':')) {
                let problem = site.warning("relative_type", "the type of an error should be an absolute URI");
                self.problem(problem.suggest("write something like https://example.com/errors/out-of-stock"));
            }
            value
        });
        let status = self.required(&fields, "an error", "status").and_then(|site| match site.node.text() {
            Some(text) if self.may_be_expression(text) => Some(self.template(&site, scope, Place::TaskDefinition)),
            _ => self.count(&site, "the status of an error").map(Value::from),
        });
        let mut optional = |key: &str| {
            let site = fields.get(key)?;
            self.text_template(&site, &format!("the {key} of an error"), scope, Data)
        };
        let (title, detail, instance) = (optional("title"), optional("detail"), optional("instance"));
        Some(ErrorSpec { error_type: error_type?, status: status?, title, detail, instance })
    }
}
