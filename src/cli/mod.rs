//! The command line: one file per subcommand.

pub mod client;
pub mod exit;
pub mod terminal;
pub mod tree;
pub mod tree_view;
