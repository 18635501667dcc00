//! Between our types and columns: ids are text, times are microseconds, numbers are `bigint`, structures are JSON.

use super::Error;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;

/// A number as a column holds it. What does not fit is clamped: no count of ours comes near.
pub(super) fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// A stored count; a negative one cannot have been written by us.
pub(super) fn natural(what: &'static str, number: i64) -> Result<u64, Error> {
    u64::try_from(number).map_err(|error| Error::corrupt(what, error))
}

/// A stored count of at most 32 bits.
pub(super) fn small(what: &'static str, number: i64) -> Result<u32, Error> {
    u32::try_from(number).map_err(|error| Error::corrupt(what, error))
}

/// A stored id or word.
pub(super) fn word<T>(what: &'static str, text: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error| Error::corrupt(what, error))
}

pub(super) fn optional_word<T>(what: &'static str, text: Option<&str>) -> Result<Option<T>, Error>
where
    T: FromStr,
    T::Err: Display,
{
    text.map(|text| word(what, text)).transpose()
}

/// A stored JSON text.
pub(super) fn json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::corrupt(what, error))
}
