//! Reading executions: lists, one, its children, the figures about all of them.

use super::Service;
use super::caller::Caller;
use super::error::Result;
use super::journal::usage_totals;
use super::path;
use super::query::{MAX_ITEMS, Query, Window, one_of};
use crate::domain::{Execution, ExecutionId, ExecutionType, Status, Timestamp};
use crate::store::{self, Filter, Page as Found, PageRequest, Sort};
use crate::wire::execution::{ExecutionDetail, ExecutionView, StatusView};
use crate::wire::page::{List, Page, Stretch};
use crate::wire::statistics::{HourCount, Percentiles, StatisticsView, StatusCount};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

/// Executions, newest first.
///
/// With `page` and `size` the answer is a `Page` with a total; with `cursor` and `limit` it is a `Stretch` that stays stable
/// while executions are added.
#[utoipa::path(get, path = "/api/v1/executions", tag = "executions",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("status" = Option<Vec<Status>>, Query, description = "Any of these; repeat it or separate by commas. `completed`, \
            `faulted` and `suspended` are taken for `succeeded`, `failed` and `paused`."),
        ("execution_type" = Option<ExecutionType>, Query, description = "Of this type."),
        ("workflow_id" = Option<crate::domain::WorkflowId>, Query, description = "Of this registered version."),
        ("workflow" = Option<String>, Query, description = "Of all versions of a workflow: `namespace/name`.", pattern = "^[^/]*/.*$"),
        ("agent_id" = Option<crate::domain::AgentId>, Query, description = "Tests of this agent."),
        ("project_id" = Option<String>, Query, description = "Rounds of this project."),
        ("parent_execution_id" = Option<ExecutionId>, Query, description = "Children of this execution."),
        ("continued" = Option<bool>, Query, description = "Whether a retry has gone on with it: `continued=false` leaves out what has \
            been retried, or is a part of what has been. Looked for like `q`."),
        ("created_by" = Option<String>, Query, description = "Started by this person."),
        ("created_after" = Option<Timestamp>, Query, description = "Exclusive."),
        ("created_before" = Option<Timestamp>, Query, description = "Exclusive."),
        ("label.{name}" = Option<String>, Query, description = "With this label; may be given for several names."),
        ("q" = Option<String>, Query, description = "Contains this text in id, name, creator, \
            input or error. One request looks through 5 000 executions that match the other filters, newest first: an answer \
            by cursor may hold few items or none and still have a `next_cursor`."),
        ("sort" = Option<String>, Query, description = "`-created_at` (newest first, the default) or `created_at`."),
    ),
    responses((status = 200, body = List<ExecutionView<'static>>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let mut filter = filter(&mut query);
    query.finish()?;
    narrow(&mut filter, &caller);
    let found = service.engine.store().executions(caller.tenant_id, filter, request_of(&window)).await?;
    Ok(show_executions(&service, window, found))
}

/// Leaves those of others out for whoever sees only their own. Asking for somebody else's then finds none.
fn narrow(filter: &mut Filter, caller: &Caller) {
    let Some(owner) = caller.only_owner() else { return };
    let is_others = filter.created_by.as_ref().is_some_and(|wanted| *wanted != owner);
    filter.created_by = Some(if is_others { String::new() } else { owner });
}

const AN_ID: &str = "a UUID";
const AN_INSTANT: &str = "an instant such as 2026-03-01T09:30:00Z";

fn filter(query: &mut Query) -> Filter {
    let mut filter = Filter {
        workflow_id: query.value("workflow_id", AN_ID),
        agent_id: query.value("agent_id", AN_ID),
        project_id: query.text("project_id"),
        parent_execution_id: query.value("parent_execution_id", AN_ID),
        is_continued: query.value("continued", &one_of(&[true, false])),
        execution_type: query.value("execution_type", &one_of(ExecutionType::ALL)),
        statuses: query.values("status", &one_of(Status::ALL)),
        created_by: query.text("created_by"),
        created_after: query.value("created_after", AN_INSTANT),
        created_before: query.value("created_before", AN_INSTANT),
        labels: query.with_prefix("label.").into_iter().collect(),
        text: query.text("q"),
        ..Filter::default()
    };
    if let Some(workflow) = query.text("workflow") {
        match workflow.split_once('/') {
            Some((namespace, name)) => filter.workflow = Some((namespace.to_owned(), name.to_owned())),
            None => query.refuse("workflow", "must be namespace/name"),
        }
    }
    match query.text("sort").as_deref() {
        None | Some("-created_at") => filter.sort = Sort::NewestFirst,
        Some("created_at") => filter.sort = Sort::OldestFirst,
        Some(_) => query.refuse("sort", "must be created_at or -created_at"),
    }
    filter
}

/// The store's form of a window.
pub fn request_of(window: &Window) -> PageRequest {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    match window {
        Window::Page { page, size } => PageRequest::Numbered { number: small(*page), size: small(*size) },
        Window::Cursor { cursor, limit } => PageRequest::Cursor { cursor: cursor.clone(), limit: small(*limit) },
    }
}

/// Items in the form that was asked for.
pub fn show<T: Serialize>(
    window: Window,
    items: Vec<T>,
    next_cursor: Option<String>,
    total: Option<u64>,
) -> HttpResponse {
    let list = match window {
        Window::Page { page, size } => List::Page(Page::new(items, page, size, total.unwrap_or(0))),
        Window::Cursor { .. } => List::Stretch(Stretch { items, next_cursor }),
    };
    HttpResponse::Ok().json(list)
}

fn show_executions(service: &Service, window: Window, found: Found<Execution>) -> HttpResponse {
    let now = service.clock.now();
    let items: Vec<ExecutionView> = found.items.iter().map(|execution| ExecutionView::new(execution, now)).collect();
    let list = match window {
        Window::Page { page, size } => {
            let page = Page::new(items, page, size, found.total.unwrap_or(0));
            List::Page(Page { total_is_exact: found.total_is_exact, ..page })
        }
        Window::Cursor { .. } => List::Stretch(Stretch { items, next_cursor: found.next_cursor }),
    };
    HttpResponse::Ok().json(list)
}

/// What is running or waiting now, newest first.
#[utoipa::path(get, path = "/api/v1/executions/active", tag = "executions",
    params(("limit" = Option<u64>, Query, description = "At most this many; 100 when absent.", minimum = 1, maximum = 100)),
    responses((status = 200, body = Stretch<ExecutionView<'static>>)),
)]
pub async fn active(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let limit = query.number("limit", 1..=MAX_ITEMS).unwrap_or(MAX_ITEMS);
    query.finish()?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let found = service.engine.store().active_executions(caller.tenant_id, caller.only_owner(), limit).await?;
    let now = service.clock.now();
    let items: Vec<ExecutionView> = found.iter().map(|execution| ExecutionView::new(execution, now)).collect();
    Ok(HttpResponse::Ok().json(Stretch { items, next_cursor: None }))
}

/// One execution, with what it is working on now and what its model calls have used.
#[utoipa::path(get, path = "/api/v1/executions/{id}", tag = "executions",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    responses((status = 200, body = ExecutionDetail<'static>)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    Query::of(&request).finish()?;
    let execution = service.execution(&caller, id).await?;
    let now = service.clock.now();
    let store = service.engine.store();
    let current_tasks = if execution.status.is_terminal() {
        Vec::new()
    } else {
        service.boards.of(store, caller.tenant_id, id).await?.current(now)
    };
    let usage = usage_totals(&store.usage(caller.tenant_id, id).await?);
    let budget = service.budget(&execution).await?;
    let execution = ExecutionView::new(&execution, now);
    Ok(HttpResponse::Ok().json(ExecutionDetail { execution, current_tasks, usage, budget }))
}

/// The status of an execution, for those who only ask that.
#[utoipa::path(get, path = "/api/v1/workflows/executions/{id}/status", tag = "workflows",
    params(("id" = ExecutionId, Path, description = "The execution.")),
    responses((status = 200, body = StatusView)),
)]
pub async fn status(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    Query::of(&request).finish()?;
    let execution = service.execution(&caller, id).await?;
    Ok(HttpResponse::Ok().json(StatusView::new(&execution, service.clock.now())))
}

/// The executions that an execution has started with `run: workflow`, newest first.
#[utoipa::path(get, path = "/api/v1/executions/{id}/children", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution."),
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
    ),
    responses((status = 200, body = List<ExecutionView<'static>>)),
)]
pub async fn children(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut query = Query::of(&request);
    let window = query.window();
    query.finish()?;
    service.execution(&caller, id).await?;
    let filter = Filter { parent_execution_id: Some(id), created_by: caller.only_owner(), ..Filter::default() };
    let found = service.engine.store().executions(caller.tenant_id, filter, request_of(&window)).await?;
    Ok(show_executions(&service, window, found))
}

/// How far back figures reach when nothing is said: a week.
const DEFAULT_SPAN_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;

/// Figures about the executions created since an instant.
#[utoipa::path(get, path = "/api/v1/executions/stats", tag = "executions",
    params(("since" = Option<Timestamp>, Query, description = "A week ago when absent; the hour that it lies in is counted from its beginning.")),
    responses((status = 200, body = StatisticsView)),
)]
pub async fn stats(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let since = query.value("since", AN_INSTANT);
    query.finish()?;
    let since = since.unwrap_or_else(|| service.clock.now().plus_micros(-DEFAULT_SPAN_MICROS));
    let found = service.engine.store().statistics(caller.tenant_id, since).await?;
    Ok(HttpResponse::Ok().json(statistics_view(found)))
}

fn statistics_view(found: store::Statistics) -> StatisticsView {
    let sum = |is_counted: &dyn Fn(&store::StatusCount) -> bool| {
        found.counts.iter().filter(|count| is_counted(count)).map(|count| count.count).sum::<u64>()
    };
    let by_status = Status::ALL.iter().map(|status| (status.to_string(), sum(&|count| count.status == *status)));
    let by_type = ExecutionType::ALL.iter().map(|kind| (kind.to_string(), sum(&|count| count.execution_type == *kind)));
    let percentiles = |values: store::Percentiles| Percentiles { p50: values.p50, p95: values.p95, p99: values.p99 };
    StatisticsView {
        since: found.since,
        total: found.total,
        by_status: by_status.collect(),
        by_type: by_type.filter(|(_, count)| *count > 0).collect(),
        success_rate: found.success_rate,
        run_ms: percentiles(found.run_ms),
        queued_ms: percentiles(found.queued_ms),
        sample_size: found.sample_size,
        counts: found
            .counts
            .iter()
            .map(|count| StatusCount { execution_type: count.execution_type, status: count.status, count: count.count })
            .collect(),
        per_hour: found
            .per_hour
            .iter()
            .map(|hour| HourCount {
                hour: hour.hour,
                created: hour.created,
                succeeded: hour.succeeded,
                failed: hour.failed,
                run_ms_p95: hour.run_ms_p95,
            })
            .collect(),
    }
}
