//! Value templates: literal values in which a string that is wholly `${ … }` is an expression; and URI templates.
//!
//! Only what the definition says is ever an expression. A value that an expression produced is never looked at again.

use super::Expression;
use crate::domain::definition::model::Expression as Text;
use crate::domain::{Failure, StandardType};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A compiled template.
#[derive(Debug)]
pub(in crate::machine) enum Template {
    /// Holds no expression anywhere.
    Literal(Value),
    Expression(Arc<Expression>),
    Array(Vec<Template>),
    /// Keys are never evaluated.
    Object(Vec<(String, Template)>),
    /// A string in loose mode.
    Loose(Box<Loose>),
}

/// A string that is tried as an expression; if that fails, so are the `${ … }` in it; what fails stays as it is.
#[derive(Debug)]
pub(in crate::machine) struct Loose {
    literal: String,
    whole: Option<Arc<Expression>>,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Expression { source: String, expression: Arc<Expression> },
}

type Compile<'c> = dyn FnMut(&str, bool) -> Option<Arc<Expression>> + 'c;
type Evaluate<'e> = dyn Fn(&Arc<Expression>) -> Result<Value, Failure> + 'e;

impl Template {
    /// Compiles a value. `compile` gets the text of each expression and whether a failure to compile it is harmless.
    pub(in crate::machine) fn compile(value: &Value, is_loose: bool, compile: &mut Compile<'_>) -> Self {
        match value {
            Value::String(text) if is_loose => Self::loose(text, compile),
            Value::String(text) => match Text::wrapped(text) {
                Some(expression) => match compile(&expression.0, false) {
                    Some(expression) => Self::Expression(expression),
                    None => Self::Literal(value.clone()),
                },
                None => Self::Literal(value.clone()),
            },
            Value::Array(items) => {
                let items: Vec<Self> = items.iter().map(|item| Self::compile(item, is_loose, compile)).collect();
                if items.iter().all(Self::is_literal) { Self::Literal(value.clone()) } else { Self::Array(items) }
            }
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| (key.clone(), Self::compile(value, is_loose, compile)));
                let entries: Vec<(String, Self)> = entries.collect();
                let is_literal = entries.iter().all(|(_, value)| value.is_literal());
                if is_literal { Self::Literal(value.clone()) } else { Self::Object(entries) }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Literal(value.clone()),
        }
    }

    fn loose(text: &str, compile: &mut Compile<'_>) -> Self {
        let inner = Text::wrapped(text).map_or_else(|| text.to_owned(), |expression| expression.0.to_string());
        let whole = if inner.trim().is_empty() { None } else { compile(&inner, true) };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, after) = rest.split_at(start);
            let compiled = ends_of_braces(after).find_map(|end| {
                let source = after.get(..end)?;
                let inner = source.strip_prefix("${")?.strip_suffix('}')?;
                compile(inner.trim(), true).map(|expression| (source.to_owned(), expression, end))
            });
            match compiled {
                Some((source, expression, end)) => {
                    parts.push(Part::Text(before.to_owned()));
                    parts.push(Part::Expression { source, expression });
                    rest = after.get(end..).unwrap_or_default();
                }
                None => {
                    parts.push(Part::Text([before, "${"].concat()));
                    rest = after.get(2..).unwrap_or_default();
                }
            }
        }
        parts.push(Part::Text(rest.to_owned()));
        if whole.is_none() && !parts.iter().any(|part| matches!(part, Part::Expression { .. })) {
            return Self::Literal(Value::from(text));
        }
        Self::Loose(Box::new(Loose { literal: text.to_owned(), whole, parts }))
    }

    fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// Whether an expression in it satisfies a condition.
    pub(in crate::machine) fn any(&self, is_wanted: &dyn Fn(&Expression) -> bool) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Expression(expression) => is_wanted(expression),
            Self::Array(items) => items.iter().any(|item| item.any(is_wanted)),
            Self::Object(entries) => entries.iter().any(|(_, item)| item.any(is_wanted)),
            Self::Loose(loose) => {
                let parts = loose.parts.iter().filter_map(|part| match part {
                    Part::Text(_) => None,
                    Part::Expression { expression, .. } => Some(expression),
                });
                parts.chain(&loose.whole).any(|expression| is_wanted(expression))
            }
        }
    }

    /// The value with every expression evaluated.
    pub(in crate::machine) fn evaluate(&self, evaluate: &Evaluate<'_>) -> Result<Value, Failure> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => evaluate(expression),
            Self::Array(items) => {
                Ok(Value::Array(items.iter().map(|item| item.evaluate(evaluate)).collect::<Result<_, _>>()?))
            }
            Self::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((key.clone(), value.evaluate(evaluate)?)));
                Ok(Value::Object(entries.collect::<Result<Map<_, _>, Failure>>()?))
            }
            Self::Loose(loose) => Ok(loose.evaluate(evaluate)),
        }
    }
}

impl Loose {
    fn evaluate(&self, evaluate: &Evaluate<'_>) -> Value {
        if let Some(Ok(value)) = self.whole.as_ref().map(evaluate) {
            return value;
        }
        let has_parts = self.parts.iter().any(|part| matches!(part, Part::Expression { .. }));
        if !has_parts {
            return Value::from(self.literal.clone());
        }
        let texts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Expression { source, expression } => match evaluate(expression) {
                Ok(Value::String(text)) => text,
                Ok(value) => value.to_string(),
                Err(_) => source.clone(),
            },
        });
        Value::String(texts.collect())
    }
}

/// The ends of all prefixes that stop at a closing brace, shortest first.
fn ends_of_braces(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.match_indices('}').map(|(at, _)| at.saturating_add(1))
}

/// Expands an RFC 6570 level 1 template: `{name}` stands for the top-level key `name` of the input, verbatim.
///
/// # Errors
/// An `expression` failure when the value of a variable is an object or an array.
pub(in crate::machine) fn expand_uri(template: &str, input: &Value) -> Result<String, Failure> {
    let mut expanded = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) = next_variable(rest) {
        expanded.push_str(before);
        match input.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => encode(text, &mut expanded),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => encode(&value.to_string(), &mut expanded),
            Some(Value::Array(_) | Value::Object(_)) => {
                let detail = format!("The variable '{name}' of the URI template {template} is not a scalar value");
                return Err(Failure::new(StandardType::Expression, "URI template failed", detail));
            }
        }
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Everything but unreserved characters is percent-encoded.
fn encode(text: &str, encoded: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use serde_json::json;

    fn evaluated(template: &Value, is_loose: bool, input: &Value) -> Result<Value, Failure> {
        let template =
            Template::compile(template, is_loose, &mut |text, _| Expression::compile(text, &[]).ok().map(Arc::new));
        template.evaluate(&|expression| {
            let result = expression.evaluate(input, &[], Timestamp::default());
            result.map_err(|why| Failure::new(StandardType::Expression, "", why))
        })
    }

    #[test]
    fn e6_only_whole_strings_in_braces_are_expressions_in_strict_mode() {
        let template = json!({"lit": ".a", "val": "${ .a }", "list": [1, "${.a + 1}", "x ${ .a }"], "${ .a }": true});
        let expected = json!({"lit": ".a", "val": 7, "list": [1, 8, "x ${ .a }"], "${ .a }": true});
        assert_eq!(evaluated(&template, false, &json!({"a": 7})), Ok(expected));
    }

    #[test]
    fn e9_a_value_that_looks_like_an_expression_is_data() {
        let input = json!({"a": "${ .secret }", "secret": "s"});
        assert_eq!(evaluated(&json!({"x": "${ .a }"}), false, &input), Ok(json!({"x": "${ .secret }"})));
    }

    #[test]
    fn e7_loose_mode_tries_and_keeps_what_fails() {
        let input = json!({"a": 7, "b": "x"});
        let template = json!(["${ .a }", ".a", "1", "no jq here", "v${ .a }-${ .b }-${ .( }", "${ error }"]);
        let expected = json!([7, 7, 1, "no jq here", "v7-x-${ .( }", "${ error }"]);
        assert_eq!(evaluated(&template, true, &input), Ok(expected));
    }

    #[test]
    fn uri_templates_take_top_level_keys_verbatim() {
        let input = json!({"id": "a b/ü", "n": 3, "flag": true, "none": null, "a.b": "dotted", "list": []});
        let expand = |template| expand_uri(template, &input);
        let expected = "http://h/a%20b%2F%C3%BC/3?f=true&x=&y=dotted";
        assert_eq!(expand("http://h/{id}/{n}?f={flag}&x={none}{missing}&y={a.b}").as_deref(), Ok(expected));
        assert_eq!(expand("http://h/{list}").unwrap_err().error_type, StandardType::Expression.uri());
        assert_eq!(expand("http://h/{open").as_deref(), Ok("http://h/{open"));
        assert_eq!(expand_uri("http://h/{id}", &json!([1])).as_deref(), Ok("http://h/"));
    }
}
