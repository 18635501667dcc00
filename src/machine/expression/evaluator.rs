//! Who evaluates: in place, or somewhere else by means of a job that can be sent there.

use super::Expression;
use crate::domain::{Failure, StandardType, Timestamp};
use serde::{Deserialize, Serialize};
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

/// An evaluation as a message, for an evaluator in another process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationJob {
    /// The jq text.
    pub expression: String,
    /// The variables it uses, without `$`, with their values.
    pub variables: Vec<(String, Value)>,
    pub input: Value,
    pub now: Timestamp,
}

impl EvaluationJob {
    pub fn new(expression: &Expression, input: &Value, variables: &[Arc<Value>], now: Timestamp) -> Self {
        let names = expression.variables().iter().map(|name| name.to_string());
        let values = variables.iter().map(|value| Value::clone(value));
        Self {
            expression: expression.text().to_string(),
            variables: names.zip(values).collect(),
            input: input.clone(),
            now,
        }
    }
}

/// Does a job: what the other process calls.
///
/// # Errors
/// An `expression` failure without `instance`.
pub fn evaluate_job(job: &EvaluationJob) -> Result<Value, Failure> {
    let names: Vec<Arc<str>> = job.variables.iter().map(|(name, _)| name.as_str().into()).collect();
    let expression = Expression::compile(&job.expression, &names).map_err(|why| failure(&job.expression, &why))?;
    let value_of = |name: &Arc<str>| {
        let found = job.variables.iter().find(|(known, _)| **known == **name);
        Arc::new(found.map_or(Value::Null, |(_, value)| value.clone()))
    };
    let values: Vec<Arc<Value>> = expression.variables().iter().map(value_of).collect();
    DirectEvaluator.evaluate(&expression, &job.input, &values, job.now)
}

fn failure(expression: &str, why: &str) -> Failure {
    let shown: String = expression.chars().take(200).collect();
    Failure::new(StandardType::Expression, "Expression failed", format!("{why}, in the expression: {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_gives_what_the_evaluation_in_place_gives() {
        let expression = Expression::compile("{sum: ($item.price + .fee), now: now}", &["item".into()]).unwrap();
        let now = Timestamp::from_micros(1_700_000_000_500_000);
        let variables = [Arc::new(json!({"price": 3}))];
        let direct = DirectEvaluator.evaluate(&expression, &json!({"fee": 4}), &variables, now);
        assert_eq!(direct, Ok(json!({"sum": 7, "now": 1_700_000_000.5})));
        let job = EvaluationJob::new(&expression, &json!({"fee": 4}), &variables, now);
        let job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
        assert_eq!(evaluate_job(&job), direct);
    }

    #[test]
    fn failures_show_the_expression() {
        let expression = Expression::compile(". + 1", &[]).unwrap();
        let failure = DirectEvaluator.evaluate(&expression, &json!({}), &[], Timestamp::default()).unwrap_err();
        assert_eq!(failure.status, json!(400));
        assert_eq!(failure.detail.unwrap(), "object ({}) and number (1) cannot be added, in the expression: . + 1");
    }
}
