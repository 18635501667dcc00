//! Evaluation of a compiled expression, with its failures in the words of the workflow language.

use super::Expression;
use crate::domain::{Failure, Secrets, StandardType, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Evaluates one compiled expression within a budget of time and size.
pub trait Evaluator {
    /// `variables` are the values of [`Expression::variables`], in that order; `now` is what the function `now` answers.
    ///
    /// # Errors
    /// An `expression` failure without `instance`.
    fn evaluate(
        &self,
        expression: &Expression,
        input: &Value,
        variables: &[Arc<Value>],
        now: Timestamp,
    ) -> Result<Value, Failure>;

    /// The secrets that the expressions of a step may read, and that its events must not hold. None unless somebody gives them.
    fn secrets(&self) -> &Secrets {
        Secrets::NONE
    }
}

/// An evaluator with the secrets of one execution.
#[derive(Clone, Copy, Debug)]
pub struct WithSecrets<'s, E> {
    pub evaluator: E,
    pub secrets: &'s Secrets,
}

impl<E: Evaluator> Evaluator for WithSecrets<'_, E> {
    fn evaluate(
        &self,
        expression: &Expression,
        input: &Value,
        variables: &[Arc<Value>],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        self.evaluator.evaluate(expression, input, variables, now)
    }

    fn secrets(&self) -> &Secrets {
        self.secrets
    }
}

/// Evaluates in place. Safe for every expression: its work, its recursion and its results are bounded, nothing it does reaches
/// outside. An expression that is not [bounded](Expression::is_bounded) may take up to half a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectEvaluator;

impl Evaluator for DirectEvaluator {
    fn evaluate(
        &self,
        expression: &Expression,
        input: &Value,
        variables: &[Arc<Value>],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        expression.evaluate(input, variables, now).map_err(|why| failure(expression.text(), &why))
    }
}

fn failure(expression: &str, why: &str) -> Failure {
    let shown: String = expression.chars().take(200).collect();
    Failure::new(StandardType::Expression, "Expression failed", format!("{why}, in the expression: {shown}"))
        .with_suggestion("compare the input of the task with what the expression expects of it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn failures_show_the_expression() {
        let expression = Expression::compile(". + 1", &[]).unwrap();
        let failure = DirectEvaluator.evaluate(&expression, &json!({}), &[], Timestamp::default()).unwrap_err();
        assert_eq!(failure.status, json!(400));
        assert_eq!(failure.detail.unwrap(), "object ({}) and number (1) cannot be added, in the expression: . + 1");
    }
}
