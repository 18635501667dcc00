//! Shapes: what crosses a boundary. The serde forms and OpenAPI schemas of HTTP bodies, live frames and problems.
//!
//! Only forms live here, and the pure functions that derive them from domain values and journal events. Nothing here knows
//! where the values come from; `actors/` builds frames from these types, `http/` builds answers.

pub mod agent;
pub mod budget;
pub mod catalog;
pub mod diff;
pub mod event;
pub mod execution;
pub mod frame;
pub mod health;
pub mod identity;
pub mod journal;
mod object;
pub mod page;
pub mod preflight;
pub mod problem;
pub mod queue;
pub mod report;
pub mod retention;
pub mod saved_view;
mod schema;
pub mod secret;
pub mod sign_in;
pub mod statistics;
pub mod task;
mod task_data;
pub mod usage;
pub mod workflow;
