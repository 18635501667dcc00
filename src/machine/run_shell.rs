//! The request of `run: shell`.

use super::decide::Task;
use super::program::ShellRule;
use super::texts::{pairs, scalar, text, text_or_json};
use crate::domain::{Failure, ShellRequest};

pub(super) fn request(task: &Task<'_>, rule: &ShellRule) -> Result<ShellRequest, Failure> {
    let optional = |template: &Option<_>| template.as_ref().map(|template| task.template(template)).transpose();
    let arguments = rule.arguments.iter().map(|argument| {
        let value = task.template(argument)?;
        Ok(scalar(value, "argument")?.unwrap_or_default())
    });
    Ok(ShellRequest {
        command: text(task.template(&rule.command)?, "command")?,
        arguments: arguments.collect::<Result<_, Failure>>()?,
        stdin: optional(&rule.stdin)?.filter(|stdin| !stdin.is_null()).map(text_or_json),
        environment: pairs(optional(&rule.environment)?.unwrap_or_default(), "environment")?,
        returns: rule.returns,
    })
}
