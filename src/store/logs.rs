//! Log lines: appended in batches, read by level, task, text and number.

use super::backend::on_backend;
use super::batch_postgres::{ColumnStatement, integers, optional_texts, texts};
use super::column_types::{integer, json, natural, optional_word};
use super::connection::{AnyConnection, MultiBackend};
use super::schema::{executions, logs};
use super::statement::{Bind, Statement};
use super::text_search::{contains_pattern, lower};
use super::{Error, Store, append};
use crate::domain::{ExecutionId, LogLevel, LogLine, TenantId, Timestamp};
use diesel::prelude::*;
use serde_json::Value;

/// Most lines of one read.
const MAX_LINES: u32 = 1_000;

/// Which lines are wanted. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// This level and above.
    pub level: Option<LogLevel>,
    /// JSON pointer to a task; its inner tasks are included.
    pub task: Option<String>,
    /// Contained in the message, without regard to case.
    pub text: Option<String>,
    /// Lines after this number.
    pub after: u64,
    /// At most this many; 1 000 when more are asked for.
    pub limit: u32,
}

/// Lines of one execution.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLines {
    pub tenant_id: TenantId,
    pub execution_id: ExecutionId,
    pub lines: Vec<LogLine>,
}

impl Store {
    /// Stores lines, those of several executions together. A line whose number is there already is left as it is, and so are
    /// all of an execution that has been deleted.
    pub async fn append_logs(&self, lines: Vec<LogLines>) -> Result<(), Error> {
        if lines.iter().all(|of_one| of_one.lines.is_empty()) {
            return Ok(());
        }
        let rows = lines.into_iter().map(rows_of).collect::<Result<Vec<_>, _>>()?;
        self.write(move |connection| {
            let mut known = Vec::new();
            for of_one in &rows {
                if let Some(first) = of_one.first()
                    && is_known(connection, first)?
                {
                    known.extend_from_slice(of_one);
                }
            }
            insert(connection, &known)
        })
        .await
    }

    /// Lines in the order of their numbers.
    pub async fn logs(&self, tenant_id: TenantId, id: ExecutionId, query: LogQuery) -> Result<Vec<LogLine>, Error> {
        self.read(move |connection| read(connection, &tenant_id.to_string(), &id.to_string(), &query)).await
    }

    /// The number of the last line; 0 when there is none.
    pub async fn last_log_number(&self, tenant_id: TenantId, id: ExecutionId) -> Result<u64, Error> {
        self.read(move |connection| {
            let last = logs::table
                .filter(logs::execution_id.eq(id.to_string()).and(logs::tenant_id.eq(tenant_id.to_string())))
                .select(diesel::dsl::max(logs::n))
                .first::<Option<i64>>(connection)?;
            natural("line number", last.unwrap_or(0))
        })
        .await
    }
}

#[derive(Queryable)]
struct Row {
    n: i64,
    task: Option<String>,
    agent_id: Option<String>,
    level: i64,
    message: String,
    metadata: Option<String>,
    source: String,
    at: i64,
}

impl Row {
    fn into_line(self) -> Result<LogLine, Error> {
        let level = LogLevel::ALL.iter().copied().find(|level| rank(*level) == self.level);
        Ok(LogLine {
            n: natural("line number", self.n)?,
            task: self.task,
            agent_id: optional_word("agent id", self.agent_id.as_deref())?,
            level: level.ok_or_else(|| Error::corrupt("log level", self.level))?,
            message: self.message,
            metadata: self.metadata.as_deref().map_or(Ok(Value::Null), |text| json("metadata", text))?,
            source: self.source,
            at: Timestamp::from_micros(self.at),
        })
    }
}

/// The level as its column holds it: higher is more serious.
fn rank(level: LogLevel) -> i64 {
    match level {
        LogLevel::Debug => 0,
        LogLevel::Info => 1,
        LogLevel::Warn => 2,
        LogLevel::Error => 3,
    }
}

/// A line as its columns hold it.
#[derive(Clone)]
struct NewRow {
    tenant_id: String,
    execution_id: String,
    n: i64,
    task: Option<String>,
    agent_id: Option<String>,
    level: i64,
    message: String,
    metadata: Option<String>,
    source: String,
    at: i64,
}

fn rows_of(LogLines { tenant_id, execution_id, lines }: LogLines) -> Result<Vec<NewRow>, Error> {
    let (tenant_id, execution_id) = (tenant_id.to_string(), execution_id.to_string());
    let row = |line: LogLine| {
        Ok(NewRow {
            tenant_id: tenant_id.clone(),
            execution_id: execution_id.clone(),
            n: integer(line.n),
            task: line.task,
            agent_id: line.agent_id.map(|id| id.to_string()),
            level: rank(line.level),
            // PostgreSQL stores no NUL; processes may print one.
            message: line.message.replace('\0', "\u{fffd}"),
            metadata: if line.metadata.is_null() { None } else { Some(append::to_json(&line.metadata)?) },
            source: line.source,
            at: line.at.as_micros(),
        })
    };
    lines.into_iter().map(row).collect()
}

/// Whether the execution of a line is still there.
fn is_known(connection: &mut AnyConnection, row: &NewRow) -> Result<bool, Error> {
    let found = executions::table
        .filter(executions::tenant_id.eq(&row.tenant_id).and(executions::id.eq(&row.execution_id)))
        .select(executions::created_position)
        .first::<i64>(connection)
        .optional()?;
    Ok(found.is_some())
}

/// One statement per line on SQLite, which costs less than a large one; one for all on PostgreSQL, which costs one round trip.
fn insert(connection: &mut AnyConnection, rows: &[NewRow]) -> Result<(), Error> {
    on_backend!(connection, inner => {
        sqlite: for row in rows {
            Statement::new(
                "INSERT INTO logs (execution_id, n, tenant_id, task, agent_id, level, message, metadata, source, at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (execution_id, n) DO NOTHING",
                vec![
                    Bind::Text(&row.execution_id),
                    Bind::Integer(row.n),
                    Bind::Text(&row.tenant_id),
                    Bind::OptionalText(row.task.as_deref()),
                    Bind::OptionalText(row.agent_id.as_deref()),
                    Bind::Integer(row.level),
                    Bind::Text(&row.message),
                    Bind::OptionalText(row.metadata.as_deref()),
                    Bind::Text(&row.source),
                    Bind::Integer(row.at),
                ],
            )
            .execute(inner)?;
        },
        postgres: {
            let rows: Vec<&NewRow> = rows.iter().collect();
            let sql = "INSERT INTO logs (execution_id, n, tenant_id, task, agent_id, level, message, metadata, source, at) \
                 SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (execution_id, n) DO NOTHING";
            let columns = vec![
                texts(&rows, |row| &row.execution_id),
                integers(&rows, |row| row.n),
                texts(&rows, |row| &row.tenant_id),
                optional_texts(&rows, |row| row.task.as_deref()),
                optional_texts(&rows, |row| row.agent_id.as_deref()),
                integers(&rows, |row| row.level),
                texts(&rows, |row| &row.message),
                optional_texts(&rows, |row| row.metadata.as_deref()),
                texts(&rows, |row| &row.source),
                integers(&rows, |row| row.at),
            ];
            ColumnStatement { sql, columns }.execute(inner)?;
        },
    });
    Ok(())
}

fn read(connection: &mut AnyConnection, tenant_id: &str, id: &str, query: &LogQuery) -> Result<Vec<LogLine>, Error> {
    let mut lines = logs::table
        .filter(logs::execution_id.eq(id).and(logs::tenant_id.eq(tenant_id)))
        .filter(logs::n.gt(integer(query.after)))
        .order(logs::n)
        .limit(i64::from(query.limit.clamp(1, MAX_LINES)))
        .select((
            logs::n,
            logs::task,
            logs::agent_id,
            logs::level,
            logs::message,
            logs::metadata,
            logs::source,
            logs::at,
        ))
        .into_boxed::<MultiBackend>();
    if let Some(level) = query.level {
        lines = lines.filter(logs::level.ge(rank(level)));
    }
    if let Some(task) = &query.task {
        let inner = format!("{}/%", task.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        lines = lines.filter(logs::task.eq(task).or(logs::task.like(inner).escape('\\')));
    }
    if let Some(text) = &query.text {
        lines = lines.filter(lower(logs::message).like(contains_pattern(text)).escape('\\'));
    }
    lines.load::<Row>(connection)?.into_iter().map(Row::into_line).collect()
}
