//! Looking at the tables themselves, past the store.

use super::fixture::Fixture;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    text: String,
}

pub fn sqlite(fixture: &Fixture) -> SqliteConnection {
    SqliteConnection::establish(fixture.url.trim_start_matches("sqlite:")).unwrap()
}

pub fn postgres(fixture: &Fixture) -> PgConnection {
    PgConnection::establish(&fixture.url).unwrap()
}

/// The column `text` of a query.
pub fn texts(fixture: &Fixture, sql: &str) -> Vec<String> {
    let rows: Vec<TextRow> = if fixture.is_postgres() {
        diesel::sql_query(sql).load(&mut postgres(fixture)).unwrap()
    } else {
        diesel::sql_query(sql).load(&mut sqlite(fixture)).unwrap()
    };
    rows.into_iter().map(|row| row.text).collect()
}

/// Runs a statement, as somebody else than the store might.
pub fn execute(fixture: &Fixture, sql: &str) {
    if fixture.is_postgres() {
        postgres(fixture).batch_execute(sql).unwrap();
    } else {
        sqlite(fixture).batch_execute(sql).unwrap();
    }
}
