//! `callboard migrate`: the schema by hand.

use super::program::{folder, path, run};
use std::fs::{File, create_dir, read_dir};

const STORE: [&str; 2] = ["--store", "sqlite:data/callboard.db"];

#[test]
fn looking_at_a_schema_changes_nothing() {
    let folder = folder(&[]);
    let migrate =
        |word: &str, code: i32| run(folder.path(), &[&["migrate", word][..], &STORE].concat()).expect_code(code);
    let missing = migrate("status", 4);
    assert!(missing.stderr.contains("there is no database data/callboard.db"), "{}", missing.stderr);
    assert_eq!(read_dir(folder.path()).unwrap().count(), 0, "looking made a file");

    create_dir(path(&folder, "data")).unwrap();
    File::create(path(&folder, "data/callboard.db")).unwrap();
    let pending = migrate("status", 0).stdout;
    assert!(pending.lines().count() > 0 && pending.lines().all(|line| line.starts_with("pending ")), "{pending}");
    assert_eq!(path(&folder, "data/callboard.db").metadata().unwrap().len(), 0, "looking wrote to the file");

    migrate("up", 0);
    let applied = migrate("status", 0).stdout;
    assert_eq!(applied, pending.replace("pending ", "applied "));
}
