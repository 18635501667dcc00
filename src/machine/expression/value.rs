//! Values as expressions see them: JSON with the semantics of jq 1.7.
//!
//! `jaq-json` has a value type of its own, which distinguishes integers from floats, divides by zero and orders keys otherwise
//! than jq; the workflow language demands jq, so this type answers as jq does. Integers are exact up to 64 bits, which jq only
//! is up to 53. A value nested deeper than [`MAX_DEPTH`] becomes [`Data::TooDeep`], an error in every use of it: dropping a
//! deeper one would overflow the stack.

use super::budget::{spend_one, spend_size};
use super::text::write_json;
use indexmap::IndexMap;
use serde_json::{Map, Number, Value};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// How deep arrays and objects may be nested.
pub(super) const MAX_DEPTH: u16 = 256;

const TOO_DEEP: &str = "the value is nested more than 256 levels deep";

/// No more of a value than this is put into the text of an error.
const MAX_SHOWN: usize = 80;

pub(super) type Error = jaq_core::Error<Data>;
pub(super) type DataResult = Result<Data, Error>;

/// One value.
#[derive(Debug)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Integer(i64),
    /// A whole number that fits an integer is only a float when it was written as one (`1.0`) and nothing was computed with it.
    Float(f64),
    Text(Arc<str>),
    Array(Arc<Array>),
    Object(Arc<Object>),
    TooDeep,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Array {
    /// 1 for an array of scalars.
    depth: u16,
    items: Vec<Data>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    depth: u16,
    entries: IndexMap<Arc<str>, Data>,
}

impl Clone for Data {
    fn clone(&self) -> Self {
        spend_one();
        match self {
            Self::Null => Self::Null,
            Self::Bool(truth) => Self::Bool(*truth),
            Self::Integer(number) => Self::Integer(*number),
            Self::Float(number) => Self::Float(*number),
            Self::Text(text) => Self::Text(Arc::clone(text)),
            Self::Array(array) => Self::Array(Arc::clone(array)),
            Self::Object(object) => Self::Object(Arc::clone(object)),
            Self::TooDeep => Self::TooDeep,
        }
    }
}

impl Array {
    pub(super) fn items(&self) -> &[Data] {
        &self.items
    }

    pub(super) fn into_items(self) -> Vec<Data> {
        self.items
    }
}

impl Object {
    pub(super) fn entries(&self) -> &IndexMap<Arc<str>, Data> {
        &self.entries
    }

    pub(super) fn into_entries(self) -> IndexMap<Arc<str>, Data> {
        self.entries
    }

    /// The entries in the order of their keys, as jq compares and lists them.
    pub(super) fn sorted(&self) -> Vec<(&Arc<str>, &Data)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }
}

impl Data {
    /// A computed number; whole ones become integers.
    pub(super) fn number(number: f64) -> Self {
        // 2^63 itself is not an i64 any more.
        if number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0 {
            #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "integral and in range")]
            return Self::Integer(number as i64);
        }
        Self::Float(number)
    }

    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        spend_size(text.len());
        Self::Text(text)
    }

    pub(super) fn array(items: Vec<Data>) -> Self {
        spend_size(items.len());
        match inner_depth(items.iter()) {
            Some(depth) => Self::Array(Arc::new(Array { depth, items })),
            None => Self::TooDeep,
        }
    }

    pub(super) fn object(entries: IndexMap<Arc<str>, Data>) -> Self {
        spend_size(entries.len());
        match inner_depth(entries.values()) {
            Some(depth) => Self::Object(Arc::new(Object { depth, entries })),
            None => Self::TooDeep,
        }
    }

    fn depth(&self) -> u16 {
        match self {
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::Text(_) => 0,
            Self::Array(array) => array.depth,
            Self::Object(object) => object.depth,
            Self::TooDeep => MAX_DEPTH,
        }
    }

    /// Changes an array in place when nobody else holds it.
    pub(super) fn change_array(array: Arc<Array>, change: impl FnOnce(&mut Vec<Data>)) -> Self {
        let mut items = Arc::unwrap_or_clone(array).items;
        change(&mut items);
        Self::array(items)
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "jq's numbers are floats")]
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) | Self::TooDeep => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn is_truthy(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// jq's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Integer(_) | Self::Float(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::TooDeep => "too deeply nested value",
        }
    }

    /// The type and the beginning of the value, for errors.
    pub(super) fn described(&self) -> String {
        format!("{} ({self})", self.type_name())
    }

    pub(super) fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::text(text.as_str()),
            Value::Array(items) => Self::array(items.iter().map(Self::from_json).collect()),
            Value::Object(map) => {
                Self::object(map.iter().map(|(key, value)| (Arc::from(key.as_str()), Self::from_json(value))).collect())
            }
        }
    }

    /// The value as JSON; numbers that JSON does not have become `null`.
    ///
    /// # Errors
    /// When the value is nested too deeply.
    pub(super) fn to_json(&self) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Integer(number) => Value::from(*number),
            Self::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Array(array) => Value::Array(array.items.iter().map(Self::to_json).collect::<Result<_, _>>()?),
            Self::Object(object) => {
                let entries = object.entries.iter().map(|(key, value)| Ok((key.to_string(), value.to_json()?)));
                Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
            }
            Self::TooDeep => return Err(TOO_DEEP.to_owned()),
        })
    }

    /// Characters of text plus eight for every other value in it.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::TooDeep => 8,
            Self::Text(text) => text.len().saturating_add(8),
            Self::Array(array) => array.items.iter().fold(8, |sum, item| sum.saturating_add(item.size())),
            Self::Object(object) => {
                let entries = object.entries.iter();
                entries.fold(8, |sum, (key, value)| sum.saturating_add(key.len()).saturating_add(value.size()))
            }
        }
    }

    /// The JSON text, as `tojson` and `tostring` write it.
    pub(super) fn to_json_text(&self) -> Result<String, Error> {
        if let Self::TooDeep = self {
            return Err(Error::str(TOO_DEEP));
        }
        let mut text = String::new();
        write_json(self, &mut text);
        spend_size(text.len());
        Ok(text)
    }
}

/// The depth of a container of these; `None` when that is too deep.
fn inner_depth<'a>(mut items: impl Iterator<Item = &'a Data>) -> Option<u16> {
    let deepest = items.try_fold(0, |deepest: u16, item| {
        let depth = item.depth();
        (depth < MAX_DEPTH).then(|| deepest.max(depth))
    })?;
    Some(deepest.saturating_add(1))
}

/// For errors: long values are cut.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Text(text) = self {
            return match text.char_indices().nth(MAX_SHOWN) {
                Some((end, _)) => write!(f, "{}…", text.get(..end).unwrap_or_default()),
                None => f.write_str(text),
            };
        }
        let text = self.to_json_text().unwrap_or_else(|_| TOO_DEEP.to_owned());
        match text.char_indices().nth(MAX_SHOWN) {
            Some((end, _)) => write!(f, "{}…", text.get(..end).unwrap_or_default()),
            None => f.write_str(&text),
        }
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        spend_one();
        match (self, other) {
            (Self::Float(left), Self::Float(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Array(left), Self::Array(right)) => left.items == right.items,
            (Self::Object(left), Self::Object(right)) => left.entries == right.entries,
            (left, right) => left.cmp(right) == Ordering::Equal,
        }
    }
}

impl Eq for Data {}

/// jq: `nan` is smaller than every number, itself included.
#[expect(
    clippy::non_canonical_partial_ord_impl,
    reason = "only the operators see nan as smaller than itself; sorting may not"
)]
impl PartialOrd for Data {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Float(left), Self::Float(right)) if left.is_nan() && right.is_nan() => Some(Ordering::Less),
            (left, right) => Some(left.cmp(right)),
        }
    }
}

impl Ord for Data {
    fn cmp(&self, other: &Self) -> Ordering {
        spend_one();
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Integer(_) | Self::Float(_), Self::Integer(_) | Self::Float(_)) => {
                let (left, right) = (self.as_number().unwrap_or(f64::NAN), other.as_number().unwrap_or(f64::NAN));
                match (left.is_nan(), right.is_nan()) {
                    (true, true) => Ordering::Equal,
                    (true, false) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                    (false, false) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
                }
            }
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Array(left), Self::Array(right)) => left.items.cmp(&right.items),
            (Self::Object(left), Self::Object(right)) => {
                let (left, right) = (left.sorted(), right.sorted());
                let keys = left.iter().map(|(key, _)| key).cmp(right.iter().map(|(key, _)| key));
                keys.then_with(|| left.iter().map(|(_, value)| value).cmp(right.iter().map(|(_, value)| value)))
            }
            (left, right) => left.rank().cmp(&right.rank()),
        }
    }
}

impl Data {
    /// jq's order of the types.
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Integer(_) | Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Array(_) => 5,
            Self::Object(_) => 6,
            Self::TooDeep => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_round_trips() {
        let value = json!({"a": [1, -2.5, "x", null, true], "big": 9_007_199_254_740_993_i64, "b": {}});
        assert_eq!(Data::from_json(&value).to_json(), Ok(value));
        assert_eq!(Data::from_json(&json!(2.0)).to_json(), Ok(json!(2.0)));
        assert_eq!(Data::number(2.0).to_json(), Ok(json!(2)));
        assert_eq!(Data::Float(f64::INFINITY).to_json(), Ok(Value::Null));
    }

    #[test]
    fn what_is_nested_too_deeply_is_an_error_and_not_a_stack_overflow() {
        let mut value = Data::Null;
        for _ in 0..100_000 {
            value = Data::array(vec![value]);
        }
        assert!(value.to_json().is_err());
        let mut value = Data::Null;
        for _ in 0..MAX_DEPTH {
            value = Data::array(vec![value]);
        }
        assert!(value.to_json().is_ok());
    }
}
