//! The command line as people and scripts use it: the real program, its exit codes, what it prints, its signals.

mod budget;
mod executions;
mod login;
mod measure;
mod migrate;
pub mod program;
mod run;
