//! `raise`: the task fails with the error its author describes.

use super::decide::{Decision, Task};
use super::expression::{Template, expand_uri};
use super::program::ErrorRule;
use crate::domain::{Failure, StandardType};
use serde_json::Value;

pub(super) fn decide(task: &Task<'_>, rule: &ErrorRule) -> Decision {
    task.fail(raised(task, rule).unwrap_or_else(|failure| failure))
}

/// The described error; `Err` when the description itself fails. `instance` is the task unless the author gives one.
fn raised(task: &Task<'_>, rule: &ErrorRule) -> Result<Failure, Failure> {
    let error_type = if let Template::Literal(Value::String(text)) = &rule.error_type {
        expand_uri(text, &task.frame.input)?
    } else {
        text(task, &rule.error_type, "type")?
    };
    let status = task.template(&rule.status)?;
    if !(status.is_i64() || status.is_u64()) {
        return Err(wrong("status", "an integer", &status));
    }
    let optional =
        |template: Option<&Template>, field| template.map(|template| text(task, template, field)).transpose();
    Ok(Failure {
        error_type,
        status,
        title: optional(rule.title.as_ref(), "title")?,
        detail: optional(rule.detail.as_ref(), "detail")?,
        instance: optional(rule.instance.as_ref(), "instance")?,
        retryable: None,
        suggestion: None,
        request: None,
        output: None,
    })
}

/// A text; other scalars are written as JSON.
fn text(task: &Task<'_>, template: &Template, field: &str) -> Result<String, Failure> {
    match task.template(template)? {
        Value::String(text) => Ok(text),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(scalar.to_string()),
        other @ (Value::Null | Value::Array(_) | Value::Object(_)) => Err(wrong(field, "a text", &other)),
    }
}

fn wrong(field: &str, wanted: &str, value: &Value) -> Failure {
    let shown: String = value.to_string().chars().take(100).collect();
    let detail = format!("The {field} of a raised error must be {wanted}, not {shown}");
    Failure::new(StandardType::Expression, "Invalid error", detail)
}
