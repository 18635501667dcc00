//! The two-armed match for what `MultiConnection` cannot say.

/// Runs an expression on the connection inside an [`AnyConnection`](super::connection::AnyConnection): the same one for both
/// databases, or one for each.
macro_rules! on_backend {
    ($connection:expr, $name:ident => { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }) => {
        match $connection {
            $crate::store::connection::AnyConnection::Sqlite($name) => $sqlite,
            $crate::store::connection::AnyConnection::Postgres($name) => $postgres,
        }
    };
    ($connection:expr, $name:ident => $both:expr) => {
        match $connection {
            $crate::store::connection::AnyConnection::Sqlite($name) => $both,
            $crate::store::connection::AnyConnection::Postgres($name) => $both,
        }
    };
}

pub(super) use on_backend;
