//! Enumerations whose values are words on the wire and in the database.

/// Gives an enumeration its words: `ALL`, `as_str`, `Display` and `FromStr`.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? } $(aliases { $($alias:literal => $target:ident),+ })?) => {
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The word used on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::domain::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::domain::UnknownWord> {
                match text {
                    $($word => Ok($name::$variant),)+
                    $($($alias => Ok($name::$target),)+)?
                    other => Err($crate::domain::UnknownWord { word: other.to_owned(), known: &[$($word),+] }),
                }
            }
        }
    };
}

pub(super) use words;

/// A word that is not one of an enumeration's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is not one of {}", known.join(", "))]
pub struct UnknownWord {
    pub word: String,
    pub known: &'static [&'static str],
}
