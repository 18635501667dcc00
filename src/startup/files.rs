//! Where the files of the service lie that the settings do not name.

use crate::settings::Settings;
use crate::vault;
use std::path::{Path, PathBuf};

/// Where files lie that have no place of their own: beside the database, if that is a file.
fn data_folder(settings: &Settings) -> &Path {
    let database = settings.store.url.expose().strip_prefix("sqlite:").map(Path::new);
    database.map_or(Path::new("data"), |database| database.parent().unwrap_or(Path::new("")))
}

/// Where reports of measurements are looked for.
pub(super) fn reports_folder(settings: &Settings) -> PathBuf {
    match settings.telemetry.reports.as_str() {
        "" => data_folder(settings).join("reports"),
        folder => PathBuf::from(folder),
    }
}

/// Where the keys of secrets come from. The default file counts only when it is there or is to be made.
pub(super) fn key_source(settings: &Settings) -> vault::Source {
    let secrets = &settings.secrets;
    let default = data_folder(settings).join("secrets.key");
    let file = if secrets.key_file.is_empty() {
        Some(default).filter(|file| secrets.generate_key || file.exists())
    } else {
        Some(PathBuf::from(&secrets.key_file))
    };
    vault::Source { keys: secrets.keys.expose().to_owned().into(), file, generate: secrets.generate_key }
}
