//! What the model calls of the tenant have used.

use super::Service;
use super::caller::Caller;
use super::error::Result;
use super::query::Query;
use crate::domain::Timestamp;
use crate::wire::usage::{HourSpent, SpendingView};
use actix_web::{HttpRequest, HttpResponse, web};

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;
/// How far back figures reach when nothing is said.
const DEFAULT_SPAN_MICROS: i64 = DAY_MICROS;
/// How far back they reach at most: a quarter of a year.
const LONGEST_SPAN_MICROS: i64 = 92 * DAY_MICROS;

/// What the model calls of all executions of the tenant have used since an instant, and by the hour.
#[utoipa::path(get, path = "/api/v1/observability/usage/summary", tag = "executions",
    params(("since" = Option<Timestamp>, Query, description = "24 hours ago when absent; taken for 92 days ago when it is earlier.")),
    responses((status = 200, body = SpendingView)),
)]
pub async fn summary(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let since: Option<Timestamp> = query.value("since", "an instant such as 2026-03-01T09:30:00Z");
    query.finish()?;
    let now = service.clock.now();
    let since =
        since.unwrap_or_else(|| now.plus_micros(-DEFAULT_SPAN_MICROS)).max(now.plus_micros(-LONGEST_SPAN_MICROS));
    let found = service.engine.store().spending_since(caller.tenant_id, since).await?;
    let per_hour = found.per_hour.into_iter().map(|hour| HourSpent { hour: hour.hour, spent: hour.spent.into() });
    Ok(HttpResponse::Ok().json(SpendingView {
        since,
        spent: found.spent.into(),
        wasted: found.wasted.into(),
        per_hour: per_hour.collect(),
    }))
}
