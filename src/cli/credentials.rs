//! API keys that `callboard login` has stored, one per service, in a file that only its owner can read, and which of the
//! services it was last.

use super::error::Error;
use serde_json::{Map, Value};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use url::Url;

/// The member of the file that names a service instead of holding the key of one.
const CURRENT: &str = "current";

/// `$XDG_CONFIG_HOME/callboard/credentials.json`, or below `~/.config`.
pub fn file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(base.join("callboard").join("credentials.json"))
}

/// What names a service: scheme, host, port and the path of a proxy.
fn name(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path().trim_end_matches('/'))
}

/// The stored key of a service.
pub fn stored(url: &Url) -> Option<String> {
    let known = read().ok()?;
    known.get(&name(url)).and_then(Value::as_str).map(str::to_owned)
}

/// The service that somebody signed in to last.
pub fn current() -> Option<Url> {
    read().ok()?.get(CURRENT)?.as_str()?.parse().ok()
}

/// Stores the key of a service, which becomes the current one, or forgets it.
///
/// # Errors
/// When the file cannot be written.
pub fn store(url: &Url, key: Option<&str>) -> Result<PathBuf, Error> {
    let path = file().ok_or_else(|| Error::failure("neither HOME nor XDG_CONFIG_HOME is set"))?;
    let mut known = read()?;
    if let Some(key) = key {
        known.insert(name(url), Value::from(key));
        known.insert(CURRENT.to_owned(), Value::from(name(url)));
    } else {
        known.remove(&name(url));
        known.retain(|member, value| member != CURRENT || *value != name(url));
    }
    let failed = |error: std::io::Error| Error::file("write", &path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // A fresh file in its place: nobody reads half of one, and one that was open to others is not kept.
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
    file.write_all(Value::Object(known).to_string().as_bytes()).map_err(failed)?;
    std::fs::rename(&fresh, &path).map_err(failed)?;
    Ok(path)
}

fn read() -> Result<Map<String, Value>, Error> {
    let Some(path) = file() else { return Ok(Map::new()) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(Error::file("read", &path, &error)),
    };
    serde_json::from_str(&text)
        .map_err(|_| Error::failure(format!("{} is not what `callboard login` writes", path.display())))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_service_has_one_name() {
        let name = |url: &str| super::name(&url.parse().unwrap());
        assert_eq!(name("http://127.0.0.1:8080/"), name("http://127.0.0.1:8080"));
        assert_eq!(name("https://work.example:443/callboard/"), "https://work.example/callboard");
        assert_ne!(name("http://127.0.0.1:8080"), name("http://127.0.0.1:8081"));
    }
}
