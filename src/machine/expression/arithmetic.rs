//! `+ - * / %` and negation, with the answers of jq.

#![expect(clippy::wildcard_enum_match_arm, reason = "values of every other type are refused alike")]

use super::budget::spend_size;
use super::value::{Data, DataResult, Error};
use jaq_core::native::bome;
use jaq_core::{Exn, ValXs};
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::sync::Arc;

/// No text is made longer than this by repetition, in bytes.
const MAX_REPEATED: usize = 16 * 1024 * 1024;

fn refused(left: &Data, right: &Data, verb: &str) -> Error {
    Error::str(format_args!("{} and {} cannot be {verb}", left.described(), right.described()))
}

/// Both numbers as floats.
fn floats(left: &Data, right: &Data) -> Option<(f64, f64)> {
    Some((left.as_number()?, right.as_number()?))
}

impl Add for Data {
    type Output = DataResult;

    fn add(self, other: Self) -> DataResult {
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => Ok(other),
            (Self::Integer(left), Self::Integer(right)) if left.checked_add(right).is_some() => {
                Ok(Self::Integer(left.saturating_add(right)))
            }
            (Self::Text(left), Self::Text(right)) => Ok(Self::text([&*left, &*right].concat())),
            (Self::Array(left), Self::Array(right)) => {
                Ok(Self::change_array(left, |items| items.extend(right.items().iter().cloned())))
            }
            (Self::Object(left), Self::Object(right)) => {
                let mut entries = Arc::unwrap_or_clone(left).into_entries();
                entries.extend(right.entries().iter().map(|(key, value)| (Arc::clone(key), value.clone())));
                Ok(Self::object(entries))
            }
            (left, right) => match floats(&left, &right) {
                Some((left, right)) => Ok(Self::number(left + right)),
                None => Err(refused(&left, &right, "added")),
            },
        }
    }
}

impl Sub for Data {
    type Output = DataResult;

    fn sub(self, other: Self) -> DataResult {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) if left.checked_sub(right).is_some() => {
                Ok(Self::Integer(left.saturating_sub(right)))
            }
            (Self::Array(left), Self::Array(right)) => {
                Ok(Self::change_array(left, |items| items.retain(|item| !right.items().contains(item))))
            }
            (left, right) => match floats(&left, &right) {
                Some((left, right)) => Ok(Self::number(left - right)),
                None => Err(refused(&left, &right, "subtracted")),
            },
        }
    }
}

impl Mul for Data {
    type Output = DataResult;

    fn mul(self, other: Self) -> DataResult {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) if left.checked_mul(right).is_some() => {
                Ok(Self::Integer(left.saturating_mul(right)))
            }
            (Self::Object(left), Self::Object(right)) => Ok(merged(Self::Object(left), &Self::Object(right))),
            (Self::Text(text), number @ (Self::Integer(_) | Self::Float(_)))
            | (number @ (Self::Integer(_) | Self::Float(_)), Self::Text(text)) => {
                repeated(&text, number.as_number().unwrap_or(0.0))
            }
            (left, right) => match floats(&left, &right) {
                Some((left, right)) => Ok(Self::number(left * right)),
                None => Err(refused(&left, &right, "multiplied")),
            },
        }
    }
}

/// jq 1.7: `"ab" * 2.5` repeats three times, zero and less make `null`.
fn repeated(text: &str, times: f64) -> DataResult {
    if times.is_nan() || times <= 0.0 {
        return Ok(Data::Null);
    }
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let times = times.ceil() as usize;
    if text.len().checked_mul(times).is_none_or(|size| size > MAX_REPEATED) {
        return Err(Error::str("the repeated string would be too long"));
    }
    spend_size(text.len().saturating_mul(times));
    Ok(Data::text(text.repeat(times)))
}

/// Objects are merged at every depth, everything else is replaced.
fn merged(left: Data, right: &Data) -> Data {
    match (left, right) {
        (Data::Object(left), Data::Object(right)) => {
            let mut entries = Arc::unwrap_or_clone(left).into_entries();
            for (key, value) in right.entries() {
                let value = match entries.get_mut(key) {
                    Some(known) => merged(std::mem::replace(known, Data::Null), value),
                    None => value.clone(),
                };
                entries.insert(Arc::clone(key), value);
            }
            Data::object(entries)
        }
        (_, right) => right.clone(),
    }
}

impl Div for Data {
    type Output = DataResult;

    fn div(self, other: Self) -> DataResult {
        match (self, other) {
            (left, right) if left.as_number().is_some() && right.as_number() == Some(0.0) => {
                let message = "cannot be divided because the divisor is zero";
                Err(Error::str(format_args!("{} and {} {message}", left.described(), right.described())))
            }
            (Self::Integer(left), Self::Integer(right)) if left.checked_rem(right) == Some(0) => {
                Ok(Self::Integer(left.wrapping_div(right)))
            }
            (Self::Text(text), Self::Text(separator)) => Ok(split(&text, &separator)),
            (left, right) => match floats(&left, &right) {
                Some((left, right)) => Ok(Self::number(left / right)),
                None => Err(refused(&left, &right, "divided")),
            },
        }
    }
}

pub(super) fn split(text: &str, separator: &str) -> Data {
    spend_size(text.len());
    if text.is_empty() {
        return Data::array(Vec::new());
    }
    if separator.is_empty() {
        return Data::array(text.chars().map(|character| Data::text(character.to_string())).collect());
    }
    Data::array(text.split(separator).map(Data::text).collect())
}

impl Rem for Data {
    type Output = DataResult;

    /// As in jq both sides are cut to integers; the result has the sign of the left one.
    fn rem(self, other: Self) -> DataResult {
        let Some((left, right)) = floats(&self, &other) else {
            return Err(refused(&self, &other, "divided"));
        };
        if left.is_nan() || right.is_nan() {
            return Ok(Self::Float(f64::NAN));
        }
        let (left, right) = (self.truncated(), other.truncated());
        if right == 0 {
            let message = "cannot be divided because the divisor is zero";
            return Err(Error::str(format_args!("{} and {} {message}", self.described(), other.described())));
        }
        Ok(Self::Integer(left.checked_rem(right).unwrap_or(0)))
    }
}

impl Neg for Data {
    type Output = DataResult;

    fn neg(self) -> DataResult {
        match self {
            Self::Integer(number) if number != i64::MIN => Ok(Self::Integer(-number)),
            other => match other.as_number() {
                Some(number) => Ok(Self::number(-number)),
                None => Err(Error::str(format_args!("{} cannot be negated", other.described()))),
            },
        }
    }
}

impl Data {
    /// The number without its fraction; 0 for anything else.
    pub(super) fn truncated(&self) -> i64 {
        match self {
            Self::Integer(number) => *number,
            #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "saturates")]
            Self::Float(number) => *number as i64,
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) | Self::TooDeep => 0,
        }
    }
}

/// The numbers from one to before another; none with a step of 0, as in jq 1.7.
pub(super) fn range<'a>(from: Data, to: Data, by: Data) -> ValXs<'a, Data> {
    let (Some(_), Some(_), Some(step)) = (from.as_number(), to.as_number(), by.as_number()) else {
        return bome(Err(Error::str("Range bounds must be numeric")));
    };
    let mut next = Some(Ok(from));
    Box::new(std::iter::from_fn(move || {
        let number = match next.take()? {
            Ok(number) => number,
            Err(error) => return Some(Err(Exn::from(error))),
        };
        let is_inside = (step > 0.0 && number < to) || (step < 0.0 && number > to);
        next = is_inside.then(|| number.clone() + by.clone());
        is_inside.then_some(Ok(number))
    }))
}
