//! The command line: one file per subcommand.

pub mod client;
pub mod error;
pub mod executions;
pub mod live;
pub mod reporter;
pub mod table_cells;
pub mod terminal;
pub mod tree;
pub mod tree_view;

use std::process::ExitCode;

/// How a process ended. The codes are part of the interface: scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// The execution failed, or what was asked for could not be done.
    Failure,
    /// The command line, the settings, a definition or an input is wrong.
    Invalid,
    /// The execution was cancelled.
    Cancelled,
    /// The service or its database does not answer.
    Unreachable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Invalid => 2,
            Exit::Cancelled => 3,
            Exit::Unreachable => 4,
        })
    }
}

