//! The queue: what waits for a slot, and why.

use super::Service;
use super::caller::Caller;
use super::error::Result;
use super::query::Query;
use crate::wire::queue::{Head, PriorityDepth, QueueView};
use actix_web::{HttpRequest, HttpResponse, web};

/// The queue and the slots as they are now.
#[utoipa::path(get, path = "/api/v1/queue", tag = "executions", responses((status = 200, body = QueueView)))]
pub async fn view(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let queue = service.engine.queue().await?;
    let depths = service.engine.store().queue_depth(caller.tenant_id).await?;
    let now = service.clock.now();
    let by_priority = depths.into_iter().map(|depth| PriorityDepth {
        priority: depth.priority,
        pending: depth.count,
        oldest_created_at: depth.oldest,
        oldest_waits_ms: u64::try_from(now.millis_since(depth.oldest)).unwrap_or(0),
    });
    let reason = if queue.running >= queue.max_running {
        format!("all {} slots are taken", queue.max_running)
    } else {
        "it is about to start".to_owned()
    };
    Ok(HttpResponse::Ok().json(QueueView {
        pending: wide(queue.pending),
        max_queued: wide(queue.max_queued),
        running: wide(queue.running),
        max_running: wide(queue.max_running),
        woken: wide(queue.woken),
        parked: wide(queue.parked),
        restarts: queue.restarts,
        by_priority: by_priority.collect(),
        head: queue.head.map(|execution_id| Head { execution_id, reason }),
    }))
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
