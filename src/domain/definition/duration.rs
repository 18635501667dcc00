//! Durations of the DSL: object form and ISO 8601 text.

/// A duration as authored. Years and months are added to the start instant on the UTC calendar, the rest is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Duration {
    /// Years and months, in months.
    pub months: i64,
    /// Everything else, in microseconds.
    pub micros: i64,
}
