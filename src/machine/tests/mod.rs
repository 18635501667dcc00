//! The rules of the language, played as tiny workflows against a [`World`] that stands for everything outside.

mod budgets;
mod data_flow;
mod depth;
mod directives;
mod durability;
mod effects;
mod errors;
mod forks;
mod journal;
mod loops;
mod progress;
mod properties;
mod recovery;
mod resources;
mod retries;
mod secrets;
mod table_e;
mod timers;
mod world;
