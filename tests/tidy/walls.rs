//! Who may import whom.

use crate::source::{Source, is_word, words};

/// One folder (or file) below `src/` and what of ours it may see. Everything else is behind a wall.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("failure_points", &[]),
    ("settings", &[]),
    ("telemetry", &["domain", "settings"]),
    ("machine", &["domain"]),
    ("store", &["domain", "clock", "failure_points", "telemetry"]),
    ("vault", &["domain", "clock", "store", "telemetry"]),
    ("effects", &["domain", "clock", "telemetry"]),
    ("wire", &["domain"]),
    (
        "actors",
        &["domain", "clock", "failure_points", "settings", "telemetry", "machine", "store", "vault", "effects", "wire"],
    ),
    ("identity", &["domain", "clock", "store"]),
    ("http", &["domain", "clock", "settings", "telemetry", "store", "vault", "wire", "actors", "identity"]),
    (
        "startup",
        &[
            "domain",
            "clock",
            "failure_points",
            "settings",
            "telemetry",
            "machine",
            "store",
            "vault",
            "effects",
            "wire",
            "actors",
            "identity",
            "http",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "clock",
            "settings",
            "telemetry",
            "machine",
            "store",
            "effects",
            "wire",
            "actors",
            "identity",
            "http",
            "startup",
        ],
    ),
];

/// A library and the only places that may use it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("actix", &["src/actors/", "src/startup"]),
    ("actix_rt", &["src/actors/", "src/startup"]),
    ("actix_web", &["src/http/", "src/actors/session", "src/startup"]),
    ("actix_http", &["src/http/", "src/actors/session"]),
    ("actix_web_actors", &["src/actors/session"]),
    ("argon2", &["src/identity/"]),
    ("async_openai", &["src/effects/"]),
    ("chacha20poly1305", &["src/vault/"]),
    ("clap", &["src/cli/"]),
    ("config", &["src/settings/"]),
    ("crossterm", &["src/cli/"]),
    ("diesel", &["src/store/"]),
    ("diesel_migrations", &["src/store/"]),
    ("governor", &["src/http/"]),
    ("ipnet", &["src/settings/"]),
    ("jaq_core", &["src/machine/"]),
    ("jaq_json", &["src/machine/"]),
    ("jaq_std", &["src/machine/"]),
    ("jsonwebtoken", &["src/identity/"]),
    ("oauth2", &["src/identity/oidc/"]),
    ("prometheus_client", &["src/telemetry/"]),
    ("r2d2", &["src/store/"]),
    ("reqwest", &["src/effects/", "src/identity/oidc/", "src/cli/"]),
    ("ring", &["src/identity/"]),
    ("tokio_tungstenite", &["src/cli/"]),
    ("tracing_subscriber", &["src/telemetry/", "src/settings/"]),
    ("utoipa", &["src/wire/", "src/http/"]),
    ("utoipa_swagger_ui", &["src/http/"]),
];

/// What a room must do without, beyond [`LIBRARIES`]: the pure ones know no IO, no clock and no chance.
const BANNED: &[(&str, &[&str])] = &[
    ("domain", &["tokio", "tracing", "futures_util", "fastrand", "Instant", "SystemTime"]),
    ("machine", &["tokio", "tracing", "futures_util", "fastrand", "Instant", "SystemTime"]),
    ("wire", &["tokio", "tracing", "fastrand", "Instant", "SystemTime"]),
];

/// The room of a file: the first part of its path below `src/`.
fn room(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next()?;
    let name = first.trim_end_matches(".rs");
    (name != "lib" && name != "main").then_some(name)
}

/// Every import of this file that goes through a wall.
pub fn breaches(source: &Source) -> Vec<String> {
    let Some(room) = room(&source.path) else { return Vec::new() };
    let code = source.shipped();
    let Some((_, visible)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{}: `{room}` is not a room of the house: add it to the walls", source.path)];
    };
    let mut found = Vec::new();
    let mut breach = |offset: usize, what: &str, why: &str| {
        found.push(format!("{}:{}: {room} must not see `{what}`{why}", source.path, source.line(offset)));
    };
    for (offset, name) in own_imports(&code, depth(&source.path)) {
        let exists = ROOMS.iter().any(|(room, _)| *room == name);
        if exists && name != room && !visible.contains(&name.as_str()) {
            breach(offset, &format!("crate::{name}"), "");
        }
    }
    for (library, places) in LIBRARIES {
        if !places.iter().any(|place| source.path.starts_with(place)) {
            for offset in library_uses(&code, library) {
                breach(offset, library, &format!(": only {} may", places.join(", ")));
            }
        }
    }
    for name in BANNED.iter().filter(|(name, _)| *name == room).flat_map(|(_, names)| *names) {
        for offset in words(&code, name) {
            breach(offset, name, "");
        }
    }
    found
}

/// How many `super::` lead from the module of a file to the crate.
fn depth(path: &str) -> usize {
    let parts = path.trim_start_matches("src/").split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Offsets and names of what is imported from the root of the crate: `crate::name`, `crate::{a, b::c}`, `super::…::name`.
fn own_imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let to_root = format!("{}super::", "super::".repeat(depth.saturating_sub(1)));
    let roots = ["crate::", &to_root];
    let mut found = Vec::new();
    for root in roots {
        for offset in words(code, root) {
            let before = code[..offset].trim_end();
            if root != "crate::" && before.ends_with("super::") {
                continue;
            }
            let rest = code[offset + root.len()..].trim_start();
            let names = if rest.starts_with('{') { group(rest) } else { vec![first_word(rest)] };
            found.extend(names.into_iter().filter(|name| !name.is_empty()).map(|name| (offset, name)));
        }
    }
    found
}

/// The first words of the parts of `{a::b, c::{d, e}}`.
fn group(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut expecting) = (0_usize, false);
    for (offset, c) in text.char_indices() {
        match c {
            '{' => {
                depth += 1;
                expecting = depth == 1;
            }
            '}' => depth -= 1,
            ',' => expecting = depth == 1,
            _ if c.is_whitespace() => {}
            _ => {
                if expecting {
                    names.push(first_word(&text[offset..]));
                }
                expecting = false;
            }
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| is_word(*c)).collect()
}

/// Where a library is named as the root of a path: `use name`, `name::…`, but not `crate::name` or `.name`.
fn library_uses(code: &str, library: &str) -> Vec<usize> {
    let is_root = |offset: &usize| {
        let before = code[..*offset].trim_end();
        let after = code[offset + library.len()..].trim_start();
        let imported = before.ends_with("use") && after.starts_with([';', ':']) || before.ends_with("extern crate");
        let in_module = before.ends_with("::") && !is_absolute(before);
        imported || (after.starts_with("::") && !in_module && !before.ends_with('.'))
    };
    words(code, library).into_iter().filter(is_root).collect()
}

/// Whether a path that ends in `::` begins there, as in `::actix::…`.
fn is_absolute(before: &str) -> bool {
    !before.trim_end_matches("::").ends_with(|c: char| is_word(c) || c == '>')
}
