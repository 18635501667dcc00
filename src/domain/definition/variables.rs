//! Which global variables a jq expression reads, found in its text: for warnings, and to know its secrets beforehand.

/// One `$name` in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableUse<'e> {
    pub name: &'e str,
    /// The constant property that is read from it: `$secrets.key`, `$secrets["key"]`.
    pub property: Option<&'e str>,
}

/// The global variables an expression reads: every `$name` outside of texts and comments, each once, except names that
/// the expression binds itself with `as` or as a function parameter.
pub fn variables(expression: &str) -> Vec<VariableUse<'_>> {
    let mut bound: Vec<&str> = Vec::new();
    let mut used: Vec<VariableUse<'_>> = Vec::new();
    let mut state = State::Code;
    for token in tokens(expression) {
        state = match (state, token) {
            (_, Token::Word("as")) => State::Pattern(0),
            (_, Token::Word("def")) => State::FunctionName,
            (State::FunctionName, Token::Word(_)) => State::FunctionName,
            (State::FunctionName, Token::Mark('(')) => State::Parameters,
            (State::Parameters, Token::Mark(')')) => State::Code,
            (State::Pattern(0), Token::Mark('|' | '(')) => State::Code,
            (State::Pattern(depth), Token::Mark('[' | '{' | '(')) => State::Pattern(depth.saturating_add(1)),
            (State::Pattern(depth), Token::Mark(']' | '}' | ')')) => State::Pattern(depth.saturating_sub(1)),
            (state @ (State::Pattern(_) | State::Parameters), Token::Variable(found)) => {
                bound.push(found.name);
                state
            }
            (state @ (State::Pattern(_) | State::Parameters), Token::Word(_) | Token::Mark(_)) => state,
            (State::Code | State::FunctionName, Token::Variable(found)) => {
                if !used.contains(&found) {
                    used.push(found);
                }
                State::Code
            }
            (State::Code | State::FunctionName, Token::Word(_) | Token::Mark(_)) => State::Code,
        };
    }
    used.retain(|found| !bound.contains(&found.name));
    used
}

#[derive(Clone, Copy)]
enum State {
    Code,
    /// After `as`, at this depth of brackets.
    Pattern(usize),
    /// After `def`.
    FunctionName,
    Parameters,
}

#[derive(Clone, Copy)]
enum Token<'e> {
    Word(&'e str),
    Variable(VariableUse<'e>),
    Mark(char),
}

fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (offset, code) in code_ranges(expression) {
        let mut rest = code;
        while let Some(first) = rest.chars().next() {
            let (word, after) = split_word(rest);
            if !word.is_empty() {
                tokens.push(Token::Word(word));
                rest = after;
                continue;
            }
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            let (name, tail) = split_word(after);
            if first == '$' && !name.is_empty() {
                let end = offset.saturating_add(code.len()).saturating_sub(tail.len());
                let property = expression.get(end..).and_then(property);
                tokens.push(Token::Variable(VariableUse { name, property }));
                rest = tail;
            } else {
                if !first.is_whitespace() {
                    tokens.push(Token::Mark(first));
                }
                rest = after;
            }
        }
    }
    tokens
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The constant property at the start of what follows a variable: `.name`, `."name"`, `["name"]`.
fn property(tail: &str) -> Option<&str> {
    let tail = tail.trim_start();
    let path = tail.strip_prefix('.').map(str::trim_start);
    if let Some((name, _)) = path.map(split_word).filter(|(name, _)| !name.is_empty()) {
        return Some(name);
    }
    let path = path.unwrap_or(tail);
    let quoted = match path.strip_prefix('[') {
        Some(inner) => inner.trim_start(),
        None if tail.starts_with('.') => path,
        None => return None,
    };
    let (name, _) = quoted.strip_prefix('"')?.split_once('"')?;
    (!name.contains('\\')).then_some(name)
}

/// The stretches of a jq text that are code, with their offsets: without comments and texts, with what is inside
/// `\( … )`.
fn code_ranges(expression: &str) -> Vec<(usize, &str)> {
    let mut ranges = Vec::new();
    let mut close = |start: usize, end: usize| ranges.extend(expression.get(start..end).map(|code| (start, code)));
    // For every text we are inside of: the depth of parentheses within its current interpolation.
    let mut interpolations: Vec<usize> = Vec::new();
    let mut place = Place::Code;
    let mut start = 0;
    for (at, letter) in expression.char_indices() {
        let next = at.saturating_add(letter.len_utf8());
        place = match (place, letter) {
            (Place::Comment, '\n') | (Place::Text, '"') => {
                start = next;
                Place::Code
            }
            (Place::Comment, _) => Place::Comment,
            (Place::Escape, '(') => {
                interpolations.push(0);
                start = next;
                Place::Code
            }
            (Place::Text, '\\') => Place::Escape,
            (Place::Text | Place::Escape, _) => Place::Text,
            (Place::Code, '"' | '#') => {
                close(start, at);
                if letter == '"' { Place::Text } else { Place::Comment }
            }
            (Place::Code, ')') if interpolations.last() == Some(&0) => {
                interpolations.pop();
                close(start, at);
                Place::Text
            }
            (Place::Code, '(' | ')') => {
                if let Some(depth) = interpolations.last_mut() {
                    *depth = if letter == '(' { depth.saturating_add(1) } else { depth.saturating_sub(1) };
                }
                Place::Code
            }
            (Place::Code, _) => Place::Code,
        };
    }
    if matches!(place, Place::Code) {
        close(start, expression.len());
    }
    ranges
}

#[derive(Clone, Copy)]
enum Place {
    Code,
    Comment,
    Text,
    /// After a backslash in a text.
    Escape,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(&str, Option<&str>)> {
        variables(text).into_iter().map(|found| (found.name, found.property)).collect()
    }

    #[test]
    fn variables_are_found_in_code_and_interpolations_only() {
        assert_eq!(names(".a + $b"), [("b", None)]);
        let text = "\"no $a but \\($b) and \\( \"\\($c)\" )\" # nor $d\n | $e";
        assert_eq!(names(text), [("b", None), ("c", None), ("e", None)]);
        assert_eq!(names("\"\\(($a | f(1)) + $b) $c\" | $d"), [("a", None), ("b", None), ("d", None)]);
    }

    #[test]
    fn constant_properties_are_told() {
        let text = "$secrets.key + $secrets[\"other\"] + $secrets.\"third\" + $secrets";
        let wanted =
            [("secrets", Some("key")), ("secrets", Some("other")), ("secrets", Some("third")), ("secrets", None)];
        assert_eq!(names(text), wanted);
        assert_eq!(names("$secrets[$x]"), [("secrets", None), ("x", None)]);
        assert_eq!(names("$secrets | .x"), [("secrets", None)]);
    }

    #[test]
    fn what_the_expression_binds_itself_is_no_global() {
        assert!(names(". as $output | $output").is_empty());
        assert!(names(". as [$output, {a: $input}] | $output + $input").is_empty());
        assert!(names("reduce .[] as $item (0; . + $item)").is_empty());
        assert_eq!(names("def f($x; $y): $x + $y; f(1; $z)"), [("z", None)]);
        assert_eq!(names("def f: $a; f"), [("a", None)]);
        assert_eq!(names("foreach .[] as {a: $x} (0; $x; $y)"), [("y", None)]);
    }
}
