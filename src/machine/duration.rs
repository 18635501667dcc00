//! Durations in a program: literal, or computed when they are needed.

use super::expression::Expression;
use crate::domain::definition::duration::Duration;
use std::sync::Arc;

/// A duration of a program.
#[derive(Debug)]
pub(super) enum DurationRule {
    Literal(Duration),
    /// Yields an ISO 8601 text or a duration object.
    Expression(Arc<Expression>),
}
