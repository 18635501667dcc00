//! Values as texts: headers, query parameters, environment variables, arguments.

use crate::domain::{Failure, StandardType};
use serde_json::Value;

/// A text as it is, other scalars as JSON, `null` as nothing.
///
/// # Errors
/// An `expression` failure for arrays and objects; `what` names the value.
pub(super) fn scalar(value: Value, what: &str) -> Result<Option<String>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(Some(scalar.to_string())),
        Value::Array(_) | Value::Object(_) => Err(not(what, "a text, a number or a boolean")),
    }
}

/// A text, which must be one.
///
/// # Errors
/// An `expression` failure for everything else.
pub(super) fn text(value: Value, what: &str) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(not(what, "a text"))
        }
    }
}

/// A text as it is, anything else as JSON.
pub(super) fn text_or_json(value: Value) -> String {
    if let Value::String(text) = value { text } else { value.to_string() }
}

/// The entries of a map as texts. `null` values are left out, arrays repeat their key.
///
/// # Errors
/// An `expression` failure when it is no map or has a value that is no scalar.
pub(super) fn pairs(value: Value, what: &str) -> Result<Vec<(String, String)>, Failure> {
    let map = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Object(map) => map,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return Err(not(what, "an object")),
    };
    let mut pairs = Vec::with_capacity(map.len());
    for (key, value) in map {
        let values = if let Value::Array(values) = value { values } else { vec![value] };
        for value in values {
            if let Some(text) = scalar(value, &format!("{what} '{key}'"))? {
                pairs.push((key.clone(), text));
            }
        }
    }
    Ok(pairs)
}

fn not(what: &str, wanted: &str) -> Failure {
    Failure::new(StandardType::Expression, "Wrong type", format!("The {what} must be {wanted}"))
        .with_suggestion("compare the input of the task with what the expression makes of it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn e41_scalars_are_written_nulls_dropped_and_arrays_repeated() {
        let value = json!({"a": 1, "b": null, "c": ["x", true, null], "d": ""});
        let expected = [("a", "1"), ("c", "x"), ("c", "true"), ("d", "")];
        let expected: Vec<_> = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(pairs(value, "query"), Ok(expected));
        assert!(pairs(json!({"a": {}}), "query").is_err());
        assert!(pairs(json!("a=1"), "query").is_err());
    }
}
