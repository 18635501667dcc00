//! The key that signs access tokens: from the settings, or a generated one in a file that only its owner can read.

use super::{Error, Options, tokens};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "signing.key";

/// All keys, the signing one first.
///
/// # Errors
/// When the file can neither be read nor made.
pub fn load(options: &Options) -> Result<Vec<String>, Error> {
    if !options.signing_keys.is_empty() {
        return Ok(options.signing_keys.clone());
    }
    let path = options.directory.join(FILE);
    let failed = |error: std::io::Error| Error::SigningKey { reason: format!("{}: {error}", path.display()) };
    match File::open(&path) {
        Ok(mut file) => {
            let mut key = String::new();
            file.read_to_string(&mut key).map_err(failed)?;
            let key = key.trim().to_owned();
            if key.is_empty() {
                return Err(Error::SigningKey { reason: format!("{} is empty: remove it", path.display()) });
            }
            Ok(vec![key])
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = tokens::secret()?;
            write_private(&path, &key).map_err(failed)?;
            Ok(vec![key])
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a text where only its owner can read it. What was there is replaced.
///
/// # Errors
/// When the file cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // A fresh file: one that was there might be open to others.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")
}
