//! Two executions side by side.

use super::Service;
use super::caller::Caller;
use super::error::Result;
use super::journal::usage_totals;
use super::path;
use super::query::{MAX_NUMBER, Query};
use crate::domain::{Execution, ExecutionId};
use crate::wire::diff::{DiffSide, ExecutionDiff, Sameness, compare_tasks};
use crate::wire::execution::ExecutionView;
use crate::wire::usage::UsageTotals;
use actix_web::{HttpRequest, HttpResponse, web};

const MAX_TASKS: u64 = 1_000;

/// Two executions side by side: what they ran and were given, what each task made of it, how long it took and what it cost.
#[utoipa::path(get, path = "/api/v1/executions/{id}/diff/{other}", tag = "executions",
    params(
        ("id" = ExecutionId, Path, description = "The execution called `a`."),
        ("other" = ExecutionId, Path, description = "The execution called `b`."),
        ("only_different" = Option<bool>, Query, description = "Leave out tasks that are the same in both."),
        ("offset" = Option<u64>, Query, description = "Leave out this many tasks."),
        ("limit" = Option<u64>, Query, description = "At most this many tasks; 1 000 when absent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = ExecutionDiff<'static>)),
)]
pub async fn diff(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let (a, b) = (path::execution_id(&request)?, path::other_execution_id(&request)?);
    let mut query = Query::of(&request);
    let only_different = query.value("only_different", "true or false").unwrap_or(false);
    let offset = query.number("offset", 0..=MAX_NUMBER).unwrap_or(0);
    let limit = query.number("limit", 1..=MAX_TASKS).unwrap_or(MAX_TASKS);
    query.finish()?;
    let (first, second) = (service.execution(&caller, a).await?, service.execution(&caller, b).await?);
    let (store, now) = (service.engine.store(), service.clock.now());
    let mut boards = Vec::with_capacity(2);
    for id in [a, b] {
        boards.push(service.boards.of(store, caller.tenant_id, id).await?.into_tasks(now));
    }
    let (of_b, of_a) = (boards.pop().unwrap_or_default(), boards.pop().unwrap_or_default());
    let mut tasks = compare_tasks(of_a, of_b);
    let total = tasks.len();
    let different = tasks.iter().filter(|task| !task.is_same).count();
    tasks.retain(|task| !(only_different && task.is_same));
    let shown = u64::try_from(tasks.len()).unwrap_or(u64::MAX);
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let tasks = tasks.into_iter().skip(skipped).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let same = sameness(&first, &second);
    let diff = ExecutionDiff {
        a: side(&service, &caller, &first, same).await?,
        b: side(&service, &caller, &second, same).await?,
        same,
        tasks,
        total: u64::try_from(total).unwrap_or(u64::MAX),
        different: u64::try_from(different).unwrap_or(u64::MAX),
        next_offset: Some(offset.saturating_add(limit)).filter(|next| *next < shown),
    };
    Ok(HttpResponse::Ok().json(diff))
}

fn sameness(a: &Execution, b: &Execution) -> Sameness {
    let (from_a, from_b) = (&a.creation, &b.creation);
    Sameness {
        definition: from_a.definition.digest == from_b.definition.digest,
        input: (&from_a.input, &from_a.test_input) == (&from_b.input, &from_b.test_input),
        output: (&a.output, &a.error) == (&b.output, &b.error),
    }
}

async fn side<'a>(
    service: &Service,
    caller: &Caller,
    execution: &'a Execution,
    same: Sameness,
) -> Result<DiffSide<'a>> {
    let store = service.engine.store();
    let usage: UsageTotals = usage_totals(&store.usage(caller.tenant_id, execution.id).await?);
    let definition = if same.definition {
        None
    } else {
        let digest = execution.creation.definition.digest.to_string();
        Some(store.definition(caller.tenant_id, digest).await?.source)
    };
    Ok(DiffSide { execution: ExecutionView::new(execution, service.clock.now()), usage, definition })
}
