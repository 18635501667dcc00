//! Durations in a program: literal, or computed when they are needed.

use super::expression::Expression;
use super::scope::{Scope, View};
use crate::domain::definition::duration::Duration;
use crate::domain::{Failure, StandardType, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// A duration of a program.
#[derive(Debug)]
pub(super) enum DurationRule {
    Literal(Duration),
    /// Yields an ISO 8601 text or a duration object.
    Expression(Arc<Expression>),
}

impl DurationRule {
    /// The instant at which the duration that begins at `start` is over.
    ///
    /// # Errors
    /// An `expression` failure when the duration is computed and cannot be read.
    pub(super) fn end(
        &self,
        scope: &Scope<'_>,
        input: &Value,
        view: Option<&View<'_>>,
        start: Timestamp,
    ) -> Result<Timestamp, Failure> {
        let duration = match self {
            Self::Literal(duration) => *duration,
            Self::Expression(expression) => {
                let value = scope.evaluate(expression, input, view)?;
                Duration::from_value(&value).map_err(|why| {
                    Failure::new(
                        StandardType::Expression,
                        "Invalid duration",
                        format!("The expression {why}", why = why),
                    )
                })?
            }
        };
        Ok(duration.add_to(start))
    }
}
