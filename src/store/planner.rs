//! What SQLite's planner is told about the tables: fixed figures of a large store instead of samples.
//!
//! A sample of a store with one tenant or one kind of execution says what is only true today, and a plan chosen from it reads
//! a million rows tomorrow. With figures that never change the plans never do; on a small store each of them is as good as
//! any other. PostgreSQL gathers its own statistics.

use super::Error;
use super::connection::AnyConnection;
use super::statement::{Bind, Statement};
use diesel::prelude::*;

/// Table, index, and: rows, then rows with the same first column, the same first two, and so on.
const FIGURES: &[(&str, &str, &str)] = &[
    ("executions", "executions_id", "1000000 500000 1"),
    ("executions", "executions_created", "1000000 500000 1"),
    ("executions", "executions_status", "1000000 200000 100000 1"),
    ("executions", "executions_type", "1000000 500000 200000 1"),
    ("executions", "executions_name", "1000000 500000 50000 10000 1"),
    ("executions", "executions_creator", "1000000 500000 10000 1"),
    ("executions", "executions_workflow", "1000000 500000 10000 1"),
    ("executions", "executions_agent", "1000000 500000 10000 1"),
    ("executions", "executions_project", "1000000 500000 10000 1"),
    ("executions", "executions_parent", "1000000 500000 10 1"),
    ("executions", "executions_wake", "10000 2"),
    ("executions", "executions_input_blob", "10000 2"),
    ("executions", "executions_output_blob", "10000 2"),
    ("executions", "executions_inline_definition", "100000 50000 100"),
    ("execution_labels", "execution_labels", "1000000 500000 100000 10000 1 1"),
    ("execution_labels", "execution_labels_execution", "1000000 500000 4"),
    ("journal", "journal_execution", "5000000 5 1"),
    ("journal", "journal_blob", "10000 2"),
    ("usage_records", "usage_records_agent", "1000000 500000 10000 1"),
    ("usage_records", "usage_records_root", "1000000 500000 4"),
    ("usage_records", "usage_records_age", "1000000 500000 1"),
    ("audit_entries", "audit_entries_at", "1000000 500000 1"),
    ("audit_entries", "audit_entries_target", "1000000 500000 100 1"),
];

/// Tells the planner. The connections that are opened afterwards know it.
pub(super) fn inform(connection: &mut AnyConnection) -> Result<(), Error> {
    if matches!(connection, AnyConnection::Postgres(_)) {
        return Ok(());
    }
    // The first statement makes the table that the others fill; the last one has this connection read it.
    connection.run("PRAGMA analysis_limit = 1; ANALYZE executions_wake; DELETE FROM sqlite_stat1")?;
    for (table, index, figures) in FIGURES {
        Statement::new(
            "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
            vec![Bind::Text(table), Bind::Text(index), Bind::Text(figures)],
        )
        .execute(connection)?;
    }
    connection.run("ANALYZE sqlite_schema")
}
