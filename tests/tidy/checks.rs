//! Length, banned calls, module docs, twin migrations, links, unused libraries and settings.

use crate::source::{self, Source, functions, words};
use std::collections::BTreeSet;
use std::path::Path;

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// Calls that have one home: text, where it may stand, why not elsewhere.
const CALLS: &[(&str, &str, &str)] = &[
    ("SystemTime::now", "src/clock.rs", "time comes from clock::Clock"),
    ("Utc::now", "src/clock.rs", "time comes from clock::Clock"),
    ("Timestamp::now", "src/clock.rs", "time comes from clock::Clock"),
    ("Zoned::now", "src/clock.rs", "time comes from clock::Clock"),
    ("Uuid::new_v4", "src/clock.rs", "ids come from clock::new_id"),
    ("Uuid::now_v7", "src/clock.rs", "ids come from clock::new_id"),
];

/// What is never written, not even in tests.
const NEVER: &[(&str, &str)] = &[
    ("todo!", "write it or leave it out"),
    ("unimplemented!", "write it or leave it out"),
    ("#[ignore", "a test runs or goes"),
    ("#[allow(", "use #[expect(…, reason = \"…\")]"),
    ("#![allow(", "use #![expect(…, reason = \"…\")]"),
];

/// What waits in tests must wait for a signal or move a manual clock.
const SLEEPS: &[&str] = &["sleep(", "sleep_ms("];

/// Files and functions that do not fit on a few screens.
pub fn too_long(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.shipped_lines();
    if !source.is_test && lines > FILE_LINES {
        found.push(format!("{}: {lines} lines without tests, at most {FILE_LINES}", source.path));
    }
    for (name, offset, lines) in functions(&source.code) {
        if lines > FUNCTION_LINES {
            let line = source.line(offset);
            found.push(format!("{}:{line}: fn {name} has {lines} lines, at most {FUNCTION_LINES}", source.path));
        }
    }
    found
}

/// Calls that are not made here.
pub fn banned(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |offset, what: &str, why: &str| {
        found.push(format!("{}:{}: `{what}`: {why}", source.path, source.line(offset)));
    };
    for (call, _, why) in CALLS.iter().filter(|(_, home, _)| *home != source.path) {
        words(&source.code, call).into_iter().for_each(|offset| say(offset, call, why));
    }
    for (text, why) in NEVER {
        source.code.match_indices(text).for_each(|(offset, _)| say(offset, text, why));
    }
    let tests = source.tests();
    for call in SLEEPS {
        words(&tests, call).into_iter().for_each(|offset| say(offset, call, "tests wait for a signal"));
    }
    found
}

/// A file that does not begin with what it owns. Files of nothing but tests are explained by their neighbors.
pub fn undocumented(source: &Source) -> Option<String> {
    let is_documented = source.text.trim_start().starts_with("//!");
    let exempt = source.path.ends_with("/tests.rs");
    (!is_documented && !exempt).then(|| format!("{}: does not begin with a module doc (//!)", source.path))
}

/// Folders of migrations that differ between the databases, or lack their way back.
pub fn migrations(folder: &Path) -> Vec<String> {
    let [sqlite, postgres] = ["sqlite", "postgres"].map(|database| {
        let entries = std::fs::read_dir(folder.join(database)).into_iter().flatten();
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect::<BTreeSet<_>>()
    });
    let mut found: Vec<String> = sqlite
        .symmetric_difference(&postgres)
        .map(|name| format!("migrations: {name} is there for one database only"))
        .collect();
    for (database, names) in [("sqlite", &sqlite), ("postgres", &postgres)] {
        for (name, file) in names.iter().flat_map(|name| [(name, "up.sql"), (name, "down.sql")]) {
            let text = std::fs::read_to_string(folder.join(database).join(name).join(file)).unwrap_or_default();
            if text.trim().is_empty() {
                found.push(format!("migrations/{database}/{name}/{file} is missing or empty"));
            }
        }
    }
    found
}

/// Relative links of Markdown files that lead nowhere.
pub fn dead_links(root: &Path) -> Vec<String> {
    let mut files: Vec<_> = source::files(&root.join("docs"), "md");
    files.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)));
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let folder = file.parent().unwrap_or(root);
        for link in links(&text) {
            if !folder.join(&link).exists() {
                found.push(format!("{}: dead link {link}", source::relative(root, &file)));
            }
        }
    }
    found
}

/// The targets of `[text](target)` that are files, without their anchors.
pub fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter_map(|target| {
        let file = target.split('#').next()?;
        (!file.is_empty() && !file.contains("://") && !file.starts_with("mailto:")).then(|| file.to_owned())
    });
    files.collect()
}

/// Libraries that are only linked in: their features make the databases part of the program.
const LINKED: &[&str] = &["libsqlite3_sys", "openssl_sys", "pq_sys"];
/// Libraries whose code has another name than their package.
const RENAMED: &[(&str, &str)] = &[("md_5", "md5")];

/// Libraries of Cargo.toml that no source names.
pub fn unused_libraries(manifest: &str, sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_list = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_list = line.ends_with("dependencies]");
        }
        let Some((name, _)) = line.split_once(" = ").filter(|(name, _)| is_list && !name.starts_with('#')) else {
            continue;
        };
        let name = name.replace('-', "_");
        let name = RENAMED.iter().find(|(package, _)| *package == name).map_or(name, |(_, code)| (*code).to_owned());
        let used = sources.iter().any(|source| !words(&source.code, &format!("{name}::")).is_empty());
        if !used && !LINKED.contains(&name.as_str()) {
            found.push(format!("Cargo.toml: {name} is not used"));
        }
    }
    found
}

/// Settings that nobody reads: a value that is set and changes nothing.
pub fn unused_settings(defaults: &str, sources: &[Source]) -> Vec<String> {
    let readers: Vec<String> =
        sources.iter().filter(|source| !source.path.starts_with("src/settings/")).map(Source::shipped).collect();
    let keys = defaults.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key);
    let taken_apart: Vec<&str> = readers.iter().flat_map(|code| taken_apart(code)).collect();
    let unused = keys.filter(|key| {
        let field = format!(".{key}");
        let is_read = readers.iter().any(|code| code.contains(&field))
            || taken_apart.iter().any(|fields| !words(fields, key).is_empty());
        !key.starts_with('#') && !is_read
    });
    unused.map(|key| format!("config/default.toml: nobody reads {key}")).collect()
}

/// The fields in `let settings::Section { a, b } = …`.
fn taken_apart(code: &str) -> impl Iterator<Item = &str> {
    code.split("settings::").skip(1).filter_map(|rest| {
        let (section, fields) = rest.split_once('{')?;
        section.trim().chars().all(source::is_word).then(|| fields.split('}').next()).flatten()
    })
}
