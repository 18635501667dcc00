//! The error every command returns: what people read, and the code the process ends with.

use super::Exit;
use crate::startup::{self, Signals};
use std::future::Future;

/// Why a command could not do its work.
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

    /// What was asked for could not be done.
    pub fn failure(text: impl Into<String>) -> Self {
        Self { exit: Exit::Failure, text: text.into() }
    }

    /// A file could not be read or written.
    pub fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::invalid(format!("cannot {action} {}: {error}", path.display()))
    }
}

impl From<startup::Error> for Error {
    fn from(error: startup::Error) -> Self {
        let exit = match error {
            startup::Error::Store(_) => Exit::Unreachable,
            startup::Error::FailurePoints(_)
            | startup::Error::Network(_)
            | startup::Error::ModelKey(_)
            | startup::Error::Settings(_) => Exit::Invalid,
            startup::Error::Listen { .. }
            | startup::Error::Vault(_)
            | startup::Error::Identity(_)
            | startup::Error::Effects(_)
            | startup::Error::Server(_)
            | startup::Error::Lost(_) => Exit::Failure,
        };
        Self { exit, text: error.to_string() }
    }
}

/// The exit code of a command; an error is told on standard error first.
pub fn finish(result: Result<Exit, Error>) -> Exit {
    result.unwrap_or_else(|error| {
        super::terminal::tell(&format!("callboard: {error}"));
        error.exit
    })
}

/// Runs a command that waits for the network, on this thread.
pub fn block_on(command: impl Future<Output = Result<Exit, Error>>) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    finish(match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => Err(Error::failure(format!("cannot start the event loop: {error}"))),
    })
}

/// Runs a command that starts processes and makes folders. TERM and INT end it: it is dropped, and with it everything that
/// it has started and made.
pub fn block_on_until_interrupted(command: impl Future<Output = Result<Exit, Error>>) -> Exit {
    block_on(async {
        let signals = Signals::new();
        let mut signals = signals.map_err(|error| Error::failure(format!("cannot listen for signals: {error}")))?;
        tokio::select! {
            biased;
            () = signals.next() => Err(Error { exit: Exit::Cancelled, text: "interrupted".to_owned() }),
            result = command => result,
        }
    })
}
