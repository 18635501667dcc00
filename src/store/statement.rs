//! Statements that diesel's query builder cannot say for both databases at once (upserts above all), and the writer's own:
//! plain SQL with `?` for each value, prepared once per connection and reused.

use super::Error;
use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, Double, HasSqlType, Nullable, Text, Untyped};

/// A value in a [`Statement`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Bind<'a> {
    Text(&'a str),
    OptionalText(Option<&'a str>),
    Integer(i64),
    OptionalInteger(Option<i64>),
    OptionalDouble(Option<f64>),
    Bool(bool),
}

/// SQL with as many `?` as values. No `?` may stand in a literal.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    sql: &'static str,
    binds: Vec<Bind<'a>>,
}

impl<'a> Statement<'a> {
    pub fn new(sql: &'static str, binds: Vec<Bind<'a>>) -> Self {
        Self { sql, binds }
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    // Prepared statements are found again by their SQL.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl<C> RunQueryDsl<C> for Statement<'_> {}

impl<DB> QueryFragment<DB> for Statement<'_>
where
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Bool> + HasSqlType<Double>,
    str: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
    f64: ToSql<Double, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut binds = self.binds.iter();
        for (index, part) in parts(self.sql).enumerate() {
            if index > 0 {
                match binds.next() {
                    Some(Bind::Text(text)) => out.push_bind_param::<Text, str>(without_nul(text)?)?,
                    Some(Bind::OptionalText(text)) => {
                        text.map(without_nul).transpose()?;
                        out.push_bind_param::<Nullable<Text>, _>(text)?;
                    }
                    Some(Bind::Integer(number)) => out.push_bind_param::<BigInt, _>(number)?,
                    Some(Bind::OptionalInteger(number)) => out.push_bind_param::<Nullable<BigInt>, _>(number)?,
                    Some(Bind::OptionalDouble(number)) => out.push_bind_param::<Nullable<Double>, _>(number)?,
                    Some(Bind::Bool(truth)) => out.push_bind_param::<Bool, _>(truth)?,
                    None => {
                        let reason = format!("the statement lacks a value: {}", self.sql);
                        return Err(diesel::result::Error::QueryBuilderError(reason.into()));
                    }
                }
            }
            out.push_sql(part);
        }
        Ok(())
    }
}

/// The SQL before, between and after the `?`.
pub(super) fn parts(sql: &'static str) -> impl Iterator<Item = &'static str> {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'?', sql.as_bytes()).chain(std::iter::once(sql.len()));
    ends.map(move |end| sql.get(std::mem::replace(&mut begin, end + 1)..end).unwrap_or_default())
}

/// Whether something may be stored under a name. PostgreSQL does not even look for one with a NUL.
pub(super) fn is_storable(name: &str) -> bool {
    memchr::memchr(0, name.as_bytes()).is_none()
}

/// [`Error::NotFound`] for what cannot be stored under these names.
pub(super) fn findable(names: &[&str]) -> Result<(), Error> {
    if names.iter().all(|name| is_storable(name)) { Ok(()) } else { Err(Error::NotFound) }
}

/// PostgreSQL stores no NUL in a text, so neither database is given one. JSON writes it as an escape.
pub(super) fn without_nul(text: &str) -> QueryResult<&str> {
    if !is_storable(text) {
        return Err(diesel::result::Error::SerializationError("a text holds a NUL character".into()));
    }
    Ok(text)
}
