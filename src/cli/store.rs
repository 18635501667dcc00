//! `callboard store`: care of the database, past the service.

use super::error::{Error, finish};
use super::terminal::print;
use super::{Exit, SettingsFlags};
use crate::store;
use clap::{Args, Subcommand};

const MIB: u64 = 1024 * 1024;

/// Look after the database itself
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how large the database is, and whether it gives space back by itself; the service may be running
    Space(SettingsFlags),
    /// Write the database anew, as small as it can be. It needs room for a second copy while it works
    Compact(SettingsFlags),
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    finish(match &arguments.action {
        Action::Space(settings) => space(settings),
        Action::Compact(settings) => compact(settings),
    })
}

fn space(settings: &SettingsFlags) -> Result<Exit, Error> {
    let space = store::space_of(&url(settings)?).map_err(failed)?;
    print(&format!("{} MiB, {} MiB of it free", space.size_bytes.div_ceil(MIB), space.free_bytes / MIB));
    if !space.can_shrink {
        print("it does not give space back by itself: stop the service and run `callboard store compact` once");
    }
    Ok(Exit::Success)
}

fn compact(settings: &SettingsFlags) -> Result<Exit, Error> {
    let (before, after) = store::compact(&url(settings)?).map_err(failed)?;
    print(&format!("{} MiB before, {} MiB after", before.div_ceil(MIB), after.div_ceil(MIB)));
    Ok(Exit::Success)
}

fn url(settings: &SettingsFlags) -> Result<String, Error> {
    let settings = settings.load([]).map_err(|invalid| Error::invalid(invalid.to_string()))?;
    Ok(settings.store.url.expose().to_owned())
}

fn failed(error: store::Error) -> Error {
    Error { exit: Exit::Unreachable, text: error.to_string() }
}
