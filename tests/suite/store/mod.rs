//! The store's promises, the same on both databases.

mod agents;
mod continuing;
mod crash;
mod fixture;
mod idempotency;
mod journal;
mod lists;
mod logs;
mod outage;
mod people;
mod recovery;
mod removal;
mod retention;
mod rows;
mod saved_views;
mod schema;
mod secrets;
mod statistics;
mod tenancy;
mod workflows;

/// Instantiates test cases, `async fn(Fixture)`, for SQLite and PostgreSQL.
macro_rules! on_both_databases {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $case() { super::$case($crate::store::fixture::Fixture::sqlite()).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $case() { super::$case($crate::store::fixture::Fixture::postgres()).await; })+
        }
    };
}

use on_both_databases;
