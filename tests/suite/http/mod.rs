//! What callers of the HTTP interface rely on.

mod agents;
mod description;
mod executions;
mod idempotency;
mod lists;
mod problems;
mod stream;
mod throttle;
mod workflows;
