//! `callboard settings`: the settings in force, or their reference.

use super::error::{Error, finish};
use super::terminal::print;
use super::{Exit, SettingsFlags};
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

/// Prints what was asked for; every problem of the settings when they cannot be used.
pub fn execute(arguments: &Arguments) -> Exit {
    let text = match arguments.reference {
        Some(Form::Toml) => Ok(default_toml()),
        Some(Form::Markdown) => Ok(reference_table()),
        None => arguments.settings.load([]).map(|settings| settings.to_toml()),
    };
    finish(text.map_err(|invalid| Error::invalid(invalid.to_string())).map(|text| {
        print(text.trim_end());
        Exit::Success
    }))
}
