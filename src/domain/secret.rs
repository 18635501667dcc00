//! Secrets: what is stored of one, the rules for its name and value, and the opened ones that a step may read.
//!
//! How they are encrypted is the vault's business; what is hidden because of them is [`super::redaction`]'s.

use super::redaction::{MIN_SECRET_BYTES, Redactor};
use super::{Failure, StandardType, TenantId, Timestamp, Withdrawn};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroize;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 128;
/// The largest value, in bytes of its JSON form.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// A secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub tenant_id: TenantId,
    /// Unique in its tenant.
    pub name: String,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    /// When its value was given last.
    pub updated_at: Timestamp,
    pub sealed: Sealed,
}

/// An encrypted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key of the settings it is encrypted with.
    pub key_id: String,
    /// Base64.
    pub nonce: String,
    /// Base64, with the authentication tag.
    pub ciphertext: String,
}

/// Checks a name: letters, digits, `_`, `-` and `.`, beginning with a letter or `_`.
///
/// # Errors
/// A phrase for people.
pub fn check_name(name: &str) -> Result<(), String> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if starts_well && name.len() <= MAX_NAME_BYTES && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(format!("must be 1 to {MAX_NAME_BYTES} letters, digits, '_', '-' or '.', and begin with a letter or '_'"))
}

/// Checks a value: a text that is long enough to be recognized, or an object.
///
/// # Errors
/// A phrase for people, without the value.
pub fn check_value(value: &Value) -> Result<(), String> {
    if value.to_string().len() > MAX_VALUE_BYTES {
        return Err(format!("must not be longer than {MAX_VALUE_BYTES} bytes as JSON"));
    }
    match value {
        Value::String(text) if text.trim().len() < MIN_SECRET_BYTES => Err(format!(
            "must have at least {MIN_SECRET_BYTES} bytes: a shorter text could not be told from others and kept out of journals"
        )),
        Value::String(_) => Ok(()),
        Value::Object(map) if !map.is_empty() => Ok(()),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err("must be a text or an object that is not empty".to_owned())
        }
    }
}

/// Why a secret cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// There is none of this name.
    Missing,
    /// It is encrypted with a key that the service does not have, or was changed behind its back.
    Unreadable,
    /// The service has no keys at all.
    NoKeys,
    /// The execution may not read secrets.
    Withheld(Withdrawn),
}

impl Unavailable {
    /// What the task fails with that needs the secret of this name.
    pub fn failure(&self, name: &str) -> Failure {
        match self {
            Self::Missing => {
                let suggestion = format!("Store it with `callboard secrets set {name}`, then retry the execution");
                not_available(format!("The secret '{name}' does not exist"), suggestion)
            }
            Self::Unreadable => {
                let suggestion = "Give the service the key it was encrypted with, or store the secret again";
                not_available(format!("The secret '{name}' cannot be decrypted"), suggestion)
            }
            Self::NoKeys => {
                let suggestion = "Set secrets.keys or secrets.key_file and start the service again";
                not_available(format!("The service has no key to decrypt the secret '{name}'"), suggestion)
            }
            Self::Withheld(why) => why.failure(&format!("read the secret '{name}'")),
        }
    }
}

/// The failure of a task that needs a secret and does not get it (Serverless Workflow DSL 1.0.3, "Secrets": error 403).
pub fn not_available(detail: String, suggestion: impl Into<String>) -> Failure {
    Failure::new(StandardType::Authorization, "Secret not available", detail).with_suggestion(suggestion)
}

/// An opened value. Its texts are overwritten in memory when it goes.
pub struct Opened(Value);

impl Opened {
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened(***)")
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A name that a definition lists, with what was found under it.
pub type Entry = (Arc<str>, Result<Arc<Opened>, Unavailable>);

/// The secrets that the steps of one execution may read: those that its definition lists. They are given with each step and are
/// never part of a state.
#[derive(Debug)]
pub struct Secrets {
    entries: Vec<Entry>,
    redactor: Redactor,
    withheld: Option<Withheld>,
}

/// Secrets that may not be read and are kept out of journals, logs and answers all the same.
#[derive(Debug)]
struct Withheld {
    why: Withdrawn,
    behind: Arc<Secrets>,
}

impl Secrets {
    /// None at all.
    pub const NONE: &'static Secrets = &Secrets { entries: Vec::new(), redactor: Redactor::NONE, withheld: None };

    pub fn new(entries: Vec<Entry>) -> Self {
        let values = entries.iter().filter_map(|(_, opened)| opened.as_ref().ok());
        let redactor = Redactor::new(values.map(|opened| opened.value()));
        Self { entries, redactor, withheld: None }
    }

    /// The same secrets for an execution that may not read them.
    pub fn withheld(behind: Arc<Self>, why: Withdrawn) -> Self {
        Self { entries: Vec::new(), redactor: Redactor::NONE, withheld: Some(Withheld { why, behind }) }
    }

    /// None to read: what is kept out of journals, logs and answers because of either.
    pub fn hiding(first: &Arc<Self>, second: &Arc<Self>) -> Arc<Self> {
        if first.redactor().is_empty() {
            return Arc::clone(second);
        }
        let redactor = Redactor::both(first.redactor(), second.redactor());
        Arc::new(Self { entries: Vec::new(), redactor, withheld: None })
    }

    /// The value of a secret.
    ///
    /// # Errors
    /// Why there is none.
    pub fn get(&self, name: &str) -> Result<&Value, Unavailable> {
        self.opened(name).map(|opened| opened.value())
    }

    /// The same, to be held for longer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn opened(&self, name: &str) -> Result<&Arc<Opened>, Unavailable> {
        if let Some(Withheld { why, .. }) = &self.withheld {
            return Err(Unavailable::Withheld(why.clone()));
        }
        let found = self.entries.iter().find(|(known, _)| **known == *name);
        let (_, opened) = found.ok_or(Unavailable::Missing)?;
        opened.as_ref().map_err(Unavailable::clone)
    }

    /// What keeps their values out of journals, logs and answers.
    pub fn redactor(&self) -> &Redactor {
        self.withheld.as_ref().map_or(&self.redactor, |withheld| withheld.behind.redactor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_values_follow_the_rules() {
        for name in ["a", "_x", "db.password-2"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "1a", "a b", "ä", "-a", &"a".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for value in [json!("123456"), json!({"user": "ada", "pin": 1})] {
            assert_eq!(check_value(&value), Ok(()));
        }
        for value in [json!("12345"), json!("1       "), json!({}), json!(null), json!(1_234_567), json!(["longer"])] {
            assert!(check_value(&value).is_err(), "{value}");
        }
        assert!(check_value(&json!("x".repeat(MAX_VALUE_BYTES))).is_err());
    }

    #[test]
    fn opened_values_are_not_in_debug_texts() {
        let opened = Arc::new(Opened::new(json!("s3cret-value")));
        let secrets = Secrets::new(vec![("key".into(), Ok(opened)), ("other".into(), Err(Unavailable::Missing))]);
        assert_eq!(secrets.get("key"), Ok(&json!("s3cret-value")));
        assert_eq!((secrets.get("other"), secrets.get("x")), (Err(Unavailable::Missing), Err(Unavailable::Missing)));
        assert!(!format!("{secrets:?}").contains("s3cret"));
    }

    #[test]
    fn what_either_hides_is_hidden_and_nothing_of_it_is_read() {
        let secrets = |name: &str, value: &str| {
            let entry = (Arc::from(name), Ok(Arc::new(Opened::new(json!(value)))));
            Arc::new(Secrets::new(vec![entry]))
        };
        let both = Secrets::hiding(&secrets("a", "first-value"), &secrets("b", "second-value"));
        assert_eq!(both.redactor().text("first-value, second-value"), Some("***, ***".to_owned()));
        assert_eq!(both.get("a"), Err(Unavailable::Missing));
        let none = Arc::new(Secrets::new(Vec::new()));
        let one = Secrets::hiding(&none, &secrets("b", "second-value"));
        assert_eq!(one.redactor().text("second-value"), Some("***".to_owned()));
    }

    #[test]
    fn what_may_not_be_read_is_hidden_all_the_same() {
        let opened = Arc::new(Opened::new(json!("s3cret-value")));
        let behind = Arc::new(Secrets::new(vec![("key".into(), Ok(opened))]));
        let why = Withdrawn::Removed { name: "Ada".to_owned() };
        let secrets = Secrets::withheld(behind, why.clone());
        assert_eq!(secrets.get("key"), Err(Unavailable::Withheld(why)));
        assert_eq!(secrets.redactor().cut_text("it is s3cret-value"), Some("it is ***".to_owned()));
    }
}
