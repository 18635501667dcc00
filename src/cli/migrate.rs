//! `callboard migrate`: the schema of the database, by hand. A starting service applies what is pending by itself.

use super::error::{Error, finish};
use super::terminal::print;
use super::{Exit, SettingsFlags};
use crate::store::{self, migrate_down, migrate_up, migration_status};
use clap::{Args, Subcommand};

/// Bring the schema of the database up to date, take it back, or show where it is
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Apply all pending migrations
    Up(SettingsFlags),
    /// Take back the newest migrations; what they hold is lost
    Down(Down),
    /// List all migrations and which of them the database has
    Status(SettingsFlags),
}

#[derive(Args, Debug)]
struct Down {
    /// How many
    #[arg(long, default_value_t = 1)]
    steps: usize,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    finish(match &arguments.action {
        Action::Up(settings) => up(settings),
        Action::Down(down) => take_back(down),
        Action::Status(settings) => status(settings),
    })
}

fn up(settings: &SettingsFlags) -> Result<Exit, Error> {
    let applied = migrate_up(&url(settings)?).map_err(failed)?;
    report("applied", &applied, "nothing to do: the database is up to date");
    Ok(Exit::Success)
}

fn take_back(down: &Down) -> Result<Exit, Error> {
    let reverted = migrate_down(&url(&down.settings)?, down.steps).map_err(failed)?;
    report("reverted", &reverted, "nothing to do: the database has no migrations");
    Ok(Exit::Success)
}

fn status(settings: &SettingsFlags) -> Result<Exit, Error> {
    for migration in migration_status(&url(settings)?).map_err(failed)? {
        print(&format!("{:<8} {}", if migration.is_applied { "applied" } else { "pending" }, migration.name));
    }
    Ok(Exit::Success)
}

fn report(what: &str, names: &[String], nothing: &str) {
    if names.is_empty() {
        print(nothing);
    }
    for name in names {
        print(&format!("{what:<8} {name}"));
    }
}

fn url(settings: &SettingsFlags) -> Result<String, Error> {
    let settings = settings.load([]).map_err(|invalid| Error::invalid(invalid.to_string()))?;
    Ok(settings.store.url.expose().to_owned())
}

fn failed(error: store::Error) -> Error {
    Error { exit: Exit::Unreachable, text: error.to_string() }
}
