//! Durations of the DSL: object form and ISO 8601 text.

use crate::domain::Timestamp;
use jiff::{Span, tz::TimeZone};
use serde_json::{Map, Value};

const MICROS_PER_SECOND: i128 = 1_000_000;
const MICROS_PER_DAY: i128 = 86_400 * MICROS_PER_SECOND;
/// What a fraction of a month is a fraction of: 30 days. Whole months are calendar months.
const MICROS_PER_MONTH: i128 = 30 * MICROS_PER_DAY;

/// The object form's properties and how many microseconds one of each is.
const OBJECT_UNITS: [(&str, i128); 5] = [
    ("days", MICROS_PER_DAY),
    ("hours", 3_600 * MICROS_PER_SECOND),
    ("minutes", 60 * MICROS_PER_SECOND),
    ("seconds", MICROS_PER_SECOND),
    ("milliseconds", 1_000),
];

/// The names of the object form's properties.
pub(super) const OBJECT_PROPERTIES: [&str; 5] = ["days", "hours", "minutes", "seconds", "milliseconds"];

/// A duration as authored. Years and months are added to the start instant on the UTC calendar, the rest is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Duration {
    /// Years and months, in months.
    pub months: i64,
    /// Everything else, in microseconds.
    pub micros: i64,
}

impl Duration {
    /// A duration of exactly so many microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self { months: 0, micros }
    }

    /// Reads `P[nY][nM][nW][nD][T[nH][nM][nS]]`: at least one component, decimals allowed on every number.
    ///
    /// # Errors
    /// A phrase for people that says what is wrong with the text.
    pub fn parse_iso(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("'{text}' is not an ISO 8601 duration: {why}"));
        let Some(body) = text.strip_prefix('P') else { return refused("it must start with 'P'") };
        let (date, time) = match body.split_once('T') {
            Some((_, "")) => return refused("nothing follows the 'T'"),
            Some((date, time)) => (date, time),
            None => (body, ""),
        };
        if date.is_empty() && time.is_empty() {
            return refused("it has no component, such as '30S' after a 'T'");
        }
        let mut total = Total::default();
        let date_units = [('Y', Unit::Months(12)), ('M', Unit::Months(1)), ('W', Unit::Micros(7 * MICROS_PER_DAY))];
        let date_units = date_units.into_iter().chain([('D', Unit::Micros(MICROS_PER_DAY))]);
        let time_units = [('H', 3_600), ('M', 60), ('S', 1)]
            .into_iter()
            .map(|(letter, seconds)| (letter, Unit::Micros(seconds * MICROS_PER_SECOND)));
        let read = total.add_components(date, date_units).and_then(|()| total.add_components(time, time_units));
        if let Err(why) = read {
            return refused(why);
        }
        total.finish().map_or_else(|| refused("it is too long"), Ok)
    }

    /// Reads the object form: whole, non-negative numbers of `days`, `hours`, `minutes`, `seconds`, `milliseconds`.
    ///
    /// # Errors
    /// A phrase for people that says what is wrong with the object.
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, String> {
        if object.is_empty() {
            return Err("a duration needs at least one of days, hours, minutes, seconds, milliseconds".to_owned());
        }
        let mut micros = 0_i128;
        for (key, value) in object {
            let Some((_, unit)) = OBJECT_UNITS.iter().find(|(name, _)| name == key) else {
                return Err(format!("a duration has no '{key}'"));
            };
            let Some(count) = whole(value) else {
                return Err(format!("'{key}' of a duration must be a whole number that is not negative, not {value}"));
            };
            micros = micros.saturating_add(i128::from(count).saturating_mul(*unit));
        }
        let micros = i64::try_from(micros).map_err(|_| "the duration is too long".to_owned())?;
        Ok(Self { months: 0, micros })
    }

    /// Reads a computed duration: an ISO 8601 text or the object form.
    ///
    /// # Errors
    /// A phrase for people that says what is wrong with the value.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::parse_iso(text.trim()),
            Value::Object(object) => Self::from_object(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                Err(format!("a duration must be an ISO 8601 text or an object, not {value}"))
            }
        }
    }

    /// The instant this long after `start`: first the months on the UTC calendar (31 January plus a month is the last
    /// of February), then the rest. Saturates at the ends of time.
    pub fn add_to(self, start: Timestamp) -> Timestamp {
        if self.months == 0 {
            return start.plus_micros(self.micros);
        }
        let months = Span::new().try_months(self.months);
        let moved = months.and_then(|months| start.to_jiff().to_zoned(TimeZone::UTC).checked_add(months));
        moved.map_or(Timestamp::from(jiff::Timestamp::MAX), |moved| {
            Timestamp::from(moved.timestamp()).plus_micros(self.micros)
        })
    }

    /// Microseconds from `start` to the end of this duration.
    pub fn micros_from(self, start: Timestamp) -> i64 {
        self.add_to(start).micros_since(start)
    }

    /// Microseconds with months of 30 days: only good for comparing durations.
    pub(super) fn nominal_micros(self) -> i128 {
        i128::from(self.months) * MICROS_PER_MONTH + i128::from(self.micros)
    }

    pub const fn is_zero(self) -> bool {
        self.months == 0 && self.micros == 0
    }
}

/// A whole, non-negative number; `1.0` is one.
fn whole(value: &Value) -> Option<u64> {
    if let Some(count) = value.as_u64() {
        return Some(count);
    }
    let text = value.as_f64().filter(|count| count.fract() == 0.0 && *count >= 0.0)?.to_string();
    text.parse().ok()
}

#[derive(Clone, Copy)]
enum Unit {
    Months(i128),
    Micros(i128),
}

#[derive(Default)]
struct Total {
    months: i128,
    micros: i128,
}

impl Total {
    /// Adds `<number><letter>` components, each letter at most once and in the given order.
    fn add_components(&mut self, text: &str, units: impl Iterator<Item = (char, Unit)>) -> Result<(), &'static str> {
        let mut rest = text;
        let mut units = units.fuse();
        while !rest.is_empty() {
            let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(rest.len());
            let (number, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let letter = tail.chars().next().ok_or("a number has no unit")?;
            let (_, unit) = units
                .find(|(unit, _)| *unit == letter)
                .ok_or("the units are Y, M, W, D and after the 'T' H, M, S, each at most once and in this order")?;
            self.add(number, unit)?;
            rest = tail.get(letter.len_utf8()..).unwrap_or_default();
        }
        Ok(())
    }

    fn add(&mut self, number: &str, unit: Unit) -> Result<(), &'static str> {
        let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
        if whole.is_empty() || fraction.is_some_and(|fraction| fraction.is_empty() || fraction.contains('.')) {
            return Err("every unit needs a number before it, such as '1.5H'");
        }
        let whole: i128 = whole.parse().map_err(|_| "it is too long")?;
        // Twelve digits are a millionth of a microsecond of an hour: enough, and within range.
        let digits: String = fraction.unwrap_or_default().chars().take(12).collect();
        let scale = 10_i128.pow(u32::try_from(digits.len()).unwrap_or(12));
        let parts: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| "it is too long")? };
        match unit {
            Unit::Micros(micros) => {
                self.micros = self
                    .micros
                    .saturating_add(whole.saturating_mul(micros))
                    .saturating_add(rounded(parts.saturating_mul(micros), scale));
            }
            Unit::Months(months) => {
                let all = parts.saturating_mul(months);
                let (whole_months, rest) = (all.checked_div(scale).unwrap_or(0), all.checked_rem(scale).unwrap_or(0));
                self.months = self.months.saturating_add(whole.saturating_mul(months)).saturating_add(whole_months);
                self.micros = self.micros.saturating_add(rounded(rest.saturating_mul(MICROS_PER_MONTH), scale));
            }
        }
        Ok(())
    }

    fn finish(&self) -> Option<Duration> {
        Some(Duration { months: i64::try_from(self.months).ok()?, micros: i64::try_from(self.micros).ok()? })
    }
}

/// `value / scale`, rounded to the nearest; both are not negative.
fn rounded(value: i128, scale: i128) -> i128 {
    value.saturating_add(scale / 2).checked_div(scale).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn iso_texts_are_read_with_decimals_on_any_number() {
        let cases = [
            ("PT0S", 0, 0),
            ("PT30S", 0, 30_000_000),
            ("PT0.25S", 0, 250_000),
            ("PT1.5H", 0, HOUR * 3 / 2),
            ("PT1H30M10S", 0, HOUR + 30 * 60_000_000 + 10_000_000),
            ("P1D", 0, 24 * HOUR),
            ("P0.5D", 0, 12 * HOUR),
            ("P2W", 0, 14 * 24 * HOUR),
            ("P1W1DT1H", 0, (8 * 24 + 1) * HOUR),
            ("P1M", 1, 0),
            ("P1Y2M", 14, 0),
            ("P0.5Y", 6, 0),
            ("P0.5M", 0, 15 * 24 * HOUR),
            ("P1.25M", 1, 180 * HOUR),
            ("PT0.0000005S", 0, 1),
        ];
        for (text, months, micros) in cases {
            assert_eq!(Duration::parse_iso(text), Ok(Duration { months, micros }), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_iso_durations_are_refused() {
        let cases = [
            "",
            "P",
            "PT",
            "P1DT",
            "PT250MS",
            "pt5s",
            "PT5s",
            "5s",
            "5",
            "-PT5S",
            "PT-5S",
            "P1H",
            "PT1D",
            "PT1S1M",
            "PT1H1H",
            "P1D1W",
            "PTS",
            "PT.5S",
            "PT5.S",
            "PT1.2.3S",
            "PT1,5S",
            " PT5S",
            "PT5S ",
            "1 hour",
            "P1YT",
            "PT5",
            "P99999999999999999999999Y",
            "PT99999999999999999999999S",
        ];
        for text in cases {
            assert!(Duration::parse_iso(text).is_err(), "{text}");
        }
    }

    #[test]
    fn objects_and_computed_values_are_read() {
        let value = json!({"days": 1, "hours": 2, "minutes": 3, "seconds": 4, "milliseconds": 5});
        assert_eq!(Duration::from_value(&value), Ok(Duration::from_micros(26 * HOUR + 184_005_000)));
        assert_eq!(Duration::from_value(&json!({"seconds": 2.0})), Ok(Duration::from_micros(2_000_000)));
        assert_eq!(Duration::from_value(&json!(" PT1S ")), Ok(Duration::from_micros(1_000_000)));
        let refused = [
            json!({}),
            json!({"Seconds": 1}),
            json!({"weeks": 1}),
            json!({"seconds": -1}),
            json!({"seconds": 1.5}),
            json!({"seconds": "1"}),
            json!({"days": u64::MAX}),
            json!(5),
            json!(null),
            json!("soon"),
        ];
        for value in refused {
            assert!(Duration::from_value(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn months_follow_the_utc_calendar() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let month = Duration { months: 1, micros: 0 };
        assert_eq!(month.add_to(at("2024-01-31T10:00:00Z")), at("2024-02-29T10:00:00Z"));
        assert_eq!(month.add_to(at("2023-01-31T10:00:00Z")), at("2023-02-28T10:00:00Z"));
        let year_and_hour = Duration { months: 12, micros: HOUR };
        assert_eq!(year_and_hour.add_to(at("2024-02-29T23:30:00Z")), at("2025-03-01T00:30:00Z"));
        assert_eq!(Duration::from_micros(5).add_to(at("2024-01-01T00:00:00Z")), at("2024-01-01T00:00:00.000005Z"));
        let forever = Duration { months: i64::MAX, micros: i64::MAX };
        assert!(forever.add_to(at("2024-01-01T00:00:00Z")) > at("9000-01-01T00:00:00Z"));
        assert_eq!(month.micros_from(at("2024-02-01T00:00:00Z")), 29 * 24 * HOUR);
    }
}
