//! The list of all settings as text: `config/default.toml` and the table of the operator guide are made of it.

use super::keys::Settings;
use std::fmt::Write;

/// The part of a path that stands for a name which the settings choose themselves.
const CHOSEN: &str = "NAME";

/// One section of the settings.
pub struct Section {
    /// Dotted, as in `effects.shell`. One with `NAME` in it may be there several times, each with a name of its own.
    pub path: &'static str,
    pub doc: &'static [&'static str],
    pub keys: &'static [Key],
}

/// One setting.
pub struct Key {
    pub name: &'static str,
    pub doc: &'static [&'static str],
    /// As TOML writes it.
    pub default: &'static str,
}

impl Section {
    /// The dotted name of one of its keys.
    pub fn full_name(&self, key: &Key) -> String {
        format!("{}.{}", self.path, key.name)
    }

    /// Whether it is there as often as somebody writes it, and so has no defaults in the default file.
    pub fn is_repeated(&self) -> bool {
        self.path.split('.').any(|part| part == CHOSEN)
    }

    /// Whether a dotted path names this section.
    pub fn is_at(&self, path: &str) -> bool {
        self.path.split('.').count() == path.split('.').count() && self.begins_with(path)
    }

    /// Whether a dotted path names this section or one that it lies in.
    pub fn begins_with(&self, path: &str) -> bool {
        let (mut own, mut parts) = (self.path.split('.'), path.split('.'));
        parts.all(|part| own.next().is_some_and(|known| known == part || known == CHOSEN))
    }
}

/// Declares a section: the struct, how it is read from the layers, and its entry in the reference, from one list. After `each`
/// it is one that is there several times, under names that the settings choose.
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        $name:ident $path:literal {
            $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty = $default:literal,)+
        }
    ) => {
        section! { each $(#[doc = $doc])+ $name $path { $($(#[doc = $key_doc])+ $key: $type = $default,)+ } }

        impl $name {
            fn read(layers: &Layers, problems: &mut Vec<Problem>) -> Self {
                Self::read_at(layers, $path, problems)
            }

            fn to_toml(&self) -> String {
                self.to_toml_at($path)
            }
        }
    };
    (
        each
        $(#[doc = $doc:literal])+
        $name:ident $path:literal {
            $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty = $default:literal,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $key_doc])+ pub $key: $type,)+
        }

        impl $name {
            pub(super) const SECTION: Section = Section {
                path: $path,
                doc: &[$($doc),+],
                keys: &[$(Key { name: stringify!($key), doc: &[$($key_doc),+], default: stringify!($default) }),+],
            };

            fn read_at(layers: &Layers, path: &str, problems: &mut Vec<Problem>) -> Self {
                Self { $($key: layers.read(&format!("{path}.{}", stringify!($key)), $default, problems)),+ }
            }

            fn to_toml_at(&self, path: &str) -> String {
                use $crate::settings::value::Setting;
                let entries = [$(concat!(stringify!($key), " = ").to_owned() + &self.$key.to_toml()),+];
                format!("[{path}]\n{}\n", entries.join("\n"))
            }
        }
    };
}
pub(super) use section;

/// The text of `config/default.toml`.
pub fn default_toml() -> String {
    let mut text = String::from(
        "# Every setting with its default. Generated from the doc comments in src/settings/keys.rs (`make generate`):\n\
         # change values in development.toml or production.toml, or set a variable such as CALLBOARD__SERVER__PORT=9000.\n",
    );
    for section in Settings::SECTIONS {
        text.push('\n');
        comment(&mut text, section.doc);
        // One that is repeated is there when somebody writes it, not before.
        let mark = if section.is_repeated() { "# " } else { "" };
        push(&mut text, format_args!("{mark}[{}]\n", section.path));
        for key in section.keys {
            comment(&mut text, key.doc);
            push(&mut text, format_args!("{mark}{} = {}\n", key.name, key.default));
        }
    }
    text
}

/// The same as a Markdown table.
pub fn reference_table() -> String {
    let mut text = String::from("| key | default | meaning |\n|---|---|---|\n");
    for section in Settings::SECTIONS {
        for key in section.keys {
            let words: Vec<_> = key.doc.iter().map(|line| line.trim()).collect();
            let meaning = words.join(" ").replace('|', "\\|");
            push(&mut text, format_args!("| `{}` | `{}` | {meaning} |\n", section.full_name(key), key.default));
        }
    }
    text
}

fn comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        push(text, format_args!("# {}\n", line.trim()));
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(arguments);
}
