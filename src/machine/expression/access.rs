//! Reading and changing parts of a value: `.key`, `.[0]`, `.[1:2]`, `.[]` and their updates, as jq answers them.

#![expect(clippy::wildcard_enum_match_arm, reason = "values of every other type are refused alike")]

use super::budget::spend_one;
use super::value::{Data, DataResult, Error, Object};
use indexmap::IndexMap;
use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValX};
use std::sync::Arc;

/// An array may not grow beyond this by an assignment to an index.
const MAX_LENGTH: i64 = 1_000_000;

fn not_iterable(value: &Data) -> Error {
    Error::str(format_args!("Cannot iterate over {}", value.described()))
}

fn not_indexable(value: &Data, index: &Data) -> Error {
    match index {
        Data::Text(key) => Error::str(format_args!("Cannot index {} with \"{key}\"", value.type_name())),
        _ => Error::str(format_args!("Cannot index {} with {}", value.type_name(), index.type_name())),
    }
}

impl jaq_core::ValT for Data {
    fn from_num(text: &str) -> DataResult {
        if let Ok(integer) = text.parse::<i64>() {
            return Ok(Data::Integer(integer));
        }
        // As in jq a fraction stays what it is until something is computed with it, even when it is zero.
        let is_whole = !text.contains('.') || text.contains(['e', 'E']);
        let number = if is_whole { Data::number } else { Data::Float };
        text.parse().map(number).map_err(|_| Error::str(format_args!("'{text}' is not a number")))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(entries: I) -> DataResult {
        let entries = entries.into_iter().map(|(key, value)| match key {
            Data::Text(key) => Ok((key, value)),
            key => Err(Error::str(format_args!("Object keys must be strings, not {}", key.described()))),
        });
        Ok(Data::object(entries.collect::<Result<_, _>>()?))
    }

    fn key_values(self) -> BoxIter<'static, Result<(Self, Self), Error>> {
        spend_one();
        match self {
            Data::Array(array) => {
                let items = Arc::unwrap_or_clone(array).into_items();
                Box::new((0_i64..).zip(items).map(|(index, item)| Ok((Data::Integer(index), item))))
            }
            Data::Object(object) => {
                let entries = Arc::unwrap_or_clone(object).into_entries();
                Box::new(entries.into_iter().map(|(key, value)| Ok((Data::Text(key), value))))
            }
            other => box_once(Err(not_iterable(&other))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = DataResult>> {
        spend_one();
        match self {
            Data::Array(array) => Box::new(Arc::unwrap_or_clone(array).into_items().into_iter().map(Ok)),
            Data::Object(object) => Box::new(Arc::unwrap_or_clone(object).into_entries().into_values().map(Ok)),
            other => box_once(Err(not_iterable(&other))),
        }
    }

    fn index(self, index: &Self) -> DataResult {
        spend_one();
        match (&self, index) {
            (Data::Null, Data::Text(_) | Data::Integer(_) | Data::Float(_) | Data::Null) => Ok(Data::Null),
            (Data::Object(object), Data::Text(key)) => Ok(object.entries().get(key).cloned().unwrap_or(Data::Null)),
            (Data::Array(array), Data::Integer(_) | Data::Float(_)) => {
                let position = position(index, array.items().len());
                Ok(position.and_then(|at| array.items().get(at)).cloned().unwrap_or(Data::Null))
            }
            (Data::Array(array), Data::Array(part)) => Ok(positions(array.items(), part.items())),
            (Data::Null, Data::Object(_)) => Ok(Data::Null),
            (Data::Array(_) | Data::Text(_), Data::Object(slice)) => {
                let (start, end) = slice_bounds(slice)?;
                self.range(Some(start)..Some(end))
            }
            _ => Err(not_indexable(&self, index)),
        }
    }

    fn range(self, range: Range<&Self>) -> DataResult {
        spend_one();
        match &self {
            Data::Null => Ok(Data::Null),
            Data::Array(array) => {
                let (start, end) = bounds(&range, array.items().len())?;
                Ok(Data::array(array.items().get(start..end).unwrap_or_default().to_vec()))
            }
            Data::Text(text) => {
                let length = text.chars().count();
                let (start, end) = bounds(&range, length)?;
                Ok(Data::text(text.chars().skip(start).take(end.saturating_sub(start)).collect::<String>()))
            }
            other => Err(Error::str(format_args!("Cannot index {} with object", other.type_name()))),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a, Self> {
        match self {
            Data::Array(array) => {
                let items = Arc::unwrap_or_clone(array).into_items().into_iter();
                // As in jq only the first output counts, and no output removes the item.
                Ok(Data::array(items.filter_map(|item| f(item).next()).collect::<Result<_, _>>()?))
            }
            Data::Object(object) => {
                let entries = Arc::unwrap_or_clone(object).into_entries().into_iter();
                let changed = entries.filter_map(|(key, value)| f(value).next().map(|value| Ok((key, value?))));
                Ok(Data::object(changed.collect::<Result<_, Exn<'a, Data>>>()?))
            }
            other => opt.fail(other, |other| Exn::from(not_iterable(&other))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, index) {
            (Data::Null, Data::Text(key)) => change_key(IndexMap::new(), key, f),
            (Data::Object(object), Data::Text(key)) => change_key(Arc::unwrap_or_clone(object).into_entries(), key, f),
            (Data::Null, Data::Integer(_) | Data::Float(_)) => change_item(Vec::new(), index, opt, f),
            (Data::Array(array), Data::Integer(_) | Data::Float(_)) => {
                change_item(Arc::unwrap_or_clone(array).into_items(), index, opt, f)
            }
            (value @ (Data::Null | Data::Array(_)), Data::Object(slice)) => {
                let (start, end) = slice_bounds(slice)?;
                value.map_range(Some(start)..Some(end), opt, f)
            }
            (value, index) => opt.fail(value, |value| Exn::from(not_indexable(&value, index))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let mut items = match self {
            Data::Null => Vec::new(),
            Data::Array(array) => Arc::unwrap_or_clone(array).into_items(),
            other => {
                let refused = |other: Data| {
                    Error::str(format_args!("Cannot update field at object index of {}", other.type_name()))
                };
                return opt.fail(other, |other| Exn::from(refused(other)));
            }
        };
        let (start, end) = bounds(&range, items.len())?;
        let part = Data::array(items.get(start..end).unwrap_or_default().to_vec());
        let replacement = match f(part).next().transpose()? {
            None => Vec::new(),
            Some(Data::Array(array)) => array.items().to_vec(),
            Some(_) => return Err(Error::str("A slice of an array can only be assigned another array").into()),
        };
        items.splice(start..end, replacement);
        Ok(Data::array(items))
    }

    fn as_bool(&self) -> bool {
        spend_one();
        self.is_truthy()
    }

    fn into_string(self) -> Self {
        match self {
            text @ Data::Text(_) => text,
            other => other.to_json_text().map_or(Data::TooDeep, Data::text),
        }
    }
}

fn change_key<'a, I: Iterator<Item = ValX<'a, Data>>>(
    mut entries: IndexMap<Arc<str>, Data>,
    key: &Arc<str>,
    f: impl Fn(Data) -> I,
) -> ValX<'a, Data> {
    let old = entries.get_mut(key).map_or(Data::Null, |value| std::mem::replace(value, Data::Null));
    match f(old).next().transpose()? {
        Some(new) => {
            entries.insert(Arc::clone(key), new);
        }
        None => {
            entries.shift_remove(key);
        }
    }
    Ok(Data::object(entries))
}

fn change_item<'a, I: Iterator<Item = ValX<'a, Data>>>(
    mut items: Vec<Data>,
    index: &Data,
    opt: Opt,
    f: impl Fn(Data) -> I,
) -> ValX<'a, Data> {
    let wanted = index.truncated();
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let wanted = if wanted < 0 { wanted.saturating_add(length) } else { wanted };
    let Ok(at) = usize::try_from(wanted) else {
        return opt.fail(Data::array(items), |_| Exn::from(Error::str("Out of bounds negative array index")));
    };
    let old = items.get_mut(at).map_or(Data::Null, |item| std::mem::replace(item, Data::Null));
    match f(old).next().transpose()? {
        Some(_) if wanted > MAX_LENGTH => return Err(Error::str("Array index too large").into()),
        Some(new) => {
            if items.len() <= at {
                items.resize(at.saturating_add(1), Data::Null);
            }
            if let Some(item) = items.get_mut(at) {
                *item = new;
            }
        }
        None if at < items.len() => {
            items.remove(at);
        }
        None => {}
    }
    Ok(Data::array(items))
}

/// The place that an index means; jq cuts off its fraction.
fn position(index: &Data, length: usize) -> Option<usize> {
    let index = index.truncated();
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { index.saturating_add(length) } else { index }).ok()
}

/// The start and the end of a slice within a length. Starts are rounded down, ends up.
fn bounds(range: &Range<&Data>, length: usize) -> Result<(usize, usize), Error> {
    let resolve = |bound: Option<&Data>, default: usize, is_end: bool| match bound {
        None | Some(Data::Null) => Ok(default),
        Some(number @ (Data::Integer(_) | Data::Float(_))) => {
            let whole = match number {
                #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "saturates")]
                Data::Float(number) => (if is_end { number.ceil() } else { number.floor() }) as i64,
                other => other.truncated(),
            };
            let size = i64::try_from(length).unwrap_or(i64::MAX);
            let absolute = if whole < 0 { whole.saturating_add(size).max(0) } else { whole.min(size) };
            Ok(usize::try_from(absolute).unwrap_or(0))
        }
        Some(_) => Err(Error::str("Start and end indices of an array slice must be numbers")),
    };
    let start = resolve(range.start, 0, false)?;
    Ok((start, resolve(range.end, length, true)?.max(start)))
}

/// Both ends of a slice that is given as an object.
fn slice_bounds(slice: &Object) -> Result<(&Data, &Data), Error> {
    let bound = |name: &str| slice.entries().get(name);
    let both = bound("start").zip(bound("end"));
    both.ok_or_else(|| Error::str("Start and end indices of an array slice must be numbers"))
}

/// Where a part occurs in an array; an empty one nowhere.
pub(super) fn positions(items: &[Data], part: &[Data]) -> Data {
    if part.is_empty() {
        return Data::array(Vec::new());
    }
    let found = (0_i64..).zip(items.windows(part.len())).filter(|(_, window)| *window == part);
    Data::array(found.map(|(at, _)| Data::Integer(at)).collect())
}

impl From<bool> for Data {
    fn from(truth: bool) -> Self {
        Data::Bool(truth)
    }
}

impl From<isize> for Data {
    fn from(number: isize) -> Self {
        spend_one();
        Data::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Data {
    fn from(number: usize) -> Self {
        Data::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Data {
    fn from(number: f64) -> Self {
        spend_one();
        Data::number(number)
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Data::text(text)
    }
}

impl From<Range<Data>> for Data {
    fn from(range: Range<Data>) -> Self {
        let bound = |name: &str, bound: Option<Data>| (Arc::from(name), bound.unwrap_or(Data::Null));
        Data::object(IndexMap::from([bound("start", range.start), bound("end", range.end)]))
    }
}

impl FromIterator<Data> for Data {
    fn from_iter<T: IntoIterator<Item = Data>>(items: T) -> Self {
        let items = items.into_iter().inspect(|_| spend_one());
        Data::array(items.collect())
    }
}

impl jaq_std::ValT for Data {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Data::Array(array) => Ok(Arc::unwrap_or_clone(array).into_items().into_iter().collect()),
            other => Err(other),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Data::Integer(_))
    }

    fn as_isize(&self) -> Option<isize> {
        if let Data::Integer(number) = self { isize::try_from(*number).ok() } else { None }
    }

    fn as_f64(&self) -> Option<f64> {
        self.as_number()
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Data::Text(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.as_text().map(|text| text.as_bytes())
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        Data::text(String::from_utf8_lossy(part).into_owned())
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Data::text(String::from_utf8_lossy(bytes.as_ref()).into_owned())
    }
}
