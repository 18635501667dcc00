//! How a command ends: exit codes and the error every command returns.
//!
//! The codes are part of the command line's contract and stand in `--help`. Nothing in here prints.

use std::process::ExitCode;

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "Exit codes:
  0    done; an awaited execution succeeded
  1    an awaited execution failed, or a check found something wrong
  2    the command line, a definition or an input is not valid
  3    an awaited execution was cancelled
  4    the service cannot be reached
  5    the service refused the request: not found, wrong state, queue full, or an error of its own
  6    an error on this machine: a file, a port, a database
  130  interrupted twice";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    Failed,
    Invalid,
    Cancelled,
    Unreachable,
    Refused,
    Local,
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Cancelled => 3,
            Self::Unreachable => 4,
            Self::Refused => 5,
            Self::Local => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Why a command could not do its work: what people read, and the code it ends with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Error {
    pub exit: Exit,
    /// Complete and readable; may have several lines.
    pub text: String,
}

impl Error {
    /// Something the caller wrote is not valid.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self { exit: Exit::Invalid, text: text.into() }
    }

    /// Something on this machine did not work.
    pub fn local(text: impl Into<String>) -> Self {
        Self { exit: Exit::Local, text: text.into() }
    }

    /// A file could not be read or written.
    pub fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::local(format!("cannot {action} {}: {error}", path.display()))
    }
}
