//! The keys that secrets are encrypted with: where they come from, and which is the current one.
//!
//! Keys are written `id=base64`, separated by commas or lines. The first encrypts; the others only open what was encrypted
//! before a rotation.

use super::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Generate, Key as CipherKey};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest id of a key, in bytes.
const MAX_ID_BYTES: usize = 64;

/// One key.
pub struct Key {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

impl Key {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A fresh key that is kept nowhere: what it has encrypted can be read as long as the process lives.
    pub(super) fn passing() -> Self {
        let bytes = fresh();
        Self { id: format!("process-{}", mark(&bytes)), bytes }
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

/// All keys, the current one first. May be empty: then nothing can be encrypted or opened.
#[derive(Default)]
pub struct Keys(Vec<Key>);

impl fmt::Debug for Keys {
    /// Ids only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Key::id)).finish()
    }
}

/// Where keys come from.
#[derive(Debug)]
pub struct Source {
    /// Keys themselves; goes before the file.
    pub keys: Zeroizing<String>,
    /// A file with keys.
    pub file: Option<PathBuf>,
    /// Makes a file that is not there, with a fresh key that only its owner can read.
    pub generate: bool,
}

impl Keys {
    /// Reads the keys, or makes one. Blocks.
    ///
    /// # Errors
    /// [`Error::Keys`] when a key is malformed or the file can be neither read nor made.
    pub fn load(source: &Source) -> Result<Self, Error> {
        if !source.keys.trim().is_empty() {
            return Self::parse(&source.keys).map_err(|why| Error::Keys(format!("secrets.keys: {why}")));
        }
        let Some(file) = &source.file else { return Ok(Self::default()) };
        let failed = |what: &str, why: &dyn fmt::Display| {
            Error::Keys(format!("the key file {} cannot be {what}: {why}", file.display()))
        };
        let text = match std::fs::read_to_string(file).map(Zeroizing::new) {
            Err(error) if error.kind() == ErrorKind::NotFound && source.generate => {
                generate(file).map_err(|error| failed("made", &error))?
            }
            text => text.map_err(|error| failed("read", &error))?,
        };
        let keys = Self::parse(&text).map_err(|why| failed("used", &why))?;
        if keys.is_empty() {
            return Err(failed("used", &"it holds no key"));
        }
        Ok(keys)
    }

    /// Reads keys from their text.
    ///
    /// # Errors
    /// A phrase for people, without the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        let entries = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| line.split(','));
        for (index, entry) in entries.map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
            let number = index + 1;
            let (id, encoded) = entry.split_once('=').ok_or(format!("key {number} is not written id=base64"))?;
            let (id, encoded) = (id.trim(), encoded.trim());
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
            if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(is_plain) {
                return Err(format!(
                    "the id of key {number} must be 1 to {MAX_ID_BYTES} letters, digits, '_', '-' or '.'"
                ));
            }
            let bytes = STANDARD.decode(encoded).map(Zeroizing::new).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()).map(Zeroizing::new);
            let bytes = bytes.ok_or(format!("key '{id}' is not 32 bytes in base64"))?;
            if keys.iter().any(|known| known.id == id) {
                return Err(format!("there are two keys '{id}'"));
            }
            keys.push(Key { id: id.to_owned(), bytes });
        }
        Ok(Self(keys))
    }

    /// The one that encrypts.
    pub fn current(&self) -> Option<&Key> {
        self.0.first()
    }

    pub fn get(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }

    pub fn has(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn fresh() -> Zeroizing<[u8; 32]> {
    Zeroizing::new(<[u8; 32]>::from(CipherKey::<chacha20poly1305::XChaCha20Poly1305>::generate()))
}

/// What tells a key from others without telling it.
fn mark(bytes: &[u8; 32]) -> String {
    Sha256::digest(bytes).iter().take(4).fold(String::new(), |mark, byte| format!("{mark}{byte:02x}"))
}

/// Writes a fresh key into a file that nobody else can read. The file appears complete or not at all.
fn generate(file: &Path) -> std::io::Result<Zeroizing<String>> {
    let bytes = fresh();
    let id = format!("key-{}", mark(&bytes));
    let text = Zeroizing::new(format!(
        "# The key that encrypts secrets. Without it they cannot be read: keep a copy apart from the database.\n{id}={}\n",
        STANDARD.encode(bytes.as_slice())
    ));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Made for its owner only, as all temporary files are.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(file).map_err(|error| error.error)?;
    tracing::info!(file = %file.display(), key_id = id, "made a key for secrets");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn source(file: Option<PathBuf>, generate: bool) -> Source {
        Source { keys: Zeroizing::new(String::new()), file, generate }
    }

    #[test]
    fn keys_are_read_strictly_and_never_shown() {
        let key = STANDARD.encode([1; 32]);
        let keys = Keys::parse(&format!("# mine\n new={key}\nold = {}\n", STANDARD.encode([2; 32]))).unwrap();
        assert_eq!((keys.current().map(Key::id), keys.has("old"), keys.has("x")), (Some("new"), true, false));
        assert_eq!(format!("{keys:?}"), r#"["new", "old"]"#);
        for wrong in ["", "x", &format!("={key}"), &format!("a b={key}"), "a=AAAA", "a=!", &format!("a={key},a={key}")]
        {
            match Keys::parse(wrong) {
                Ok(keys) => assert!(keys.is_empty(), "{wrong}"),
                Err(why) => assert!(!why.contains(&key), "{why}"),
            }
        }
    }

    #[test]
    fn a_key_file_is_made_once_and_only_where_that_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/secrets.key");
        assert!(Keys::load(&source(None, true)).unwrap().is_empty());
        assert!(matches!(Keys::load(&source(Some(file.clone()), false)), Err(Error::Keys(_))));
        let made = Keys::load(&source(Some(file.clone()), true)).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Keys::load(&source(Some(file.clone()), true)).unwrap();
        assert_eq!(made.current().unwrap().bytes(), read.current().unwrap().bytes());
        std::fs::write(&file, "# empty\n").unwrap();
        assert!(matches!(Keys::load(&source(Some(file), true)), Err(Error::Keys(_))));
    }
}
