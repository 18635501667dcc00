//! Inline JSON schemas: the one way in which they are compiled, here to be checked and in the machine to be used.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// Why a schema document is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// JSON pointer into the schema document.
    pub pointer: String,
    pub message: String,
}

/// Compiles a schema document. Without `$schema` it is read as draft 2020-12. Nothing is fetched: a reference that
/// leaves the document is refused. Patterns run in linear time, so look-around and back references are refused.
///
/// # Errors
/// [`Refusal`] when the document is no valid schema.
pub fn compile(document: &Value) -> Result<Validator, Refusal> {
    let mut options = jsonschema::options().with_pattern_options(PatternOptions::regex()).offline();
    let names_its_draft = document.get("$schema").is_some();
    if !names_its_draft {
        options = options.with_draft(Draft::Draft202012);
    }
    options
        .build(document)
        .map_err(|error| Refusal { pointer: error.instance_path().to_string(), message: error.to_string() })
}

/// Writes the dialect into a document that names none.
pub fn name_dialect(document: &mut Value, dialect: Option<&str>) {
    if let (Value::Object(map), Some(dialect)) = (document, dialect) {
        map.entry("$schema").or_insert_with(|| Value::from(dialect));
    }
}

/// The `$schema` that a `format` such as `json:draft-07` stands for; `None` for plain `json`.
///
/// # Errors
/// A sentence for people when the format is not known.
pub(super) fn dialect_of_format(format: &str) -> Result<Option<&'static str>, String> {
    let Some(draft) = format.strip_prefix("json") else {
        return Err(format!("the schema format '{format}' is not supported; only 'json' is"));
    };
    let draft = draft.strip_prefix(':').unwrap_or(draft).to_ascii_lowercase();
    match draft.trim_start_matches("draft").trim_start_matches('-') {
        "" => Ok(None),
        "2020-12" => Ok(Some("https://json-schema.org/draft/2020-12/schema")),
        "2019-09" => Ok(Some("https://json-schema.org/draft/2019-09/schema")),
        "07" | "7" => Ok(Some("http://json-schema.org/draft-07/schema#")),
        "06" | "6" => Ok(Some("http://json-schema.org/draft-06/schema#")),
        "04" | "4" => Ok(Some("http://json-schema.org/draft-04/schema#")),
        _ => Err(format!("the schema format '{format}' names no draft of JSON Schema")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_without_dialect_is_draft_2020_12() {
        let validator = compile(&json!({"prefixItems": [{"type": "string"}]})).unwrap();
        assert!(validator.is_valid(&json!(["a"])));
        assert!(!validator.is_valid(&json!([1])));
        let draft_4 =
            json!({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true});
        assert!(!compile(&draft_4).unwrap().is_valid(&json!(1)));
    }

    #[test]
    fn invalid_schemas_are_refused_with_their_place() {
        let refusal = compile(&json!({"properties": {"a": {"type": "strng"}}})).unwrap_err();
        assert_eq!(refusal.pointer, "/properties/a/type");
        assert!(compile(&json!({"$ref": "https://example.com/other.json"})).is_err());
        assert!(compile(&json!({"$ref": "#/nowhere"})).is_err());
        assert!(compile(&json!({"pattern": "("})).is_err());
        assert!(compile(&json!({"pattern": "(?=a)b"})).is_err());
        assert!(compile(&json!({"$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a"})).is_ok());
    }

    #[test]
    fn a_format_may_name_the_draft() {
        assert_eq!(dialect_of_format("json"), Ok(None));
        assert_eq!(dialect_of_format("json:draft-07"), Ok(Some("http://json-schema.org/draft-07/schema#")));
        assert_eq!(dialect_of_format("json:2019-09"), Ok(Some("https://json-schema.org/draft/2019-09/schema")));
        assert!(dialect_of_format("avro").is_err());
        assert!(dialect_of_format("json:draft-99").is_err());
    }
}
