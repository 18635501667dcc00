//! `set`: the data is replaced by what the template says.

use super::decide::{Completion, Decision, Task};
use super::expression::Template;
use std::sync::Arc;

pub(super) fn decide(task: &Task<'_>, template: &Template) -> Decision {
    match task.template(template) {
        Ok(value) => task.complete(Arc::new(value), Completion::default()),
        Err(failure) => task.fail(failure),
    }
}
