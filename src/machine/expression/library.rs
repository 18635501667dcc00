//! The functions expressions may call: those of jaq without the impure ones, and ours where jq answers otherwise.
//!
//! The definitions that are written in jq themselves (`prelude.jq` and jaq's) are parsed once; an expression is compiled with
//! just those that it reaches, which keeps a compiled expression small.

#![expect(clippy::wildcard_enum_match_arm, reason = "values of every other type are refused alike")]

use super::access::positions;
use super::analysis::calls;
use super::arithmetic::{range, split};
use super::budget::{spend_one, spend_size};
use super::regex::{self, Parts};
use super::value::{Data, DataResult, Error};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jaq_core::data::HasLut;
use jaq_core::load::parse::Def;
use jaq_core::native::{Fun, bome, run, unary, v};
use jaq_core::{Bind, Ctx, DataT, Lut, RunPtr, ValT, load};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// The kind of data our filters work on.
pub(super) struct Kind;

/// What a running filter knows besides its input.
pub(super) struct Environment<'a> {
    lut: &'a Lut<Kind>,
    /// Seconds since 1970: what `now` answers.
    now: f64,
}

impl Clone for Environment<'_> {
    /// Calls of functions clone the environment, so that even a recursion that touches no value spends.
    fn clone(&self) -> Self {
        spend_one();
        Self { lut: self.lut, now: self.now }
    }
}

impl DataT for Kind {
    type V<'a> = Data;
    type Data<'a> = Environment<'a>;
}

impl<'a> HasLut<'a, Kind> for Environment<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

type Native = (&'static str, Box<[Bind]>, RunPtr<Kind>);

/// Native functions of jaq that have no place here, with the reason.
const FORBIDDEN: [(&str, usize, &str); 8] = [
    ("halt", 1, "an expression cannot end the program"),
    ("env", 0, "an expression cannot see the environment of the program"),
    ("localtime", 0, "the time zone of the machine must not matter; use gmtime"),
    ("strflocaltime", 1, "the time zone of the machine must not matter; use strftime"),
    ("debug_empty", 0, "an expression cannot print"),
    ("stderr_empty", 0, "an expression cannot print"),
    ("input", 0, "there is no further input"),
    ("inputs", 0, "there is no further input"),
];

/// All native functions.
pub(super) fn functions() -> Vec<Fun<Kind>> {
    let mut functions: Vec<Fun<Kind>> = own().into_iter().map(run::<Kind>).collect();
    functions.extend(forbidden().into_iter().map(run::<Kind>));
    let known: HashSet<(&str, usize)> = functions.iter().map(|(name, arguments, _)| (*name, arguments.len())).collect();
    let others = jaq_core::funs::<Kind>().chain(jaq_std::funs::<Kind>());
    functions.extend(others.filter(|(name, arguments, _)| !known.contains(&(*name, arguments.len()))));
    functions
}

fn forbidden() -> Vec<Native> {
    fn refuse(index: usize) -> DataResult {
        let (name, _, why) = FORBIDDEN.get(index).copied().unwrap_or_default();
        let name = name.trim_end_matches("_empty");
        Err(Error::str(format_args!("'{name}' is not available: {why}")))
    }
    vec![
        ("halt", v(1), |_| bome(refuse(0))),
        ("env", v(0), |_| bome(refuse(1))),
        ("localtime", v(0), |_| bome(refuse(2))),
        ("strflocaltime", v(1), |_| bome(refuse(3))),
        ("debug_empty", v(0), |_| bome(refuse(4))),
        ("stderr_empty", v(0), |_| bome(refuse(5))),
        ("input", v(0), |_| bome(refuse(6))),
        ("inputs", v(0), |_| bome(refuse(7))),
    ]
}

fn own() -> Vec<Native> {
    vec![
        ("range", v(3), |mut cv| {
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            range(from, to, by)
        }),
        ("now", v(0), |cv| bome(Ok(Data::number(cv.0.data().now)))),
        ("number_nan", v(0), |_| bome(Ok(Data::Float(f64::NAN)))),
        ("number_infinite", v(0), |_| bome(Ok(Data::Float(f64::INFINITY)))),
        ("number_is_nan", v(0), |cv| bome(is_nan(&cv.1))),
        ("type_name", v(0), |cv| bome(Ok(Data::text(cv.1.type_name())))),
        ("tojson", v(0), |cv| bome(cv.1.to_json_text().map(Data::text))),
        ("fromjson", v(0), |cv| bome(from_json_text(&cv.1))),
        ("tonumber", v(0), |cv| bome(to_number(cv.1))),
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("has", v(1), |cv| unary(cv, |value, key| has(&value, &key))),
        ("contains", v(1), |cv| unary(cv, |value, part| contains(&value, &part).map(Data::Bool))),
        ("indices", v(1), |cv| unary(cv, |value, part| indices(&value, &part))),
        ("bsearch", v(1), |cv| unary(cv, |value, wanted| search(&value, &wanted))),
        ("keys", v(0), |cv| bome(keys(&cv.1))),
        ("reverse", v(0), |cv| bome(reverse(cv.1))),
        ("decode_base64", v(0), |cv| bome(decode_base64(&cv.1))),
        ("matches", v(2), |cv| regex::search(cv, Parts::Matches)),
        ("split_matches", v(2), |cv| regex::search(cv, Parts::Both)),
        ("split_", v(2), |cv| regex::search(cv, Parts::Between)),
        ("split", v(1), |cv| unary(cv, |text, separator| split_text(&text, &separator))),
        ("ltrimstr", v(1), |cv| {
            unary(cv, |text, prefix| Ok(trimmed(text, &prefix, |text, prefix| text.strip_prefix(prefix))))
        }),
        ("rtrimstr", v(1), |cv| {
            unary(cv, |text, suffix| Ok(trimmed(text, &suffix, |text, suffix| text.strip_suffix(suffix))))
        }),
        ("delete_path", v(1), |cv| unary(cv, |value, path| delete_path(value, &path))),
        ("escape_html_as_jq", v(0), |cv| {
            bome(escape(&cv.1, &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('\'', "&#39;"), ('"', "&quot;")]))
        }),
        ("escape_tsv", v(0), |cv| bome(escape(&cv.1, &[('\\', "\\\\"), ('\t', "\\t"), ('\n', "\\n"), ('\r', "\\r")]))),
    ]
}

fn is_nan(value: &Data) -> DataResult {
    match value.as_number() {
        Some(number) => Ok(Data::Bool(number.is_nan())),
        None => Err(Error::str(format_args!("{} number required", value.described()))),
    }
}

fn from_json_text(value: &Data) -> DataResult {
    let Some(text) = value.as_text() else {
        return Err(Error::str(format_args!("{} only strings can be parsed", value.described())));
    };
    spend_size(text.len().saturating_mul(8));
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
    parsed
        .map(|value| Data::from_json(&value))
        .map_err(|error| Error::str(format_args!("{error} (while parsing '{value}')")))
}

fn to_number(value: Data) -> DataResult {
    match &value {
        Data::Integer(_) | Data::Float(_) => Ok(value),
        Data::Text(text) => {
            let trimmed = text.trim();
            let looks_like_one = trimmed.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
            let number = if looks_like_one { Data::from_num(trimmed) } else { Err(Error::str("")) };
            number.map_err(|_| Error::str(format_args!("Cannot parse '{text}' as a number")))
        }
        Data::Null | Data::Bool(_) | Data::Array(_) | Data::Object(_) | Data::TooDeep => {
            Err(Error::str(format_args!("{} cannot be parsed as a number", value.described())))
        }
    }
}

fn count(length: usize) -> Data {
    Data::from(length)
}

fn length(value: &Data) -> DataResult {
    match value {
        Data::Null => Ok(Data::Integer(0)),
        Data::Text(text) => Ok(count(text.chars().count())),
        Data::Array(array) => Ok(count(array.items().len())),
        Data::Object(object) => Ok(count(object.entries().len())),
        Data::Integer(_) | Data::Float(_) => Ok(Data::number(value.as_number().unwrap_or(f64::NAN).abs())),
        Data::Bool(_) | Data::TooDeep => Err(Error::str(format_args!("{} has no length", value.described()))),
    }
}

fn has(value: &Data, key: &Data) -> DataResult {
    match (value, key) {
        (Data::Object(object), Data::Text(key)) => Ok(Data::Bool(object.entries().contains_key(key))),
        (Data::Array(array), Data::Integer(_) | Data::Float(_)) => {
            let inside = usize::try_from(key.truncated()).is_ok_and(|at| at < array.items().len());
            Ok(Data::Bool(inside))
        }
        _ => Err(Error::str(format_args!("Cannot check whether {} has a {} key", value.type_name(), key.type_name()))),
    }
}

fn contains(value: &Data, part: &Data) -> Result<bool, Error> {
    match (value, part) {
        (Data::Object(value), Data::Object(part)) => {
            for (key, part) in part.entries() {
                match value.entries().get(key) {
                    Some(value) if contains(value, part)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Data::Array(value), Data::Array(part)) => {
            for part in part.items() {
                let mut found = false;
                for value in value.items() {
                    found |= value.type_name() == part.type_name() && contains(value, part)?;
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Data::Text(value), Data::Text(part)) => Ok(value.contains(&**part)),
        (value, part) if value.type_name() == part.type_name() => Ok(value == part),
        (value, part) => {
            let (value, part) = (value.described(), part.described());
            Err(Error::str(format_args!("{value} and {part} cannot have their containment checked")))
        }
    }
}

fn indices(value: &Data, part: &Data) -> DataResult {
    match (value, part) {
        (Data::Null, _) => Ok(Data::Null),
        (Data::Text(text), Data::Text(part)) => {
            if part.is_empty() {
                return Ok(Data::array(Vec::new()));
            }
            spend_size(text.len());
            // Overlapping occurrences count, as in jq; positions are in characters.
            let at = text
                .char_indices()
                .enumerate()
                .filter(|(_, (byte, _))| text.get(*byte..).is_some_and(|rest| rest.starts_with(&**part)));
            Ok(Data::array(at.map(|(position, _)| count(position)).collect()))
        }
        (Data::Array(array), Data::Array(part)) => Ok(positions(array.items(), part.items())),
        (Data::Array(array), part) => Ok(positions(array.items(), std::slice::from_ref(part))),
        _ => Err(Error::str(format_args!(
            "Cannot determine the indices of {} in {}",
            part.described(),
            value.type_name()
        ))),
    }
}

fn search(value: &Data, wanted: &Data) -> DataResult {
    let Data::Array(array) = value else {
        return Err(Error::str(format_args!("{} cannot be searched from", value.described())));
    };
    Ok(match array.items().binary_search(wanted) {
        Ok(at) => count(at),
        Err(at) => Data::Integer((-1_i64).saturating_sub(i64::try_from(at).unwrap_or(i64::MAX))),
    })
}

fn keys(value: &Data) -> DataResult {
    match value {
        Data::Array(array) => Ok(Data::array((0..array.items().len()).map(count).collect())),
        Data::Object(object) => {
            Ok(Data::array(object.sorted().into_iter().map(|(key, _)| Data::Text(key.clone())).collect()))
        }
        other => Err(Error::str(format_args!("{} has no keys", other.described()))),
    }
}

/// What has no elements is an empty array backwards, as in jq.
fn reverse(value: Data) -> DataResult {
    match value {
        Data::Array(array) => Ok(Data::change_array(array, |items| items.reverse())),
        Data::Text(text) => Ok(Data::text(text.chars().rev().collect::<String>())),
        Data::Null => Ok(Data::array(Vec::new())),
        Data::Object(object) if object.entries().is_empty() => Ok(Data::array(Vec::new())),
        value @ (Data::Bool(_) | Data::Integer(_) | Data::Float(_) | Data::Object(_) | Data::TooDeep) => {
            Err(Error::str(format_args!("{} cannot be reversed", value.described())))
        }
    }
}

/// Padding may be missing; bytes that are no UTF-8 are replaced.
fn decode_base64(value: &Data) -> DataResult {
    let options = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoder = GeneralPurpose::new(&alphabet::STANDARD, options.with_decode_allow_trailing_bits(true));
    let bytes = value.as_text().and_then(|text| decoder.decode(text.as_bytes()).ok());
    let bytes = bytes.ok_or_else(|| Error::str(format_args!("{} is not valid base64 data", value.described())))?;
    Ok(Data::text(String::from_utf8_lossy(&bytes)))
}

fn split_text(text: &Data, separator: &Data) -> DataResult {
    match (text, separator) {
        (Data::Text(text), Data::Text(separator)) => Ok(split(text, separator)),
        _ => Err(Error::str("split input and separator must be strings")),
    }
}

fn trimmed(text: Data, part: &Data, strip: for<'t, 'p> fn(&'t str, &'p str) -> Option<&'t str>) -> Data {
    let stripped = match (text.as_text(), part.as_text()) {
        (Some(whole), Some(part)) => strip(whole, part).map(Data::text),
        _ => None,
    };
    stripped.unwrap_or(text)
}

/// Removes what is at a path; nothing when there is nothing.
fn delete_path(value: Data, path: &Data) -> DataResult {
    let Data::Array(path) = path else { return Err(Error::str("Path must be specified as an array")) };
    delete(value, path.items())
}

fn delete(value: Data, path: &[Data]) -> DataResult {
    let Some((first, rest)) = path.split_first() else { return Ok(Data::Null) };
    if matches!(value, Data::Null) {
        return Ok(Data::Null);
    }
    if !rest.is_empty() {
        let inner = value.clone().index(first)?;
        if matches!(inner, Data::Null) {
            return Ok(value);
        }
        let changed = delete(inner, rest)?;
        return replace(value, first, Some(changed));
    }
    replace(value, first, None)
}

fn replace(value: Data, index: &Data, new: Option<Data>) -> DataResult {
    let change = |_| new.clone().map(Ok).into_iter();
    let changed = value.map_index(index, jaq_core::path::Opt::Essential, change);
    changed.map_err(|exception| exception.get_err().unwrap_or_else(|_| Error::str("the path cannot be deleted")))
}

fn escape(value: &Data, replacements: &[(char, &str)]) -> DataResult {
    let Some(text) = value.as_text() else {
        return Err(Error::str(format_args!("{} is not a string", value.described())));
    };
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match replacements.iter().find(|(from, _)| *from == character) {
            Some((_, to)) => escaped.push_str(to),
            None => escaped.push(character),
        }
    }
    Ok(Data::text(escaped))
}

/// Every definition by name and arity, with what it calls.
static DEFINITIONS: LazyLock<HashMap<Signature, Definition>> = LazyLock::new(|| {
    let natives: HashSet<Signature> =
        own().iter().map(|(name, arguments, _)| signature(name, arguments.len())).collect();
    let theirs = jaq_core::defs().chain(jaq_std::defs());
    let theirs = theirs.filter(|definition| !natives.contains(&signature(definition.name, definition.args.len())));
    let ours = load::parse(include_str!("prelude.jq"), |parser| parser.defs()).unwrap_or_default();
    let with_calls = theirs.chain(ours).map(|definition| {
        let calls = calls(&definition.body).iter().map(|(name, arity)| signature(name, *arity)).collect();
        (signature(definition.name, definition.args.len()), Definition { calls, definition })
    });
    with_calls.collect()
});

struct Definition {
    calls: Vec<Signature>,
    definition: Def<&'static str>,
}

/// `name/arity`.
type Signature = String;

fn signature(name: &str, arity: usize) -> Signature {
    format!("{name}/{arity}")
}

/// The definitions that these calls reach, each after those it calls itself.
pub(super) fn definitions_for(called: &[(String, usize)]) -> Vec<Def<&'static str>> {
    let mut seen = HashSet::new();
    let mut ordered = Vec::new();
    for (name, arity) in called {
        reach(&signature(name, *arity), &mut seen, &mut ordered);
    }
    ordered
}

fn reach(wanted: &str, seen: &mut HashSet<Signature>, ordered: &mut Vec<Def<&'static str>>) {
    let Some(found) = DEFINITIONS.get(wanted) else { return };
    if !seen.insert(wanted.to_owned()) {
        return;
    }
    for called in &found.calls {
        reach(called, seen, ordered);
    }
    ordered.push(found.definition.clone());
}

/// A context to run a filter in.
pub(super) fn context<'a>(lut: &'a Lut<Kind>, now: f64, variables: Vec<Data>) -> Ctx<'a, Kind> {
    Ctx::new(Environment { lut, now }, jaq_core::Vars::new(variables))
}
