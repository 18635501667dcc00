//! `callboard backup`: copies of the whole database, and bringing one back.

use super::error::{Error, finish};
use super::terminal::print;
use super::{Exit, SettingsFlags};
use crate::store::{self, back_up, restore};
use clap::{Args, Subcommand};
use std::path::PathBuf;

const MIB: u64 = 1024 * 1024;

/// Copy the database while the service runs, or bring a copy back
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Copy the database into a new file; the service may be running. PostgreSQL needs its program pg_dump
    Create(Create),
    /// Make a database from a copy; the service must not be running. PostgreSQL needs its program pg_restore
    Restore(Restore),
}

#[derive(Args, Debug)]
struct Create {
    /// The file to make
    file: PathBuf,
    #[command(flatten)]
    settings: SettingsFlags,
}

#[derive(Args, Debug)]
struct Restore {
    /// A file that `backup create` has made
    file: PathBuf,
    /// Put it in the place of a SQLite database that is there, which is kept under another name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    finish(match &arguments.action {
        Action::Create(wanted) => create(wanted),
        Action::Restore(wanted) => bring_back(wanted),
    })
}

fn create(wanted: &Create) -> Result<Exit, Error> {
    let backup = back_up(&url(&wanted.settings)?, &wanted.file).map_err(failed)?;
    let size = backup.size_bytes.div_ceil(MIB);
    print(&format!("{}  {size} MiB, position {}", wanted.file.display(), backup.position));
    Ok(Exit::Success)
}

fn bring_back(wanted: &Restore) -> Result<Exit, Error> {
    let restored = restore(&url(&wanted.settings)?, &wanted.file, wanted.replace).map_err(failed)?;
    print(&format!("restored to position {}", restored.position));
    if let Some(replaced) = restored.replaced {
        print(&format!("the database that was there is now {}", replaced.display()));
    }
    Ok(Exit::Success)
}

fn url(settings: &SettingsFlags) -> Result<String, Error> {
    let settings = settings.load([]).map_err(|invalid| Error::invalid(invalid.to_string()))?;
    Ok(settings.store.url.expose().to_owned())
}

fn failed(error: store::Error) -> Error {
    let is_unreachable = error.is_retryable() || matches!(error, store::Error::Occupied { .. });
    Error { exit: if is_unreachable { Exit::Unreachable } else { Exit::Failure }, text: error.to_string() }
}
