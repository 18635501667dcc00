//! Rules: the pure state machine that interprets a workflow definition.
//!
//! [`step()`] takes what happened and returns what is to be journaled and what is to be done about it. A state changes only
//! through [`apply()`]: `step` applies each event as it decides it, replaying a journal applies the same events again. While
//! replaying no expression is evaluated and nothing is asked of the world. There is no clock and no randomness in here, both
//! come in with the [`Moment`] of a step.
//!
//! The way of a step: [`Input`] → events of its own (an outcome, a fired timer, a pause) → `decide` is asked for the next
//! events, which are applied, until it has none: everything blocks on the world, or the execution is over.
//!
//! Status: `waiting` if and only if nothing runs and something is waited for; the event `execution_waiting` says so at the end
//! of such a step. There is no event for the way back: the next event of a task ends the waiting.

mod action;
mod apply;
mod budget;
mod call_agent;
mod call_function;
mod call_http;
mod compile;
mod compile_task;
mod decide;
mod document;
mod duration;
mod effect;
pub mod expression;
mod for_loop;
mod fork;
mod frame;
mod input;
#[cfg(debug_assertions)]
mod invariants;
mod list;
mod preparation;
mod program;
mod progress;
mod raise;
mod recovery;
mod resource;
mod retry;
mod retry_point;
mod run_shell;
mod run_workflow;
mod schema;
mod schema_work;
mod scope;
mod secrets;
mod set;
mod state;
mod step;
mod switch;
#[cfg(test)]
mod tests;
mod texts;
mod timer;
mod try_catch;
mod wait;

pub use action::{Action, Transition};
pub use apply::apply;
pub use expression::{Compiles, DirectEvaluator, Evaluator, Expression, WithSecrets};
pub use input::{Input, Moment};
pub use program::Program;
pub use recovery::{Outstanding, outstanding};
pub use retry_point::{retry_point, shift};
pub use state::{FORMAT, State};
pub use step::{Spent, step, step_with};

/// The revision of the semantics of this interpreter. Executions stay on the one they were created with; it is raised when a
/// definition would be interpreted differently.
pub const INTERPRETER_REVISION: u32 = 1;

/// A step returns after about this many events, so that an endless loop of pure tasks can be cancelled.
pub const BATCH_EVENTS: usize = 1_000;
