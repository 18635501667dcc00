//! The house rules that no compiler checks: walls between the rooms, length of files and functions, banned calls, module
//! docs, twin migrations, links. Runs in a second and knows nothing but the text of the sources.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking, in its helpers as well")]

#[path = "tidy/checks.rs"]
mod checks;
#[path = "tidy/examples.rs"]
mod examples;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/walls.rs"]
mod walls;

use source::Source;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The project that is tested: asked at run time, so that a copied build does not test the place it came from.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// All Rust files of the project, read once; the rules apply to this test as well.
fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut sources = source::read_all(&root(), "src");
        sources.extend(source::read_all(&root(), "tests"));
        assert!(sources.len() > 20, "the sources are not where they were");
        sources
    })
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_walls_stand() {
    assert_none(&sources().iter().flat_map(walls::breaches).collect::<Vec<_>>());
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&sources().iter().flat_map(checks::too_long).collect::<Vec<_>>());
}

#[test]
fn nothing_banned_is_called() {
    assert_none(&sources().iter().flat_map(checks::banned).collect::<Vec<_>>());
}

#[test]
fn every_module_says_what_it_owns() {
    assert_none(&sources().iter().filter_map(checks::undocumented).collect::<Vec<_>>());
}

#[test]
fn migrations_are_twins_and_reversible() {
    assert_none(&checks::migrations(&root().join("migrations")));
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    assert_none(&checks::dead_links(&root()));
}

#[test]
fn every_library_is_used() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("manifest");
    assert_none(&checks::unused_libraries(&manifest, sources()));
}

#[test]
fn every_setting_is_read() {
    let defaults = std::fs::read_to_string(root().join("config/default.toml")).expect("defaults");
    assert_none(&checks::unused_settings(&defaults, sources()));
}
