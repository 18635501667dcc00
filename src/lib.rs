//! Callboard: every execution is a supervised actor.
//!
//! The map, in reading order:
//!
//! - [`domain`]: words. Plain data and the rules about it.

pub mod cli;
pub mod clock;
pub mod domain;
