//! How one value of a layer becomes a typed value. Stricter than the library's own conversions: `true` is not a number,
//! `1.6` is not rounded, and text is only parsed because variables have no other form.

use config::{Value, ValueKind};
use std::fmt;

/// A type that a setting may have.
pub trait Setting: Sized + Default {
    /// What is accepted, for the sentence "must be …".
    fn expected() -> String;
    /// `None` when the value does not fit.
    fn read(value: &Value) -> Option<Self>;
    /// As TOML writes it, without secrets.
    fn to_toml(&self) -> String;
}

impl Setting for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        if let ValueKind::Boolean(is) = value.kind { Some(is) } else { text(value)?.parse().ok() }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn expected() -> String {
        "a text".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        text(value).map(str::to_owned)
    }

    fn to_toml(&self) -> String {
        quoted(self)
    }
}

macro_rules! read_number {
    ($($number:ty),+) => {$(
        impl Setting for $number {
            fn expected() -> String {
                format!("a whole number from 0 to {}", Self::MAX)
            }

            fn read(value: &Value) -> Option<Self> {
                if let ValueKind::I64(number) = value.kind {
                    return number.try_into().ok();
                }
                text(value)?.parse().ok()
            }

            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

read_number!(u16, u32, u64, usize);

impl Setting for f64 {
    fn expected() -> String {
        "a number".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        let number: Option<f64> = if let ValueKind::Float(number) = value.kind {
            Some(number)
        } else if let ValueKind::I64(number) = value.kind {
            i32::try_from(number).ok().map(f64::from)
        } else {
            text(value)?.parse().ok()
        };
        number.filter(|number| number.is_finite())
    }

    fn to_toml(&self) -> String {
        format!("{self:?}")
    }
}

fn text(value: &Value) -> Option<&str> {
    if let ValueKind::String(text) = &value.kind { Some(text) } else { None }
}

/// A setting of several texts: a TOML array of them, or one text in which commas separate them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Setting for Texts {
    fn expected() -> String {
        "texts, as an array or separated by commas".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        if let ValueKind::Array(several) = &value.kind {
            return several.iter().map(String::read).collect::<Option<_>>().map(Self);
        }
        let each = text(value)?.split(',').map(str::trim).filter(|text| !text.is_empty());
        Some(Self(each.map(str::to_owned).collect()))
    }

    fn to_toml(&self) -> String {
        serde_json::Value::from(self.0.clone()).to_string()
    }
}

/// A TOML basic string. JSON's escapes are a subset of TOML's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Declares an enum whose words are the values of a setting. The first one is the default of the type.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $(#[$first:meta])* $default:ident = $default_word:literal $(, $(#[$inner:meta])* $variant:ident = $word:literal)* $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $(#[$first])*
            #[default]
            $default,
            $($(#[$inner])* $variant),*
        }

        impl $name {
            const WORDS: &[(&str, Self)] = &[($default_word, Self::$default), $(($word, Self::$variant)),*];

            /// The word of this value as it is written in settings.
            pub fn as_str(self) -> &'static str {
                Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
            }
        }

        impl $crate::settings::value::Setting for $name {
            fn expected() -> String {
                let words: Vec<_> = Self::WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
                words.join(" or ")
            }

            fn read(value: &config::Value) -> Option<Self> {
                let text = String::read(value)?;
                Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
            }

            fn to_toml(&self) -> String {
                format!("\"{}\"", self.as_str())
            }
        }
    };
}
pub(super) use words;

/// Parameters of a PostgreSQL address that are passwords.
const SECRET_PARAMETERS: [&str; 2] = ["password", "sslpassword"];

/// The address of a database. Its password never shows in `Debug` or `Display`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectionUrl(String);

impl ConnectionUrl {
    /// The address as it was given, password included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the scheme is one of those the store speaks.
    pub fn is_supported(&self) -> bool {
        ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| self.0.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    }
}

impl From<&str> for ConnectionUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Display for ConnectionUrl {
    /// The text with `***` for the password, wherever the address carries one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file: its name is shown as it is, whatever characters it has.
        if self.0.starts_with("sqlite:") {
            return f.write_str(&self.0);
        }
        let Ok(mut url) = url::Url::parse(&self.0) else { return f.write_str("(not an address)") };
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return f.write_str("(hidden)");
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let is_secret = |name: &str| SECRET_PARAMETERS.contains(&name);
        if pairs.iter().any(|(name, _)| is_secret(name)) {
            let hidden = pairs.iter().map(|(name, value)| (name, if is_secret(name) { "***" } else { value }));
            url.query_pairs_mut().clear().extend_pairs(hidden);
        }
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Setting for ConnectionUrl {
    fn expected() -> String {
        "the address of a database".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        String::read(value).map(Self)
    }

    fn to_toml(&self) -> String {
        quoted(&self.to_string())
    }
}

/// A text that never shows in `Debug` or in what is written of the settings.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretText(zeroize::Zeroizing<String>);

impl SecretText {
    /// The text as it was given.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The texts in it, when it holds several that are separated by commas.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim).filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { "***" })
    }
}

impl Setting for SecretText {
    fn expected() -> String {
        "a text".to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        String::read(value).map(|text| Self(zeroize::Zeroizing::new(text)))
    }

    fn to_toml(&self) -> String {
        quoted(&format!("{self:?}"))
    }
}
