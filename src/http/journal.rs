//! Readings of one execution: its history, its log, its tasks, its usage.

use super::Service;
use super::caller::Caller;
use super::error::{Error, Result};
use super::path;
use super::query::{MAX_NUMBER, Query, one_of};
use crate::domain::{Action, EventBody, ExecutionId, LogLevel};
use crate::store::{self, LogQuery};
use crate::wire::catalog::Code;
use crate::wire::event::push_event;
use crate::wire::journal::{DefinitionView, History, Log, Tasks};
use crate::wire::task::TaskStatus;
use crate::wire::usage::{UsageRecord, UsageTotals, UsageView};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use serde_json::value::RawValue;
use std::fmt::Write;

const MAX_LINES: u64 = 1_000;
/// The store hands out at most 1 000 lines, and one more than asked for tells whether there is more.
const MAX_LOG_LINES: u64 = 500;
const DEFAULT_LINES: u64 = 100;
/// Longer words are no event type, and not repeated in answers.
const LONGEST_TYPE: usize = 60;

/// Why a word is no event type. The reader of events is asked, so that there is no second list of types to keep in step.
fn unknown_type(name: &str) -> Option<String> {
    let name: String = name.chars().take(LONGEST_TYPE).collect();
    let error = serde_json::from_value::<EventBody>(json!({ "type": name })).err()?.to_string();
    let known = error.strip_prefix("unknown variant ")?.split_once(", expected one of ")?.1.replace('`', "");
    Some(format!("must be one of {known}, not '{name}'"))
}

/// The journal of an execution, oldest first.
#[utoipa::path(get, path = "/api/v1/executions/{id}/history", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution."),
        ("after_seq" = Option<u64>, Query, description = "Only events after this one."),
        ("limit" = Option<u64>, Query, description = "At most this many; 100 when absent.", minimum = 1, maximum = 1000),
        ("type" = Option<Vec<String>>, Query, description = "Only these types; repeat it or separate by commas."),
    ),
    responses((status = 200, body = History)),
)]
pub async fn history(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut query = Query::of(&request);
    let after_seq = query.number("after_seq", 0..=MAX_NUMBER).unwrap_or(0);
    let limit = query.number("limit", 1..=MAX_LINES).unwrap_or(DEFAULT_LINES);
    let types: Vec<String> = query.values("type", "an event type");
    for reason in types.iter().filter_map(|name| unknown_type(name)) {
        query.refuse("type", &reason);
    }
    query.finish()?;
    // One more than asked for tells whether there is more.
    let read = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    service.check_execution(&caller, Action::ExecutionRead, id).await?;
    let found = service.engine.store().history(caller.tenant_id, id, after_seq, read, types).await;
    let mut events = found.map_err(|error| Error::of_store(error, "execution", id))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = events.len() > limit;
    events.truncate(limit);
    // The events are stored as JSON; they are put together without being parsed.
    let mut text = String::with_capacity(events.iter().map(|event| event.json.len() + 96).sum::<usize>() + 64);
    text.push_str(r#"{"items":["#);
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        push_event(&mut text, id, Some(event.position), &event.json);
    }
    let next = events.last().filter(|_| has_more).map(|event| event.seq);
    // Writing to a String cannot fail.
    let _ = match next {
        Some(seq) => write!(text, r#"],"next_after_seq":{seq}}}"#),
        None => write!(text, r#"],"next_after_seq":null}}"#),
    };
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

/// The log of an execution, oldest first.
#[utoipa::path(get, path = "/api/v1/executions/{id}/logs", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution."),
        ("level" = Option<String>, Query, description = "At least this serious: debug, info, warn or error."),
        ("task" = Option<String>, Query, description = "Of the task with this JSON pointer."),
        ("q" = Option<String>, Query, description = "Contains this text."),
        ("after" = Option<u64>, Query, description = "Only lines after this one."),
        ("limit" = Option<u64>, Query, description = "At most this many; 100 when absent.", minimum = 1, maximum = 500),
    ),
    responses((status = 200, body = Log)),
)]
pub async fn logs(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut query = Query::of(&request);
    let level = query.value("level", &one_of(LogLevel::ALL));
    let task = query.text("task");
    let text = query.text("q");
    let after = query.number("after", 0..=MAX_NUMBER).unwrap_or(0);
    let limit = query.number("limit", 1..=MAX_LOG_LINES).unwrap_or(DEFAULT_LINES);
    query.finish()?;
    service.execution(&caller, id).await?;
    let read = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let wanted = LogQuery { level, task, text, after, limit: read };
    let mut lines = service.engine.store().logs(caller.tenant_id, id, wanted).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next_after = lines.last().filter(|_| has_more).map(|line| line.n);
    Ok(HttpResponse::Ok().json(Log { items: lines.into_iter().map(Into::into).collect(), next_after }))
}

/// The task instances of an execution, in the order in which they were started.
#[utoipa::path(get, path = "/api/v1/executions/{id}/tasks", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution."),
        ("status" = Option<Vec<TaskStatus>>, Query, description = "Any of these; repeat it or separate by commas."),
        ("path" = Option<String>, Query, description = "The instance at this path alone."),
        ("offset" = Option<u64>, Query, description = "Leave out this many."),
        ("limit" = Option<u64>, Query, description = "At most this many; 1 000 when absent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = Tasks)),
)]
pub async fn tasks(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut query = Query::of(&request);
    let statuses: Vec<TaskStatus> = query.values("status", &one_of(TaskStatus::ALL));
    let wanted = query.text("path");
    let offset = query.number("offset", 0..=MAX_NUMBER).unwrap_or(0);
    let limit = query.number("limit", 1..=MAX_LINES).unwrap_or(MAX_LINES);
    query.finish()?;
    service.execution(&caller, id).await?;
    let board = service.boards.of(service.engine.store(), caller.tenant_id, id).await?;
    let mut tasks = board.into_tasks(service.clock.now());
    tasks.retain(|task| statuses.is_empty() || statuses.contains(&task.status));
    tasks.retain(|task| wanted.as_deref().is_none_or(|path| *task.path == *path));
    let total = u64::try_from(tasks.len()).unwrap_or(u64::MAX);
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let items: Vec<_> = tasks.into_iter().skip(skipped).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let next_offset = Some(offset.saturating_add(limit)).filter(|next| *next < total);
    Ok(HttpResponse::Ok().json(Tasks { items, total, next_offset }))
}

/// The model calls of an execution, and their sum.
#[utoipa::path(get, path = "/api/v1/executions/{id}/usage", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    responses((status = 200, body = UsageView)),
)]
pub async fn usage(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    Query::of(&request).finish()?;
    service.execution(&caller, id).await?;
    let lines = service.engine.store().usage(caller.tenant_id, id).await?;
    let totals = usage_totals(&lines);
    let items = lines.into_iter().map(|line| UsageRecord {
        seq: line.seq,
        at: line.at,
        task: line.task,
        attempt: line.attempt,
        usage: line.usage,
    });
    Ok(HttpResponse::Ok().json(UsageView { items: items.collect(), totals }))
}

/// The definition that an execution runs, also when it was never registered.
#[utoipa::path(get, path = "/api/v1/executions/{id}/definition", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    responses((status = 200, body = DefinitionView)),
)]
pub async fn definition(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    Query::of(&request).finish()?;
    let execution = service.execution(&caller, id).await?;
    let digest = execution.creation.definition.digest.to_string();
    let text = service.engine.store().definition(caller.tenant_id, digest).await?;
    let definition = RawValue::from_string(text.json)
        .map_err(|error| Error::new(Code::Internal, format!("the stored definition is not JSON: {error}")))?;
    Ok(HttpResponse::Ok().json(DefinitionView { definition, source: text.source }))
}

/// The sum of an execution's model calls.
pub fn usage_totals(lines: &[store::UsageLine]) -> UsageTotals {
    let totals = store::UsageTotals::of(lines);
    UsageTotals {
        calls: totals.calls,
        input_tokens: totals.input_tokens,
        cached_input_tokens: totals.cached_input_tokens,
        output_tokens: totals.output_tokens,
        reasoning_tokens: totals.reasoning_tokens,
        cost_usd: totals.cost_usd,
        latency_ms: totals.latency_ms,
        wasted: totals.wasted.into(),
    }
}
