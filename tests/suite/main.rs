//! Behavior over real sockets, processes and databases. Folders mirror the rooms of the crate.

mod documentation;
mod effects;
