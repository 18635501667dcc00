//! The text of runtime expressions: how one is recognized (DSL 1.0.3, "Runtime expressions") and who checks it.
//!
//! Nothing is evaluated or compiled here; that is the machine's.

use super::model::Expression;
use std::sync::Arc;

/// Names that every expression knows, without `$`. A local variable may not take one of them.
pub const STANDARD_VARIABLES: [&str; 9] =
    ["context", "input", "output", "secrets", "secret", "authorization", "task", "workflow", "runtime"];

/// Compiles expressions while a definition is read, so that mistakes in them are reported with everything else.
pub trait ExpressionCheck {
    /// `locals` are the variables that are visible besides [`STANDARD_VARIABLES`], without `$`, outermost first, each
    /// once. The error is a phrase for people.
    fn check(&self, expression: &Expression, locals: &[Arc<str>]) -> Result<(), String>;
}

/// Accepts every expression: for definitions that were checked before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unchecked;

impl ExpressionCheck for Unchecked {
    fn check(&self, _expression: &Expression, _locals: &[Arc<str>]) -> Result<(), String> {
        Ok(())
    }
}

impl Expression {
    /// The expression in a text that is wholly `${ … }`; `None` for any other text, which is then a literal.
    pub fn wrapped(text: &str) -> Option<Expression> {
        let inner = text.trim().strip_prefix("${")?.strip_suffix('}')?;
        (!inner.is_empty()).then(|| Expression(inner.trim().into()))
    }

    /// The expression of a field that always holds one: `${ }` around it is optional.
    pub fn bare_or_wrapped(text: &str) -> Expression {
        Self::wrapped(text).unwrap_or_else(|| Expression(text.trim().into()))
    }

    /// The jq text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A text that is a literal in strict mode but was probably meant as an expression: `.name`, `$item.id`.
pub(super) fn looks_bare(text: &str) -> bool {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('$') {
        return rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    }
    text.strip_prefix('.').is_some_and(|rest| {
        rest.is_empty()
            || rest
                .starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '[' | '"' | ' ' | '|'))
    })
}

/// A longer text with `${ … }` inside, which is not interpolated.
pub(super) fn embeds_expression(text: &str) -> bool {
    Expression::wrapped(text).is_none() && text.find("${").is_some_and(|start| text[start..].contains('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_text_is_an_expression() {
        let inner = |text| Expression::wrapped(text).map(|expression| expression.text().to_owned());
        assert_eq!(inner("${ .a }").as_deref(), Some(".a"));
        assert_eq!(inner("  ${\n .a |\n .b }\n").as_deref(), Some(".a |\n .b"));
        assert_eq!(inner("${ .a } and ${ .b }").as_deref(), Some(".a } and ${ .b"));
        assert_eq!(inner("${ }").as_deref(), Some(""));
        for literal in ["", "${}", ".a", "x ${ .a }", "${ .a } x", "$ { .a }", "{ .a }"] {
            assert_eq!(inner(literal), None, "{literal}");
        }
        assert_eq!(Expression::bare_or_wrapped(" .a ").text(), ".a");
        assert_eq!(Expression::bare_or_wrapped("${ .a }").text(), ".a");
    }

    #[test]
    fn texts_that_were_meant_as_expressions_are_recognized() {
        for text in [".", ".a", " .a.b", ".[0]", "$error", ". + {a: 1}", "$item.id"] {
            assert!(looks_bare(text), "{text}");
        }
        for text in ["", "a.b", "./run", "../run", "...", "$5", "${ .a }", "$", ".5"] {
            assert!(!looks_bare(text), "{text}");
        }
        assert!(embeds_expression("http://host/${ .id }"));
        assert!(!embeds_expression("${ .id }"));
        assert!(!embeds_expression("costs ${ 5"));
    }
}
