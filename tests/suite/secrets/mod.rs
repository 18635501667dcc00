//! Secrets from the outside: stored, used by executions, and not to be found anywhere they do not belong.

mod commands;
mod interface;
mod leaks;
mod model_keys;
mod traces;
