//! The command line: what can be typed, and what a process answers with.
//!
//! One file per subcommand, each with `Arguments` (what clap parses) and `execute` (what it does). `execute` prints what
//! people or scripts read on standard output, complains on standard error and returns an [`Exit`]. To add a command,
//! add its file, a variant of [`Command`] and a line in [`Command::execute`].

mod admin;
mod agents;
mod backup;
mod bench;
mod budget;
mod chaos;
mod client;
mod credentials;
mod database;
mod error;
mod executions;
mod link;
mod live;
mod local_key;
mod login;
mod migrate;
mod openapi;
mod report;
mod reporter;
mod retention;
mod run;
mod secrets;
mod serve;
mod service;
mod settings;
mod store;
mod table_cells;
mod terminal;
mod tree;
mod tree_view;
mod validate;
mod workflows;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::settings::{Invalid, Settings, Sources};

/// How a process ended. The codes are part of the interface: scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// The execution failed, or what was asked for could not be done.
    Failure,
    /// The command line, the settings, a definition or an input is wrong.
    Invalid,
    /// The execution was cancelled, or the measurement interrupted.
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

const EXIT_CODES: &str = "\
Exit codes:
  0  done; the execution succeeded
  1  the execution failed, or what was asked for could not be done
  2  the command line, the settings, a definition or an input is wrong
  3  the execution was cancelled, or the measurement interrupted
  4  the service or its database does not answer";

/// The execution service for agents and workflows: every execution is a supervised actor.
#[derive(Debug, Parser)]
#[command(name = "callboard", version, after_help = EXIT_CODES, propagate_version = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Arguments),
    /// Run a definition in this process, without a service
    Run(run::Arguments),
    Validate(validate::Arguments),
    /// Look at executions of a running service and steer them
    Executions(executions::Arguments),
    /// Register, look at and run workflows of a running service
    Workflows(workflows::Arguments),
    /// Look at agents of a running service and test them
    Agents(agents::Arguments),
    /// Store and delete secrets of a running service
    Secrets(secrets::Arguments),
    Login(login::Arguments),
    Admin(admin::Arguments),
    /// Measure the service on this machine
    Bench(bench::Arguments),
    /// Kill the service at random moments while it is used, then check every promise
    Chaos(chaos::Arguments),
    /// What a running service keeps of finished executions, and deleting the rest
    Retention(retention::Arguments),
    Migrate(migrate::Arguments),
    Openapi(openapi::Arguments),
    Store(store::Arguments),
    Backup(backup::Arguments),
    Settings(settings::Arguments),
}

impl Command {
    fn execute(self) -> Exit {
        match self {
            Self::Serve(arguments) => serve::execute(&arguments),
            Self::Run(arguments) => run::execute(&arguments),
            Self::Validate(arguments) => validate::execute(&arguments),
            Self::Executions(arguments) => executions::execute(&arguments),
            Self::Workflows(arguments) => workflows::execute(&arguments),
            Self::Agents(arguments) => agents::execute(&arguments),
            Self::Secrets(arguments) => secrets::execute(&arguments),
            Self::Login(arguments) => login::execute(&arguments),
            Self::Admin(arguments) => admin::execute(&arguments),
            Self::Bench(arguments) => bench::execute(&arguments),
            Self::Chaos(arguments) => chaos::execute(&arguments),
            Self::Retention(arguments) => retention::execute(&arguments),
            Self::Migrate(arguments) => migrate::execute(&arguments),
            Self::Openapi(arguments) => openapi::execute(&arguments),
            Self::Store(arguments) => store::execute(&arguments),
            Self::Backup(arguments) => backup::execute(&arguments),
            Self::Settings(arguments) => settings::execute(&arguments),
        }
    }
}

/// Parses the command line of this process and does what it says.
pub fn main() -> ExitCode {
    CommandLine::parse().command.execute().into()
}

/// The flags of every command that reads settings.
#[derive(Args, Clone, Debug, Default)]
pub struct SettingsFlags {
    /// `development` (default) or `production`
    #[arg(long, env = "CALLBOARD_ENVIRONMENT", value_name = "NAME")]
    environment: Option<String>,
    /// A folder with your own development.toml or production.toml
    #[arg(long, env = "CALLBOARD_CONFIG", value_name = "FOLDER")]
    config: Option<PathBuf>,
    /// Where executions are kept: sqlite:FILE or postgres://…
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Any other setting, as in `--set engine.max_running=10`; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write KEY=VALUE, as in engine.max_running=10".to_owned()),
    }
}

impl SettingsFlags {
    /// The settings of this process with these flags on top, and `more` (dotted key and value) above those.
    ///
    /// # Errors
    /// [`Invalid`] with every problem.
    pub fn load(&self, more: impl IntoIterator<Item = (String, String)>) -> Result<Settings, Invalid> {
        let mut sources = Sources::from_process();
        sources.environment = self.environment.clone().or(sources.environment);
        sources.directory = self.config.clone().or(sources.directory);
        let store = self.store.iter().map(|url| ("store.url".to_owned(), url.clone()));
        sources.overrides = self.set.iter().cloned().chain(store).chain(more).collect();
        Settings::load(&sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_tree_of_commands_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_set_flag_needs_a_key_and_a_value() {
        let parsed = CommandLine::try_parse_from(["callboard", "settings", "--set", "server.port=1", "--set", "a.b="]);
        let Command::Settings(arguments) = parsed.unwrap().command else { panic!("parsed as another command") };
        assert_eq!(arguments.settings().set, [("server.port".into(), "1".into()), ("a.b".into(), String::new())]);
        for wrong in ["server.port", "=1", ""] {
            CommandLine::try_parse_from(["callboard", "settings", "--set", wrong]).expect_err(wrong);
        }
    }
}
