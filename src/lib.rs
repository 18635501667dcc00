//! Callboard: every execution is a supervised actor.
//!
//! The map, in reading order:
//!
//! - [`domain`]: words. Plain data and the rules about it.
//! - [`machine`]: rules. The pure execution state machine that interprets a workflow definition.
//! - [`store`]: memory. Everything durable, in SQLite or PostgreSQL; the only folder that knows diesel.
//! - [`vault`]: the safe. Encrypts and opens secrets; the only place that sees both keys and values.
//! - [`effects`]: hands. What a machine may ask the world for: HTTP, processes, agents.
//! - [`wire`]: shapes. What crosses a boundary: HTTP bodies, live frames, problems.
//! - [`actors`]: life. Supervision, admission, timers, live updates; the only folder that knows actix actors.
//! - [`identity`]: who asks. Passwords, sign-ins, keys, tickets.
//! - [`http`]: doors. The HTTP interface, one file per resource.
//! - [`cli`]: the command line.
//! - [`startup`]: the only place that wires everything together.
//! - [`settings`]: typed settings in layers, refused with every problem at once.
//! - [`telemetry`]: log lines and metrics.
//! - [`clock`]: time and fresh ids.
//! - [`failure_points`]: where tests let the service fail on purpose.

pub mod actors;
pub mod cli;
pub mod clock;
pub mod domain;
pub mod effects;
pub mod failure_points;
pub mod http;
pub mod identity;
pub mod machine;
pub mod settings;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod wire;
