//! The rules themselves, each on a few lines that break it and a few that look as if they did.

use crate::checks::{banned, links, migrations, too_long, undocumented, unused_libraries, unused_settings};
use crate::source::{Source, functions};
use crate::walls::breaches;

fn assert_breach(path: &str, text: &str, expected: &str) {
    let found = breaches(&Source::new(path, text));
    assert!(found.len() == 1 && found[0].contains(expected), "{path}: {text}: {found:?}");
}

fn assert_fine(path: &str, text: &str) {
    assert_eq!(breaches(&Source::new(path, text)), [""; 0], "{path}: {text}");
}

#[test]
fn an_import_through_a_wall_is_found_in_every_spelling() {
    assert_breach("src/store/journal.rs", "use crate::machine::State;", "store must not see `crate::machine`");
    assert_breach("src/store/journal.rs", "use crate::{domain::Event, machine::{State, step}};", "crate::machine");
    assert_breach("src/store/journal.rs", "use super::super::machine::State;", "crate::machine");
    assert_breach("src/store/mod.rs", "use super::machine::State;", "crate::machine");
    assert_breach("src/store/mod.rs", "fn f() { crate::actors::Engine::new() }", "src/store/mod.rs:1: store");
    assert_breach("src/domain/event.rs", "\n\nuse crate::clock::Clock;", "src/domain/event.rs:3");
    assert_breach("src/wire/frame.rs", "use crate::store::Store;", "crate::store");
    assert_breach("src/http/queue.rs", "use crate::effects::Effects;", "crate::effects");
    assert_breach("src/kitchen/sink.rs", "", "not a room");
}

#[test]
fn a_library_outside_its_room_is_found() {
    assert_breach("src/actors/hub.rs", "use diesel::prelude::*;", "only src/store/ may");
    assert_breach("src/actors/hub.rs", "use actix_web::HttpRequest;", "actix_web");
    assert_breach("src/effects/http.rs", "fn f() -> ::actix::Addr<A> {}", "actix");
    assert_breach("src/machine/mod.rs", "use tokio::sync::Mutex;", "tokio");
    assert_breach("src/machine/mod.rs", "let now = std::time::Instant::now();", "Instant");
    assert_breach("src/domain/event.rs", "#[derive(diesel::Queryable)] struct Row;", "diesel");
}

#[test]
fn what_only_looks_like_a_breach_is_left_alone() {
    assert_fine("src/store/journal.rs", "use super::schema; use crate::store::pool; use crate::domain::Event;");
    assert_fine("src/store/journal.rs", "// use crate::machine::State\nlet text = \"crate::machine::x\";");
    assert_fine("src/machine/fork.rs", "use super::frame::Frame; use super::super::domain::Event;");
    assert_fine("src/actors/session.rs", "use actix_web::HttpRequest; use actix_web_actors::ws;");
    assert_fine("src/cli/serve.rs", "use crate::settings::Settings; use self::config::x; self.config::<u8>();");
    assert_fine("src/store/journal.rs", "#[cfg(test)]\nmod tests { use crate::machine::State; }");
    assert_fine("src/lib.rs", "pub mod machine;");
}

#[test]
fn long_files_and_functions_are_found_and_tests_do_not_count() {
    let long = "//! Doc.\n".to_owned() + &"// line\n".repeat(400);
    assert_eq!(too_long(&Source::new("src/a.rs", &long)), ["src/a.rs: 401 lines without tests, at most 400"]);
    let tests = format!("//! Doc.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "// line\n".repeat(400));
    assert_eq!(too_long(&Source::new("src/a.rs", &tests)), [""; 0]);

    let function = |lines: usize| format!("fn f() {{\n{}}}\n", "call();\n".repeat(lines - 2));
    assert_eq!(too_long(&Source::new("src/a.rs", &function(70))), [""; 0]);
    assert_eq!(too_long(&Source::new("src/a.rs", &function(71))), ["src/a.rs:1: fn f has 71 lines, at most 70"]);
}

#[test]
fn the_extent_of_functions_is_seen_through_literals() {
    let code = Source::new("a.rs", "fn a<'x>(s: &'x str) -> char { '{' }\nfn b();\nfn c() {\n r#\"}\"}\"#;\n}\n").code;
    let found: Vec<_> = functions(&code).into_iter().map(|(name, _, lines)| (name, lines)).collect();
    assert_eq!(found, [("a".to_owned(), 1), ("c".to_owned(), 3)]);
}

#[test]
fn comments_and_literals_are_not_code() {
    let text =
        "a /* /* todo!() */ */ b \"todo!() \\\" todo!()\" c br##\"todo!()\"## '\\'' d // todo!()\ne '\"' f \"ä\" g";
    let code = Source::new("src/a.rs", text).code;
    assert_eq!(code.len(), text.len());
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f", "g"]);
}

#[test]
fn banned_calls_are_found() {
    let found = |path: &str, text: &str| banned(&Source::new(path, text)).len();
    assert_eq!(found("src/actors/hub.rs", "let id = Uuid::now_v7();"), 1);
    assert_eq!(found("src/clock.rs", "let id = Uuid::now_v7();"), 0);
    assert_eq!(found("src/a.rs", "jiff::Timestamp::now()"), 1);
    assert_eq!(found("src/a.rs", "fn f() { todo!() }"), 1);
    assert_eq!(found("src/a.rs", "#[allow(dead_code)] struct A;"), 1);
    assert_eq!(found("tests/suite/a.rs", "#[ignore = \"slow\"]"), 1);
    assert_eq!(found("src/a.rs", "tokio::time::sleep(pause).await"), 0);
    assert_eq!(found("tests/suite/a.rs", "std::thread::sleep(pause)"), 1);
    assert_eq!(found("src/a.rs", "#[cfg(test)]\nmod tests { fn f() { tokio::time::sleep(pause) } }"), 1);
    assert_eq!(
        found("src/a.rs", "fn g() { sleep(1) }\n#[cfg(test)]\nmod tests { fn f() { clock.sleep_until(then) } }"),
        0
    );
}

#[test]
fn a_file_without_a_module_doc_is_found() {
    assert!(undocumented(&Source::new("src/a.rs", "// A.\nuse b;")).is_some());
    assert!(undocumented(&Source::new("src/a.rs", "//! A.\nuse b;")).is_none());
    assert!(undocumented(&Source::new("src/a/tests.rs", "use b;")).is_none());
}

#[test]
fn a_module_declared_for_tests_is_known() {
    let source = Source::new("src/a/mod.rs", "mod b;\n#[cfg(test)]\nmod driver;\n#[cfg(test)]\nmod tests {}\n");
    assert_eq!(source.test_modules(), ["driver"]);
}

#[test]
fn a_migration_without_its_twin_or_way_back_is_found() {
    let folder = std::env::temp_dir().join(format!("tidy-migrations-{}", std::process::id()));
    for (path, text) in [
        ("sqlite/0001_first/up.sql", "create table a (b text);"),
        ("sqlite/0001_first/down.sql", "drop table a;"),
        ("postgres/0001_first/up.sql", "create table a (b text);"),
        ("postgres/0001_first/down.sql", "\n"),
        ("postgres/0002_second/up.sql", "create table c (d text);"),
        ("postgres/0002_second/down.sql", "drop table c;"),
    ] {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = migrations(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        found,
        [
            "migrations: 0002_second is there for one database only",
            "migrations/postgres/0001_first/down.sql is missing or empty",
        ]
    );
}

#[test]
fn links_to_files_are_found_and_others_left_alone() {
    let text = "[a](docs/a.md#top) [b](https://b.example) [c](#here) ![d](d.svg)";
    assert_eq!(links(text), ["docs/a.md", "d.svg"]);
}

#[test]
fn a_library_that_no_source_names_is_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# serde = 1\nserde-json = \"1\"\nuuid = { version = \"1\" }\n[lints]\na = 1\n";
    let sources = [Source::new("src/a.rs", "use serde_json::Value; // uuid::Uuid")];
    assert_eq!(unused_libraries(manifest, &sources), ["Cargo.toml: uuid is not used"]);
}

#[test]
fn a_setting_that_nobody_reads_is_found() {
    let defaults = "# The port = a number.\n[server]\nport = 8080\nhost = \"::1\"\nworkers = 0\n";
    let sources = [
        Source::new("src/settings/mod.rs", "settings.server.host"),
        Source::new("src/startup.rs", "settings.server.port // settings.server.host"),
        Source::new(
            "src/http/mod.rs",
            "fn a(s: &settings::Server, host: &str) { let settings::Server { workers, .. } = s; }",
        ),
    ];
    assert_eq!(unused_settings(defaults, &sources), ["config/default.toml: nobody reads host"]);
}
