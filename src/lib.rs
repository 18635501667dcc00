//! Callboard: every execution is a supervised actor.
//!
//! The map, in reading order:
//!
//! - [`domain`]: words. Plain data and the rules about it.
//! - [`wire`]: shapes. What crosses a boundary: HTTP bodies, live frames, problems.
//! - [`cli`]: the command line.
//! - [`settings`]: typed settings in layers, refused with every problem at once.
//! - [`telemetry`]: log lines and metrics.

pub mod cli;
pub mod clock;
pub mod domain;
pub mod settings;
pub mod telemetry;
pub mod wire;
