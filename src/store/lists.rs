//! Lists of executions: every filter, by number and by cursor, at a price that does not grow with what is stored.
//!
//! First the keys of the wanted rows are found, from an index alone where one fits, then the rows themselves are read. What
//! no index finds (a text, who goes on with it, or anything beside a label or an open status) is looked for among the next [`SEARCH_WINDOW`] executions;
//! a list by cursor says where to go on.

use super::column_types::natural;
use super::connection::{AnyConnection, MultiBackend};
use super::executions::{Row, from_rows};
use super::page::{self, Page, PageRequest};
use super::schema::{continued_executions, execution_labels, executions};
use super::text_search::{contains_pattern, lower, lower_or_null};
use super::{Error, Filter, Sort, counts};
use crate::domain::Execution;
use crate::domain::Status;
use diesel::dsl::{exists, not};
use diesel::helper_types::{IntoBoxed, Select};
use diesel::prelude::*;
use std::collections::BTreeSet;

/// Executions that one request looks through for what no index finds.
const SEARCH_WINDOW: i64 = 5_000;
/// Candidates that are held against the filters at a time.
const CHUNK: i64 = 500;
/// Totals of lists that are not counted in advance are counted up to here.
const COUNT_LIMIT: i64 = 1_000;

/// The place of an execution in lists: when it was created, and its position, which tells those of one instant apart.
type Key = (i64, i64);

/// Which part of a list is wanted: after a key, and not beyond another.
#[derive(Clone, Copy, Default)]
struct Range {
    after: Option<Key>,
    until: Option<Key>,
}

/// Keys in the order of the list.
#[derive(Default)]
struct Found {
    keys: Vec<Key>,
    /// Where the search has ended although there is more.
    end: Option<Key>,
}

/// A page of a tenant's executions.
pub(super) fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Page<Execution>, Error> {
    let query = Query { tenant_id, filter };
    let (limit, offset) = request.window();
    match request {
        PageRequest::Cursor { .. } => {
            let after = request.after()?.map(|(at, position)| Ok((at, position.parse()?)));
            let after = after.transpose().map_err(|_: std::num::ParseIntError| Error::InvalidCursor)?;
            let mut found = query.find(connection, after, limit)?;
            let wanted = usize::try_from(limit - 1).unwrap_or(usize::MAX);
            let end = found.end.take();
            let next = if found.keys.len() > wanted {
                wanted.checked_sub(1).and_then(|last| found.keys.get(last).copied())
            } else {
                end
            };
            found.keys.truncate(wanted);
            let next_cursor = next.map(|(at, position)| page::encode(&(at, position.to_string())));
            Ok(Page { items: query.rows(connection, &found.keys)?, next_cursor, total: None, total_is_exact: true })
        }
        PageRequest::Numbered { .. } => query.numbered(connection, limit, offset),
    }
}

/// The first executions of a list.
pub(super) fn first(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Execution>, Error> {
    let query = Query { tenant_id, filter };
    let found = query.find(connection, None, i64::from(limit))?;
    query.rows(connection, &found.keys)
}

type ExecutionKeys = Select<executions::table, (executions::created_at, executions::created_position)>;
type LabelKeys = Select<execution_labels::table, (execution_labels::created_at, execution_labels::created_position)>;

/// Executions that an index gives in the order of the list, and among which the wanted ones are.
enum Candidates<'a> {
    /// Those with a label.
    Labeled(&'a (String, String)),
    /// Those that have not ended, of which there are few. The filter holds their statuses alone.
    Open(&'a Filter),
}

/// What is looked for.
#[derive(Clone, Copy)]
struct Query<'a> {
    tenant_id: &'a str,
    filter: &'a Filter,
}

impl Query<'_> {
    fn numbered(self, connection: &mut AnyConnection, size: i64, offset: i64) -> Result<Page<Execution>, Error> {
        let (mut keys, total, total_is_exact);
        if self.is_counted() {
            let Filter { statuses, execution_type, .. } = self.filter;
            keys = self.indexed(connection, Range::default(), size, offset)?;
            (total, total_is_exact) = (counts::total(connection, self.tenant_id, statuses, *execution_type)?, true);
        } else if offset + size <= COUNT_LIMIT {
            let found = self.find(connection, None, COUNT_LIMIT + 1)?;
            let count = i64::try_from(found.keys.len()).unwrap_or(i64::MAX);
            keys = window(found.keys, offset, size);
            (total, total_is_exact) =
                (natural("count", count.min(COUNT_LIMIT))?, count <= COUNT_LIMIT && found.end.is_none());
        } else {
            keys = window(self.find(connection, None, offset + size)?.keys, offset, size);
            let seen = offset.saturating_add(i64::try_from(keys.len()).unwrap_or(i64::MAX));
            (total, total_is_exact) = (natural("count", seen.max(COUNT_LIMIT))?, false);
        }
        keys.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(Page { items: self.rows(connection, &keys)?, next_cursor: None, total: Some(total), total_is_exact })
    }

    /// Whether only what is counted in advance restricts the list.
    fn is_counted(self) -> bool {
        let Filter { statuses, execution_type, sort, .. } = self.filter.clone();
        *self.filter == Filter { statuses, execution_type, sort, ..Filter::default() }
    }

    fn find(self, connection: &mut AnyConnection, after: Option<Key>, limit: i64) -> Result<Found, Error> {
        let mut range = Range { after, until: None };
        if let Some((label, rest)) = self.filter.labels.split_first() {
            let filter = Filter { labels: rest.to_vec(), ..self.filter.clone() };
            return Query { filter: &filter, ..self }.among(connection, &Candidates::Labeled(label), range, limit);
        }
        let statuses = &self.filter.statuses;
        if !statuses.is_empty() && !statuses.iter().any(|status| status.is_terminal()) && !self.is_counted() {
            let open = Filter { statuses: statuses.clone(), sort: self.filter.sort, ..Filter::default() };
            return self.among(connection, &Candidates::Open(&open), range, limit);
        }
        if self.filter.text.is_some() || self.filter.is_continued.is_some() {
            let filter = Filter { text: None, is_continued: None, ..self.filter.clone() };
            range.until = Query { filter: &filter, ..self }.indexed(connection, range, 1, SEARCH_WINDOW - 1)?.pop();
        }
        Ok(Found { keys: self.indexed(connection, range, limit, 0)?, end: range.until })
    }

    /// Keys as an index gives them. With several statuses each is asked for alone, which its index answers in order, and the
    /// answers are merged; together the database would sort all there are.
    fn indexed(self, connection: &mut AnyConnection, range: Range, limit: i64, offset: i64) -> Result<Vec<Key>, Error> {
        let statuses: BTreeSet<Status> = self.filter.statuses.iter().copied().collect();
        if statuses.len() < 2 {
            let query = self.keys(&self.filter.statuses, range).limit(limit).offset(offset);
            return Ok(query.load(connection)?);
        }
        let mut keys: Vec<Key> = Vec::new();
        for status in &statuses {
            keys.extend(self.keys(std::slice::from_ref(status), range).limit(offset + limit).load::<Key>(connection)?);
        }
        self.sort(&mut keys);
        Ok(window(keys, offset, limit))
    }

    /// Keys of candidates, which are known in order, held against the filters.
    fn among(
        self,
        connection: &mut AnyConnection,
        candidates: &Candidates<'_>,
        mut range: Range,
        limit: i64,
    ) -> Result<Found, Error> {
        let is_alone = *self.filter == Filter { sort: self.filter.sort, ..Filter::default() };
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let chunk = if is_alone { limit } else { CHUNK };
        let (mut found, mut searched) = (Found::default(), 0);
        loop {
            let candidates = match candidates {
                Candidates::Labeled(label) => self.labels(label, range).limit(chunk).load::<Key>(connection)?,
                Candidates::Open(open) => Query { filter: open, ..self }.indexed(connection, range, chunk, 0)?,
            };
            let is_last = i64::try_from(candidates.len()).is_ok_and(|count| count < chunk);
            let Some(last) = candidates.last().copied() else { return Ok(found) };
            searched += chunk;
            if is_alone {
                found.keys.extend(candidates);
            } else {
                let positions = candidates.into_iter().map(|(_, position)| position);
                let among = executions::created_position.eq_any(positions.collect::<Vec<i64>>());
                let matching = self.keys(&self.filter.statuses, Range::default()).filter(among);
                found.keys.extend(matching.load::<Key>(connection)?);
            }
            if is_last {
                return Ok(found);
            }
            if found.keys.len() >= wanted {
                found.keys.truncate(wanted);
                return Ok(found);
            }
            if searched >= SEARCH_WINDOW {
                found.end = Some(last);
                return Ok(found);
            }
            range.after = Some(last);
        }
    }

    fn labels<'q>(self, (label, value): &'q (String, String), range: Range) -> IntoBoxed<'q, LabelKeys, MultiBackend> {
        let mut query = execution_labels::table
            .select((execution_labels::created_at, execution_labels::created_position))
            .into_boxed::<MultiBackend>()
            .filter(execution_labels::tenant_id.eq(self.tenant_id.to_owned()))
            .filter(execution_labels::label.eq(label).and(execution_labels::value.eq(value)));
        let (at, position) = (execution_labels::created_at, execution_labels::created_position);
        if let Some(after) = range.after {
            query = match self.filter.sort {
                Sort::NewestFirst => query.filter(at.le(after.0)).filter(at.lt(after.0).or(position.lt(after.1))),
                Sort::OldestFirst => query.filter(at.ge(after.0)).filter(at.gt(after.0).or(position.gt(after.1))),
            };
        }
        match self.filter.sort {
            Sort::NewestFirst => query.order((at.desc(), position.desc())),
            Sort::OldestFirst => query.order((at.asc(), position.asc())),
        }
    }

    /// The keys of what the filter lets through, in order, with these statuses instead of its own.
    fn keys<'q>(self, statuses: &'q [Status], range: Range) -> IntoBoxed<'q, ExecutionKeys, MultiBackend>
    where
        Self: 'q,
    {
        let (at, position) = (executions::created_at, executions::created_position);
        let mut query = self.filtered(statuses);
        // The first condition of each pair bounds the index range, which no database sees in the second.
        if let Some(after) = range.after {
            query = match self.filter.sort {
                Sort::NewestFirst => query.filter(at.le(after.0)).filter(at.lt(after.0).or(position.lt(after.1))),
                Sort::OldestFirst => query.filter(at.ge(after.0)).filter(at.gt(after.0).or(position.gt(after.1))),
            };
        }
        if let Some(until) = range.until {
            query = match self.filter.sort {
                Sort::NewestFirst => query.filter(at.ge(until.0)).filter(at.gt(until.0).or(position.ge(until.1))),
                Sort::OldestFirst => query.filter(at.le(until.0)).filter(at.lt(until.0).or(position.le(until.1))),
            };
        }
        match self.filter.sort {
            Sort::NewestFirst => query.order((at.desc(), position.desc())),
            Sort::OldestFirst => query.order((at.asc(), position.asc())),
        }
    }

    fn filtered<'q>(self, statuses: &'q [Status]) -> IntoBoxed<'q, ExecutionKeys, MultiBackend>
    where
        Self: 'q,
    {
        let mut query = executions::table
            .select((executions::created_at, executions::created_position))
            .into_boxed::<MultiBackend>()
            .filter(executions::tenant_id.eq(self.tenant_id));
        let filter = self.filter;
        if let Some(id) = filter.workflow_id {
            query = query.filter(executions::workflow_id.eq(id.to_string()));
        }
        if let Some((namespace, name)) = &filter.workflow {
            query = query.filter(executions::namespace.eq(namespace).and(executions::name.eq(name)));
        }
        if let Some(id) = filter.agent_id {
            query = query.filter(executions::agent_id.eq(id.to_string()));
        }
        if let Some(id) = &filter.project_id {
            query = query.filter(executions::project_id.eq(id));
        }
        if let Some(id) = filter.parent_execution_id {
            query = query.filter(executions::parent_execution_id.eq(id.to_string()));
        }
        if let Some(is_continued) = filter.is_continued {
            let continued = continued_executions::table
                .filter(continued_executions::tenant_id.eq(self.tenant_id))
                .filter(continued_executions::execution_id.eq(executions::id));
            query = if is_continued { query.filter(exists(continued)) } else { query.filter(not(exists(continued))) };
        }
        if let Some(execution_type) = filter.execution_type {
            query = query.filter(executions::execution_type.eq(execution_type.as_str()));
        }
        match statuses {
            [] => {}
            [one] => query = query.filter(executions::status.eq(one.as_str())),
            several => {
                let words: Vec<&str> = several.iter().map(|status| status.as_str()).collect();
                query = query.filter(executions::status.eq_any(words));
            }
        }
        if let Some(name) = &filter.created_by {
            query = query.filter(executions::created_by.eq(name));
        }
        if let Some(at) = filter.created_after {
            query = query.filter(executions::created_at.gt(at.as_micros()));
        }
        if let Some(at) = filter.created_before {
            query = query.filter(executions::created_at.lt(at.as_micros()));
        }
        for (label, value) in &filter.labels {
            let labeled = execution_labels::table
                .filter(execution_labels::tenant_id.eq(self.tenant_id))
                .filter(execution_labels::label.eq(label).and(execution_labels::value.eq(value)))
                .filter(execution_labels::created_at.eq(executions::created_at))
                .filter(execution_labels::created_position.eq(executions::created_position));
            query = query.filter(exists(labeled));
        }
        match &filter.text {
            Some(text) => containing(query, text),
            None => query,
        }
    }

    fn sort(self, keys: &mut [Key]) {
        keys.sort_unstable();
        if self.filter.sort == Sort::NewestFirst {
            keys.reverse();
        }
    }

    /// The rows of keys, in their order.
    fn rows(self, connection: &mut AnyConnection, keys: &[Key]) -> Result<Vec<Execution>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let positions: Vec<i64> = keys.iter().map(|(_, position)| *position).collect();
        let mut rows =
            executions::table.filter(executions::created_position.eq_any(positions)).load::<Row>(connection)?;
        rows.retain(|row| row.tenant_id == self.tenant_id);
        rows.sort_by_key(|row| (row.created_at, row.created_position));
        if self.filter.sort == Sort::NewestFirst {
            rows.reverse();
        }
        from_rows(connection, rows)
    }
}

/// Those whose texts contain a text, without regard to case.
fn containing<'q>(
    query: IntoBoxed<'q, ExecutionKeys, MultiBackend>,
    text: &str,
) -> IntoBoxed<'q, ExecutionKeys, MultiBackend> {
    let pattern = contains_pattern(text);
    let created_by = lower_or_null(executions::created_by).assume_not_null();
    let error = lower_or_null(executions::error).assume_not_null();
    query.filter(
        lower(executions::name)
            .like(pattern.clone())
            .escape('\\')
            .or(lower(executions::namespace).like(pattern.clone()).escape('\\'))
            .or(executions::id.like(pattern.clone()).escape('\\'))
            .or(lower(executions::input).like(pattern.clone()).escape('\\'))
            .or(executions::created_by.is_not_null().and(created_by.like(pattern.clone()).escape('\\')))
            .or(executions::error.is_not_null().and(error.like(pattern).escape('\\'))),
    )
}

fn window(keys: Vec<Key>, offset: i64, size: i64) -> Vec<Key> {
    let number = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    keys.into_iter().skip(number(offset)).take(number(size)).collect()
}
