//! Migrations lead up and down without a trace, and `schema.rs` says what the databases say.

use super::fixture::Fixture;
use super::rows;
use callboard::store::{Error, Store, back_up, migrate_down, migrate_up, migration_status, restore};
use diesel::connection::SimpleConnection;
use std::sync::Arc;

super::on_both_databases!(
    down_takes_everything_back_and_up_brings_it_again,
    the_schema_is_what_the_program_believes,
    a_newer_database_is_refused,
);

/// The schema as text.
fn dump(fixture: &Fixture) -> String {
    if fixture.is_postgres() {
        return crate::postgres::dump_schema(&fixture.url);
    }
    rows::texts(fixture, "SELECT name || ': ' || COALESCE(sql, '') AS text FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name").join("\n")
}

async fn down_takes_everything_back_and_up_brings_it_again(mut fixture: Fixture) {
    fixture.close().await;
    let migrations = migration_status(&fixture.url).unwrap();
    assert!(!migrations.is_empty() && migrations.iter().all(|migration| migration.is_applied));
    let names: Vec<String> = migrations.into_iter().map(|migration| migration.name).collect();
    let before = dump(&fixture);
    assert!(before.contains("executions_status"), "{before}");

    let mut reverted = migrate_down(&fixture.url, 1_000).unwrap();
    reverted.reverse();
    assert_eq!(reverted, names);
    let empty = dump(&fixture);
    assert!(!empty.contains("executions") && !empty.contains("journal"), "{empty}");
    assert!(migration_status(&fixture.url).unwrap().iter().all(|migration| !migration.is_applied));
    assert!(migrate_down(&fixture.url, 1).unwrap().is_empty());

    assert_eq!(migrate_up(&fixture.url).unwrap(), names);
    assert_eq!(dump(&fixture), before);
    assert!(migrate_up(&fixture.url).unwrap().is_empty());
    fixture.reopen().await;
    fixture.create().await;
}

async fn a_newer_database_is_refused(mut fixture: Fixture) {
    fixture.close().await;
    let folder = tempfile::tempdir().unwrap();
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('99990101000000', CURRENT_TIMESTAMP)";
    if fixture.is_postgres() {
        rows::postgres(&fixture).batch_execute(newer).unwrap();
    } else {
        rows::sqlite(&fixture).batch_execute(newer).unwrap();
    }
    let open = || Store::open(&fixture.options(), Arc::new(fixture.clock.clone())).err();
    assert!(matches!(open(), Some(Error::Migration { reason }) if reason.contains("99990101000000")));
    let file = folder.path().join("newer");
    back_up(&fixture.url, &file).unwrap();
    let target = if fixture.is_postgres() {
        crate::postgres::database()
    } else {
        format!("sqlite:{}", folder.path().join("restored.db").display())
    };
    assert!(matches!(restore(&target, &file, false), Err(Error::Migration { .. })));
}

/// `table.column type`, in order, as `schema.rs` has it.
fn believed() -> Vec<String> {
    let source = include_str!("../../../src/store/schema.rs");
    let mut columns = Vec::new();
    let mut table = "";
    for line in source.lines().map(str::trim) {
        if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            columns.push(format!("{table}.{column} {kind}"));
        } else if let Some((name, _)) = line.strip_suffix('{').and_then(|line| line.split_once(" (")) {
            table = name;
        }
    }
    columns.sort_by_key(|column| column.split('.').next().map(str::to_owned));
    columns
}

async fn the_schema_is_what_the_program_believes(fixture: Fixture) {
    let sql = if fixture.is_postgres() {
        "SELECT table_name || '.' || column_name || ' ' || CASE WHEN is_nullable = 'YES' THEN 'Nullable<' ELSE '' END \
         || CASE data_type WHEN 'text' THEN 'Text' WHEN 'bigint' THEN 'BigInt' WHEN 'boolean' THEN 'Bool' \
            WHEN 'double precision' THEN 'Double' ELSE data_type END \
         || CASE WHEN is_nullable = 'YES' THEN '>' ELSE '' END AS text \
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%' \
         ORDER BY table_name COLLATE \"C\", ordinal_position"
    } else {
        "SELECT m.name || '.' || c.name || ' ' || iif(c.\"notnull\", '', 'Nullable<') \
         || CASE c.type WHEN 'TEXT' THEN 'Text' WHEN 'BIGINT' THEN 'BigInt' WHEN 'INTEGER' THEN 'BigInt' \
            WHEN 'BOOLEAN' THEN 'Bool' WHEN 'DOUBLE' THEN 'Double' ELSE c.type END \
         || iif(c.\"notnull\", '', '>') AS text \
         FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' \
         ORDER BY m.name, c.cid"
    };
    assert_eq!(believed(), rows::texts(&fixture, sql));
}

/// The planner of SQLite works with fixed figures: an index without them is used wrongly once the table is large.
#[tokio::test]
async fn every_index_of_a_large_table_has_figures_for_the_planner() {
    let fixture = Fixture::sqlite();
    let indexes = rows::texts(
        &fixture,
        "SELECT name AS text FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_autoindex%' \
         AND tbl_name IN ('executions', 'execution_labels', 'journal', 'usage_records', 'audit_entries') ORDER BY name",
    );
    let known = rows::texts(
        &fixture,
        "SELECT idx AS text FROM sqlite_stat1 WHERE idx IN (SELECT name FROM sqlite_master WHERE type = 'index') \
         ORDER BY idx",
    );
    assert_eq!(indexes, known);
}
