//! Where settings come from, and in which order.

use super::Problem;
use super::keys::Settings;
use super::reference::{Key, Section};
use super::value::{Setting, words};
use config::{Config, File, FileFormat, Map, Value, ValueKind};
use std::path::PathBuf;

const DEFAULT_FILE: &str = include_str!("../../config/default.toml");
const DEVELOPMENT_FILE: &str = include_str!("../../config/development.toml");
const PRODUCTION_FILE: &str = include_str!("../../config/production.toml");

words! {
    /// Which file lies over the defaults.
    Environment {
        /// On the own machine, or on purpose: shell tasks and private addresses are allowed, requests are not limited.
        Development = "development",
        /// For others: JSON logs, shell tasks off, private addresses refused.
        Production = "production",
    }
}

impl Environment {
    const fn embedded(self) -> &'static str {
        match self {
            Self::Development => DEVELOPMENT_FILE,
            Self::Production => PRODUCTION_FILE,
        }
    }
}

/// Everything that [`Settings::load`] reads.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `development` (default) or `production`; usually from `CALLBOARD_ENVIRONMENT`.
    pub environment: Option<String>,
    /// A folder with `default.toml` and `development.toml` or `production.toml`, each optional: a file that is
    /// missing there is taken from the binary.
    pub directory: Option<PathBuf>,
    /// Variables of the process; those that begin with `CALLBOARD__` are settings.
    pub variables: Vec<(String, String)>,
    /// Flags: dotted key and value. They win.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// The variables of this process and the folder and environment they name.
    pub fn from_process() -> Self {
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("CALLBOARD_"))
            .collect();
        let named = |wanted: &str| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let (environment, directory) = (named("CALLBOARD_ENVIRONMENT"), named("CALLBOARD_CONFIG"));
        Self { environment, directory: directory.map(PathBuf::from), variables, overrides: Vec::new() }
    }

    /// Lays all layers over each other; what cannot be read or is unknown becomes a problem.
    pub(super) fn read(&self, problems: &mut Vec<Problem>) -> Layers {
        let environment = self.environment(problems);
        let mut builder = Config::builder().add_source(File::from_str(DEFAULT_FILE, FileFormat::Toml));
        if let Some(directory) = &self.directory {
            if !directory.is_dir() {
                problems.push(Problem { key: directory.display().to_string(), message: "no such folder".to_owned() });
            }
            builder = builder.add_source(File::from(directory.join("default.toml")).required(false));
        }
        let own = self.directory.as_ref().map(|directory| directory.join(format!("{}.toml", environment.as_str())));
        builder = match own.filter(|path| path.exists()) {
            Some(path) => builder.add_source(File::from(path)),
            None => builder.add_source(File::from_str(environment.embedded(), FileFormat::Toml)),
        };
        let variables: Map<String, String> = self.variables.iter().cloned().collect();
        let mut variables_source = config::Environment::with_prefix("CALLBOARD").prefix_separator("__").separator("__");
        variables_source = variables_source.source(Some(variables));
        builder = builder.add_source(variables_source);
        let flags = || "the command line".to_owned();
        for (key, value) in &self.overrides {
            let value = Value::new(Some(&flags()), ValueKind::String(value.clone()));
            builder = match builder.clone().set_override(key.as_str(), value) {
                Ok(builder) => builder,
                Err(error) => {
                    problems.push(Problem { key: key.clone(), message: format!("is not a key ({error})") });
                    builder
                }
            };
        }
        let root = builder.build().map(|config| config.cache).unwrap_or_else(|error| {
            problems.push(Problem { key: "files".to_owned(), message: error.to_string() });
            Value::default()
        });
        let layers = Layers { root, environment, is_environment_chosen: self.environment.is_some() };
        if problems.is_empty() {
            refuse_unknown(&layers.root, "", problems);
        }
        layers
    }

    fn environment(&self, problems: &mut Vec<Problem>) -> Environment {
        let Some(word) = &self.environment else { return Environment::default() };
        Environment::read(&Value::new(None, ValueKind::String(word.clone()))).unwrap_or_else(|| {
            let message = format!("must be {}, not `{word}`", Environment::expected());
            problems.push(Problem { key: "CALLBOARD_ENVIRONMENT".to_owned(), message });
            Environment::default()
        })
    }
}

/// All layers as one tree.
pub struct Layers {
    root: Value,
    pub(super) environment: Environment,
    pub(super) is_environment_chosen: bool,
}

impl Layers {
    /// The value of a dotted key; the default where no layer has one; or a problem and the default of the type.
    pub(super) fn read<T: Setting>(&self, key: &str, default: impl Into<ValueKind>, problems: &mut Vec<Problem>) -> T {
        let found = self.find(key);
        let Some(value) = found else { return T::read(&Value::new(None, default)).unwrap_or_default() };
        T::read(value).unwrap_or_else(|| {
            let message = format!("must be {}, not {}{}", T::expected(), describe(value), origin(value));
            problems.push(Problem { key: key.to_owned(), message });
            T::default()
        })
    }
}

impl Layers {
    fn find(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.root, |value, name| table(value)?.get(name))
    }

    /// The names below a dotted path, in order.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> = self.find(path).and_then(table).into_iter().flat_map(Map::keys).cloned().collect();
        names.sort();
        names
    }
}

/// Walks the tree and reports what no section declares.
fn refuse_unknown(value: &Value, path: &str, problems: &mut Vec<Problem>) {
    let Some(entries) = table(value) else { return };
    let mut names: Vec<_> = entries.keys().collect();
    names.sort();
    for name in names {
        let Some(entry) = entries.get(name) else { continue };
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match Known::find(&key) {
            Known::Key => {}
            Known::Section if table(entry).is_some() => refuse_unknown(entry, &key, problems),
            Known::Section => {
                let message = format!("is a section, not a value{}", origin(entry));
                problems.push(Problem { key, message });
            }
            Known::Nothing => {
                let message = format!("is not a setting{}; {}", origin(entry), known_names(path));
                problems.push(Problem { key, message });
            }
        }
    }
}

enum Known {
    Key,
    Section,
    Nothing,
}

impl Known {
    fn find(path: &str) -> Self {
        let is_key = |section: &Section| {
            let Some((parent, name)) = path.rsplit_once('.') else { return false };
            section.is_at(parent) && section.keys.iter().any(|key| key.name == name)
        };
        if Settings::SECTIONS.iter().any(is_key) {
            Self::Key
        } else if Settings::SECTIONS.iter().any(|section| section.begins_with(path)) {
            Self::Section
        } else {
            Self::Nothing
        }
    }
}

/// What may stand at this place, for the sentence that refuses something else.
fn known_names(path: &str) -> String {
    let quoted = |names: Vec<String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let keys_of = |section: &Section| section.keys.iter().map(|key: &Key| key.name.to_owned()).collect();
    let section = Settings::SECTIONS.iter().find(|section| section.is_at(path));
    match section {
        Some(section) => format!("`{path}` has {}", quoted(keys_of(section))),
        None => {
            let paths = Settings::SECTIONS.iter().map(|section| section.path.to_owned()).collect();
            format!("the sections are {}", quoted(paths))
        }
    }
}

fn table(value: &Value) -> Option<&Map<String, Value>> {
    if let ValueKind::Table(entries) = &value.kind { Some(entries) } else { None }
}

fn describe(value: &Value) -> String {
    if let ValueKind::String(text) = &value.kind { format!("`{text}`") } else { format!("`{}`", value.kind) }
}

fn origin(value: &Value) -> String {
    value.origin().map_or_else(String::new, |origin| format!(" (in {origin})"))
}
