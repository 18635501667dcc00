//! What callers of the HTTP interface rely on.

mod agents;
mod dashboard;
mod description;
mod executions;
mod idempotency;
mod lists;
mod problems;
mod stream;
mod workflows;
