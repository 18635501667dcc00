//! Behavior over real sockets, processes and databases. Folders mirror the rooms of the crate.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod cli;
mod deploy;
mod documentation;
mod effects;
mod engine;
mod http;
mod identity;
mod language;
mod live;
mod ports;
mod postgres;
mod secrets;
mod service;
mod store;
