//! JSON Schema checks of inputs, outputs and contexts.

use super::schema_work::Measure;
use crate::domain::definition::schema;
use crate::domain::{Failure, StandardType};
use jsonschema::Validator;
use serde_json::Value;

/// No more mismatches than this are put into the text of one error.
const MAX_MISMATCHES: usize = 5;

/// A compiled schema. Draft 2020-12 when the document names none; nothing is ever fetched.
#[derive(Debug)]
pub(super) struct Schema {
    validator: Validator,
    document: Value,
    measure: Measure,
}

impl Schema {
    pub(super) fn compile(document: &Value) -> Result<Self, String> {
        let validator = schema::compile(document).map_err(|refusal| refusal.message)?;
        Ok(Self { validator, document: document.clone(), measure: Measure::of(document) })
    }

    /// Checks a value; `what` says in the error which value it is.
    pub(super) fn check(&self, value: &Value, what: &str) -> Result<(), Failure> {
        if !self.measure.is_bearable(&self.document, value) {
            let detail = format!(
                "It would take too long to check the {what} against its schema: parts of it refer to each other"
            );
            return Err(Failure::new(StandardType::Validation, "Schema too complex", detail));
        }
        if self.validator.is_valid(value) {
            return Ok(());
        }
        let mismatches: Vec<String> =
            self.validator.iter_errors(value).take(MAX_MISMATCHES).map(|e| describe(&e)).collect();
        let detail = format!("The {what} does not match its schema: {}", mismatches.join("; "));
        Err(Failure::new(StandardType::Validation, "Validation failed", detail)
            .with_suggestion(format!("give a matching {what}, or correct the schema in a new version of the workflow")))
    }
}

fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    if place.is_empty() { error.to_string() } else { format!("at {place}: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mismatches_name_their_place() {
        let schema = Schema::compile(&json!({"type": "object", "properties": {"age": {"type": "integer"}}})).unwrap();
        assert_eq!(schema.check(&json!({"age": 3}), "input"), Ok(()));
        let failure = schema.check(&json!({"age": "3"}), "input").unwrap_err();
        assert_eq!(failure.error_type, StandardType::Validation.uri());
        assert!(failure.detail.unwrap().contains("at /age: "));
    }
}
