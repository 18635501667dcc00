//! The work an expression may do. Every operation on a value spends from a budget that belongs to the thread while one
//! expression is evaluated; an empty budget unwinds out of the evaluation. So an endless `repeat(1)` ends after the same number
//! of operations on every machine, and the result of an evaluation does not depend on how fast the machine is.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Operations one evaluation may do. One takes some 30 to 100 nanoseconds, so the whole takes well below a second.
pub(super) const OPERATIONS: u64 = 5_000_000;

/// Bytes of text and slots of arrays that cost as much as one operation.
const UNITS_PER_OPERATION: u64 = 64;

/// Stack an evaluation may use, in bytes: deep recursion ends as an error. Threads have two megabytes, of which what stands around
/// the expression takes a part (see `MAX_FRAMES` of the machine).
const STACK: usize = 1_024 * 1024;

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Where the stack was when the evaluation began; 0 outside of one.
    static STACK_BASE: Cell<usize> = const { Cell::new(0) };
}

/// An address in the current stack frame.
fn stack_position() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// What unwinds out of an evaluation whose budget is spent.
struct Exhausted;

/// What unwinds out of an evaluation whose recursion is too deep.
struct TooDeep;

/// Why an evaluation was given up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// The budget is spent.
    TooMuchWork,
    /// The recursion needs too much stack.
    TooDeep,
    /// The jq library panicked.
    Panicked,
}

/// Spends one operation.
pub(super) fn spend_one() {
    spend(1);
}

/// Spends what it takes to build a text or an array of this size.
pub(super) fn spend_size(units: usize) {
    spend(u64::try_from(units).unwrap_or(u64::MAX) / UNITS_PER_OPERATION + 1);
}

fn spend(operations: u64) {
    let base = STACK_BASE.with(Cell::get);
    let is_too_deep = base != 0 && base.abs_diff(stack_position()) > STACK;
    LEFT.with(|left| match left.get().checked_sub(operations) {
        Some(rest) if !is_too_deep => left.set(rest),
        // While unwinding nothing may unwind again; the values that are dropped then cost nothing.
        _ if std::thread::panicking() => {}
        Some(_) => resume_unwind(Box::new(TooDeep)),
        // Unlike a panic this does not call the panic hook: nothing is printed.
        None => resume_unwind(Box::new(Exhausted)),
    });
}

/// Runs `work` with a fresh budget.
pub(super) fn within<T>(operations: u64, work: impl FnOnce() -> T) -> Result<T, GivenUp> {
    let outer = (LEFT.with(|left| left.replace(operations)), STACK_BASE.with(|base| base.replace(stack_position())));
    let result = catch_unwind(AssertUnwindSafe(work));
    LEFT.with(|left| left.set(outer.0));
    STACK_BASE.with(|base| base.set(outer.1));
    result.map_err(|cause| {
        if cause.is::<Exhausted>() {
            GivenUp::TooMuchWork
        } else if cause.is::<TooDeep>() {
            GivenUp::TooDeep
        } else {
            GivenUp::Panicked
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_when_the_budget_is_spent() {
        let done = Cell::new(0_u64);
        let result: Result<(), GivenUp> = within(1_000, || {
            loop {
                spend_one();
                done.set(done.get() + 1);
            }
        });
        assert_eq!((result, done.get()), (Err(GivenUp::TooMuchWork), 1_000));
        assert_eq!(within(1, || 7), Ok(7));
        assert_eq!(within(1_000_000, || spend_size(64_000_001)), Err(GivenUp::TooMuchWork));
    }
}
