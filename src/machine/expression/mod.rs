//! Runtime expressions: jq, compiled once and run many times (Serverless Workflow DSL 1.0.3, "Runtime expressions").
//!
//! The engine is jaq with a value type, functions and definitions of our own, so that the answers are those of jq 1.7 (see the
//! table in `tests`). What cannot be answered alike: `?//`, `$__loc__`, `input_line_number`, `foreach` whose update has several
//! outputs, some regular expressions (no look-around), the digits of a number beyond its value (`1.50`, `1e2`), and integers are
//! exact up to 64 bits. An expression can neither see the machine nor end the
//! program: `env`, `input`, `debug`, `halt`, `localtime` are errors and `now` is the time of the step.
//!
//! Every evaluation has a budget of work, stack and size ([`budget`]); exceeding it is an error like any other.

mod access;
mod analysis;
mod arithmetic;
mod budget;
mod evaluator;
mod library;
mod regex;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use evaluator::{DirectEvaluator, Evaluator, WithSecrets};
pub(super) use template::{Template, expand_uri};

use crate::domain::Timestamp;
use crate::domain::definition::model::Expression as Text;
use crate::domain::definition::{ExpressionCheck, STANDARD_VARIABLES};
use analysis::Uses;
use budget::GivenUp;
use jaq_core::load::lex::Expect as LexExpect;
use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::path::{Opt, Part};
use jaq_core::{Compiler, Filter};
use library::Kind;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use value::Data;

/// Characters an expression may have.
const MAX_LENGTH: usize = 32 * 1024;
/// Brackets, pipes, commas, keywords and so on: what makes the compiler recurse.
const MAX_COMPLEXITY: usize = 2_000;
/// What compiles on any stack.
const SIMPLE: usize = 100;
/// The stack for everything else, in bytes; only what is used of it takes memory.
const COMPILER_STACK: usize = 64 * 1024 * 1024;
/// Outputs an evaluation may have; several become one array.
const MAX_OUTPUTS: usize = 100_000;
/// Characters of text plus eight for every other value that a result may have.
const MAX_RESULT_SIZE: usize = 16 * 1024 * 1024;

/// The name under which the expression itself is defined behind the functions it calls.
const ENTRY: &str = "callboard_expression";

/// A compiled expression.
pub struct Expression {
    text: Arc<str>,
    /// The variables it uses, without `$`; values are given in this order.
    variables: Vec<Arc<str>>,
    secrets: Vec<Arc<str>>,
    reads_all_secrets: bool,
    is_bounded: bool,
    form: Form,
}

enum Form {
    /// A mere path such as `.`, `.a.b[0]` or `$item.id`, which needs no jq.
    Lookup {
        root: Root,
        keys: Vec<Key>,
    },
    Filter(Box<Filter<Kind>>),
}

enum Root {
    Input,
    /// The position in the list of variables.
    Variable(usize),
}

enum Key {
    Name(String),
    Position(usize),
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl Expression {
    /// Compiles a jq text without `${ }`. `locals` are the variables that are visible besides [`STANDARD_VARIABLES`], without `$`.
    ///
    /// # Errors
    /// A phrase for people: what is wrong with the text.
    pub fn compile(text: &str, locals: &[Arc<str>]) -> Result<Self, String> {
        if complexity(text)? <= SIMPLE {
            return Self::compile_here(text, locals);
        }
        // Parser and compiler recurse as deeply as the text is nested; a long one gets a stack of its own for that.
        let builder = std::thread::Builder::new().stack_size(COMPILER_STACK);
        std::thread::scope(|scope| {
            let compiled = builder.spawn_scoped(scope, || Self::compile_here(text, locals)).map(|thread| thread.join());
            match compiled {
                Ok(Ok(compiled)) => compiled,
                Ok(Err(_)) | Err(_) => Err("the expression cannot be compiled".to_owned()),
            }
        })
    }

    fn compile_here(text: &str, locals: &[Arc<str>]) -> Result<Self, String> {
        let joined = join_surrogates(text);
        let term = parse(&joined)?;
        let uses = Uses::of(&term);
        let is_visible = |name: &str| STANDARD_VARIABLES.contains(&name) || locals.iter().any(|local| **local == *name);
        let mut variables: Vec<Arc<str>> = Vec::new();
        for name in uses.variables.iter().filter_map(|name| name.strip_prefix('$')).filter(|name| is_visible(name)) {
            if !variables.iter().any(|known| **known == *name) {
                variables.push(name.into());
            }
        }
        let form = match lookup(&term, &variables) {
            Some(form) => form,
            None => Form::Filter(Box::new(compile(term, &uses, &variables)?)),
        };
        let (secrets, reads_all_secrets) =
            (uses.secrets.iter().map(|name| name.as_str().into()).collect(), uses.reads_all_secrets);
        Ok(Self { text: text.into(), variables, secrets, reads_all_secrets, is_bounded: !uses.has_loops, form })
    }

    /// The expression `.`.
    pub(super) fn identity() -> Self {
        Self {
            text: ".".into(),
            variables: Vec::new(),
            secrets: Vec::new(),
            reads_all_secrets: false,
            is_bounded: true,
            form: Form::Lookup { root: Root::Input, keys: Vec::new() },
        }
    }

    /// The jq text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The variables it uses, without `$`. Their values are given to [`Evaluator::evaluate`] in this order.
    pub fn variables(&self) -> &[Arc<str>] {
        &self.variables
    }

    /// The secrets it reads by name.
    pub fn secrets(&self) -> &[Arc<str>] {
        &self.secrets
    }

    /// Whether it reads any secret.
    pub fn reads_secrets(&self) -> bool {
        self.reads_all_secrets || !self.secrets.is_empty()
    }

    /// Whether it uses `$secrets` otherwise than to read one named secret.
    pub fn reads_all_secrets(&self) -> bool {
        self.reads_all_secrets
    }

    /// Whether its time is bounded by its input: it has no loops such as `range`, `reduce`, `repeat`, `until`, `limit`, and no
    /// functions of its own. The others are bounded too, but only by the budget, which may take half a second.
    pub fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    /// Evaluates in place. `variables` are the values of [`Expression::variables`]. No output is `null`, several are an array.
    ///
    /// # Errors
    /// A phrase for people.
    pub fn evaluate(&self, input: &Value, variables: &[Arc<Value>], now: Timestamp) -> Result<Value, String> {
        self.evaluate_within(budget::OPERATIONS, input, variables, now)
    }

    fn evaluate_within(
        &self,
        operations: u64,
        input: &Value,
        variables: &[Arc<Value>],
        now: Timestamp,
    ) -> Result<Value, String> {
        match &self.form {
            Form::Lookup { root, keys } => {
                let start = match root {
                    Root::Input => input,
                    Root::Variable(at) => variables.get(*at).map_or(&Value::Null, |value| &**value),
                };
                follow(start, keys).cloned()
            }
            Form::Filter(filter) => {
                let result = budget::within(operations, || run(filter, input, variables, now));
                result.unwrap_or_else(|given_up| {
                    Err(match given_up {
                        GivenUp::TooMuchWork => "the expression takes too long".to_owned(),
                        GivenUp::TooDeep => "the expression recurses too deeply".to_owned(),
                        GivenUp::Panicked => "the expression cannot be evaluated".to_owned(),
                    })
                })
            }
        }
    }
}

/// Checks the expressions of a definition while it is read, by compiling them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compiles;

impl ExpressionCheck for Compiles {
    fn check(&self, expression: &Text, locals: &[Arc<str>]) -> Result<(), String> {
        Expression::compile(&expression.0, locals).map(|_| ())
    }
}

/// An upper bound of how deeply parser and compiler recurse.
fn complexity(text: &str) -> Result<usize, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("the expression is longer than {MAX_LENGTH} characters"));
    }
    let marks = text.matches(|c: char| "([{|,-+*/%<>=?;:\"".contains(c)).count();
    let words = ["try", "if", "elif", "reduce", "foreach", "def", "label", "as", "and", "or"];
    let complexity = marks + words.iter().map(|word| text.matches(word).count()).sum::<usize>();
    if complexity > MAX_COMPLEXITY {
        return Err("the expression is too complicated; split it over several tasks".to_owned());
    }
    Ok(complexity)
}

/// The text with the characters that it writes as two halves, `\ud83d\ude00`, as JSON does; the parser reads them only whole.
/// A half without the other one is the replacement character, as in jq.
fn join_surrogates(text: &str) -> Cow<'_, str> {
    let mut joined = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        joined.push_str(before);
        let high = escaped_unit(after).filter(|unit| (0xD800..0xE000).contains(unit));
        let Some(high) = high else {
            // Also an escaped backslash, whose second half begins no escape.
            let end = after.chars().next().map_or(0, char::len_utf8);
            joined.push('\\');
            joined.push_str(after.get(..end).unwrap_or_default());
            rest = after.get(end..).unwrap_or_default();
            continue;
        };
        let tail = after.get(ESCAPE..).unwrap_or_default();
        let low = tail.strip_prefix('\\').and_then(escaped_unit);
        let both = low.map(|low| char::decode_utf16([high, low]).next().and_then(Result::ok));
        joined.push(both.flatten().unwrap_or(char::REPLACEMENT_CHARACTER));
        let used = if both.flatten().is_some() { ESCAPE.saturating_add(1) } else { 0 };
        rest = tail.get(used..).unwrap_or_default();
    }
    if joined.is_empty() {
        return Cow::Borrowed(text);
    }
    joined.push_str(rest);
    Cow::Owned(joined)
}

/// The length of `u0000`.
const ESCAPE: usize = 5;

/// The unit of UTF-16 behind the backslash of an escape.
fn escaped_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok()
}

fn parse(text: &str) -> Result<Term<&str>, String> {
    // The loader says what is wrong, the parser alone gives the term.
    let arena = Arena::default();
    if let Err(errors) = Loader::new(std::iter::empty()).load(&arena, File { code: text, path: () }) {
        let mut errors = errors.into_iter().map(|(_, error)| syntax_error(text, error));
        return Err(errors.next_back().unwrap_or_else(|| "syntax error".to_owned()));
    }
    load::parse(text, |parser| parser.term()).ok_or_else(|| "modules cannot be used in an expression".to_owned())
}

fn syntax_error(text: &str, error: load::Error<&str>) -> String {
    let place = |rest: &str| match text.len().checked_sub(rest.len()).filter(|_| !rest.is_empty()) {
        Some(_) if rest.chars().count() <= 30 => format!("at '{rest}'"),
        Some(_) => format!("at '{}…'", rest.chars().take(30).collect::<String>()),
        None => "at the end".to_owned(),
    };
    match error {
        load::Error::Io(_) => "modules cannot be used in an expression".to_owned(),
        load::Error::Lex(errors) => errors.first().map_or_else(String::new, |(expected, rest)| {
            let expected = if let LexExpect::Delim(open) = expected {
                format!("no end of '{open}'")
            } else {
                format!("expected {}", expected.as_str())
            };
            format!("syntax error {}: {expected}", place(rest))
        }),
        load::Error::Parse(errors) => errors.first().map_or_else(String::new, |(expected, rest)| {
            format!("syntax error {}: expected {}", place(rest), expected.as_str())
        }),
    }
}

fn compile(term: Term<&str>, uses: &Uses, variables: &[Arc<str>]) -> Result<Filter<Kind>, String> {
    let names: Vec<String> = variables.iter().map(|name| format!("${name}")).collect();
    let body = analysis::in_the_order_of_jq(term);
    let mut definitions: Vec<Def<&str>> = library::definitions_for(&uses.calls);
    definitions.push(Def { name: ENTRY, args: Vec::new(), body });
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: ENTRY, path: () });
    let modules = modules.map_err(|_| "the expression cannot be compiled".to_owned())?;
    let compiler =
        Compiler::default().with_funs(library::functions()).with_global_vars(names.iter().map(String::as_str));
    compiler.compile(modules).map_err(|errors| {
        let undefined = errors.into_iter().flat_map(|(_, errors)| errors).map(|(name, kind)| {
            if let jaq_core::compile::Undefined::Filter(arity) = kind {
                return format!("there is no function {name}/{arity}");
            }
            format!("there is no {} {name}", kind.as_str())
        });
        undefined.collect::<Vec<_>>().join("; ")
    })
}

/// The form of a mere path.
fn lookup(term: &Term<&str>, variables: &[Arc<str>]) -> Option<Form> {
    let root_of = |term: &Term<&str>| {
        if matches!(term, Term::Id) {
            return Some(Root::Input);
        }
        let Term::Var(name) = term else { return None };
        let name = name.strip_prefix('$')?;
        variables.iter().position(|known| **known == *name).map(Root::Variable)
    };
    let (root, keys) = if let Term::Path(root, path) = term {
        let key = |(part, opt): &(Part<Term<&str>>, Opt)| match (part, opt) {
            (Part::Index(Term::Num(digits)), Opt::Essential) => digits.parse().ok().map(Key::Position),
            (Part::Index(key), Opt::Essential) => analysis::literal(key).map(Key::Name),
            _ => None,
        };
        (root_of(root)?, path.0.iter().map(key).collect::<Option<Vec<_>>>()?)
    } else {
        (root_of(term)?, Vec::new())
    };
    Some(Form::Lookup { root, keys })
}

fn follow<'v>(start: &'v Value, keys: &[Key]) -> Result<&'v Value, String> {
    keys.iter().try_fold(start, |value, key| match (value, key) {
        (Value::Null, _) => Ok(&Value::Null),
        (Value::Object(map), Key::Name(name)) => Ok(map.get(name).unwrap_or(&Value::Null)),
        (Value::Array(items), Key::Position(at)) => Ok(items.get(*at).unwrap_or(&Value::Null)),
        (value, Key::Name(name)) => Err(format!("Cannot index {} with \"{name}\"", Data::from_json(value).type_name())),
        (value, Key::Position(_)) => Err(format!("Cannot index {} with number", Data::from_json(value).type_name())),
    })
}

fn run(filter: &Filter<Kind>, input: &Value, variables: &[Arc<Value>], now: Timestamp) -> Result<Value, String> {
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "jq's time is a float")]
    let now = now.as_micros() as f64 / 1e6;
    let variables = variables.iter().map(|value| Data::from_json(value)).collect();
    let context = library::context(&filter.lut, now, variables);
    let mut outputs = Vec::new();
    for output in filter.id.run((context, Data::from_json(input))) {
        match output {
            Ok(output) => outputs.push(output),
            Err(exception) => {
                return Err(match exception.get_err() {
                    Ok(error) => error.to_string(),
                    Err(_) => "the expression breaks out of itself".to_owned(),
                });
            }
        }
        if outputs.len() > MAX_OUTPUTS {
            return Err(format!("the expression has more than {MAX_OUTPUTS} outputs"));
        }
    }
    let result = match outputs.len() {
        0 => Data::Null,
        1 => outputs.pop().unwrap_or(Data::Null),
        _ => Data::array(outputs),
    };
    if result.size() > MAX_RESULT_SIZE {
        return Err("the result of the expression is too large".to_owned());
    }
    result.to_json()
}
