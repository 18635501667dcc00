//! What callers of the HTTP interface rely on.

mod agents;
mod answers;
mod compression;
mod dashboard;
mod description;
mod executions;
mod fuzz;
mod hardening;
mod idempotency;
mod lists;
mod preflight;
mod problems;
mod reach;
mod reports;
mod retention;
mod stream;
mod tasks;
mod throttle;
mod views;
mod workflows;
