//! Callboard: every execution is a supervised actor.
//!
//! The map, in reading order:
//!
//! - [`domain`]: words. Plain data and the rules about it.
//! - [`wire`]: shapes. What crosses a boundary: HTTP bodies, live frames, problems.

pub mod clock;
pub mod domain;
pub mod wire;
