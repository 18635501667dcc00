//! Live updates over real WebSockets and real event streams.

pub mod client;
mod lagging;
mod leaving;
mod protocol;
mod resuming;
mod streaming;
