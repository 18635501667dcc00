//! Whether a `try` catches an error, and whether and when it tries again.

use super::decide::Task;
use super::duration::DurationRule;
use super::input::Moment;
use super::program::{RetryRule, TryRule};
use super::scope::Scope;
use super::state::TryWork;
use super::try_catch::matches;
use crate::domain::definition::model::Backoff;
use crate::domain::{Failure, Timestamp};

/// What to do about an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    NotCaught,
    /// The next attempt begins at the deadline.
    Retry {
        deadline: Timestamp,
    },
    /// No (further) retry.
    Handle,
}

/// Judges an error in the block of a `try`. In `scope` the error is bound to the variable of the catch.
///
/// # Errors
/// The failure of an expression, which then fails the task.
pub(super) fn verdict(
    task: &Task<'_>,
    rule: &TryRule,
    work: &TryWork,
    scope: &Scope<'_>,
    failure: &Failure,
) -> Result<Verdict, Failure> {
    let error = failure.to_expression_value();
    let view = task.view();
    let holds = |when: Option<&std::sync::Arc<super::expression::Expression>>, default: bool| match when {
        None => Ok(default),
        Some(when) => scope.is_true(when, &error, Some(&view)),
    };
    if !matches(&rule.errors, failure) || !holds(rule.when.as_ref(), true)? || holds(rule.except_when.as_ref(), false)?
    {
        return Ok(Verdict::NotCaught);
    }
    let Some(retry) = &rule.retry else { return Ok(Verdict::Handle) };
    let is_exhausted = retry.limit_count.is_some_and(|count| u64::from(work.attempt) >= count);
    if is_exhausted || !holds(retry.when.as_ref(), true)? || holds(retry.except_when.as_ref(), false)? {
        return Ok(Verdict::Handle);
    }
    let now = scope.moment.at;
    let delay = delay(task, retry, scope, work.attempt.saturating_add(1))?;
    let deadline = now.plus_micros(delay);
    if let Some(limit) = &retry.limit_duration {
        let end = limit.end(scope, &task.frame.input, Some(&view), task.frame.started_at)?;
        if deadline >= end {
            return Ok(Verdict::Handle);
        }
    }
    Ok(Verdict::Retry { deadline })
}

/// The pause before a retry in microseconds; `retry_number` is 1 for the first.
fn delay(task: &Task<'_>, retry: &RetryRule, scope: &Scope<'_>, retry_number: u32) -> Result<i64, Failure> {
    let now = scope.moment.at;
    let micros = |rule: &DurationRule| -> Result<i64, Failure> {
        Ok(rule.end(scope, &task.frame.input, Some(&task.view()), now)?.micros_since(now))
    };
    let base = retry.delay.as_ref().map(micros).transpose()?.unwrap_or(0);
    let pause = match retry.backoff {
        Backoff::Constant => base,
        Backoff::Linear => base.saturating_mul(i64::from(retry_number)),
        Backoff::Exponential => {
            let doublings = retry_number.saturating_sub(1);
            base.saturating_mul(1_i64.checked_shl(doublings).filter(|factor| *factor > 0).unwrap_or(i64::MAX))
        }
    };
    let jitter = match &retry.jitter {
        None => 0,
        Some((from, to)) => {
            let (from, to) = (micros(from)?, micros(to)?);
            from.saturating_add(drawn(scope.moment, &task.frame.path, retry_number, to.saturating_sub(from)))
        }
    };
    Ok(pause.saturating_add(jitter))
}

/// A number from 0 to `width`, drawn from the seed of the step, the place and the number of the retry.
fn drawn(moment: Moment, path: &str, retry_number: u32, width: i64) -> i64 {
    let Ok(width) = u64::try_from(width) else { return 0 };
    let mut mixed = moment.seed ^ u64::from(retry_number).rotate_left(32);
    for byte in path.bytes() {
        mixed = mix(mixed ^ u64::from(byte));
    }
    let drawn = mix(mixed) % width.saturating_add(1).max(1);
    i64::try_from(drawn).unwrap_or(0)
}

/// The finalizer of the SplitMix64 generator.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_covers_its_range_and_nothing_else() {
        let draw = |seed| drawn(Moment { at: Timestamp::default(), seed }, "s0:load", 1, 9);
        let drawn: std::collections::BTreeSet<i64> = (0..1_000).map(draw).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), (0..=9).collect::<Vec<_>>());
        assert_eq!(draw(7), draw(7));
    }
}
