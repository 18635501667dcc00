//! `callboard settings`: the settings in force, or their reference.

use super::{Exit, SettingsFlags, refuse};
use crate::settings::{default_toml, reference_table};
use clap::{Args, ValueEnum};

/// Shows the settings in force, or all there are
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    settings: SettingsFlags,
    /// Print all settings with their defaults and meaning instead
    #[arg(long, value_name = "FORM")]
    reference: Option<Form>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Toml,
    Markdown,
}

impl Arguments {
    #[cfg(test)]
    pub fn settings(&self) -> &SettingsFlags {
        &self.settings
    }
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub fn execute(arguments: &Arguments) -> Exit {
    match arguments.reference {
        Some(Form::Toml) => print!("{}", default_toml()),
        Some(Form::Markdown) => print!("{}", reference_table()),
        None => match arguments.settings.load([]) {
            Ok(settings) => print!("{}", settings.to_toml()),
            Err(invalid) => return refuse(invalid),
        },
    }
    Exit::Success
}
