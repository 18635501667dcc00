//! The queue: what waits for a slot, and why.

use super::Service;
use super::caller::Caller;
use super::error::Result;
use super::query::Query;
use crate::actors::{self, Holdup, Standing};
use crate::domain::{Action, Execution, ExecutionId, Status};
use crate::wire::execution::WorkflowLabel;
use crate::wire::queue::{
    self, Head, NamedTenantQueue, PriorityDepth, QueueView, ServiceQueue, TenantQueue, Waiting, WaitingExecution,
};
use actix_web::{HttpRequest, HttpResponse, web};

/// The queue and the slots as they are now: those of the caller's tenant, for operators those of the service as well.
#[utoipa::path(get, path = "/api/v1/queue", tag = "executions", responses((status = 200, body = QueueView)))]
pub async fn view(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let (queue, own) = service.engine.queue_of(caller.tenant_id).await?;
    let depths = service.engine.store().queue_depth(caller.tenant_id).await?;
    let now = service.clock.now();
    let by_priority = depths.into_iter().map(|depth| PriorityDepth {
        priority: depth.priority,
        pending: depth.count,
        oldest_created_at: depth.oldest,
        oldest_waits_ms: u64::try_from(now.millis_since(depth.oldest)).unwrap_or(0),
    });
    let waiting = service.engine.store().executions_by_id(caller.tenant_id, own.standing.next.clone()).await?;
    let next: Vec<Waiting> = waiting
        .iter()
        .filter(|execution| execution.status == Status::Pending)
        .map(|execution| waiting_view(execution, &caller))
        .collect();
    let is_shown = |id: ExecutionId| waiting.iter().any(|execution| execution.id == id && may_see(execution, &caller));
    let mut own = of_tenant(&queue, &own);
    if let Some(head) = &mut own.head {
        head.execution_id = head.execution_id.filter(|id| is_shown(*id));
    }
    Ok(HttpResponse::Ok().json(QueueView {
        own,
        by_priority: by_priority.collect(),
        next,
        service: caller.is_operator().then(|| of_service(&queue)),
    }))
}

/// That one waits is told to everybody in the tenant, which one it is not.
fn may_see(execution: &Execution, caller: &Caller) -> bool {
    caller.may(Action::ExecutionRead, execution.creation.created_by.as_deref()).is_ok()
}

fn waiting_view(execution: &Execution, caller: &Caller) -> Waiting {
    let creation = execution.creation.as_ref();
    let definition = &creation.definition;
    let shown = may_see(execution, caller).then(|| WaitingExecution {
        id: execution.id,
        execution_type: creation.execution_type,
        workflow: WorkflowLabel { namespace: definition.namespace.clone(), name: definition.name.clone() },
        agent_id: creation.agent_id,
        created_by: creation.created_by.clone(),
        labels: creation.labels.clone(),
    });
    Waiting { execution: shown, priority: creation.priority, created_at: execution.created_at }
}

fn of_tenant(queue: &actors::QueueView, tenant: &actors::TenantQueue) -> TenantQueue {
    let actors::TenantQueue { standing, parked } = tenant;
    let Standing { tenant_id: _, pending, delayed, woken, running, limits, next, holdup } = standing;
    let within = |own: Option<u64>, whole: usize| own.unwrap_or(u64::MAX).min(wide(whole));
    let max_running = within(limits.max_running_executions, queue.max_running);
    TenantQueue {
        pending: wide(*pending),
        delayed: wide(*delayed),
        max_queued: within(limits.max_queued_executions, queue.max_queued),
        running: wide(*running),
        max_running,
        woken: wide(*woken),
        parked: wide(*parked),
        head: next.first().map(|execution_id| head_of(*execution_id, *holdup, queue.max_running)),
    }
}

fn head_of(execution_id: ExecutionId, holdup: Holdup, slots: usize) -> Head {
    let (reason, holdup, limit) = match holdup {
        Holdup::NoSlot => {
            (format!("all {slots} slots of the service are taken"), queue::Holdup::NoSlot, Some(wide(slots)))
        }
        Holdup::TenantLimit { limit } => {
            let reason = format!("the tenant runs as many executions as it may: {limit}");
            (reason, queue::Holdup::TenantLimit, Some(limit))
        }
        Holdup::None => ("it is about to start".to_owned(), queue::Holdup::Starting, None),
    };
    Head { execution_id: Some(execution_id), reason, holdup, limit }
}

fn of_service(queue: &actors::QueueView) -> ServiceQueue {
    let tenants = queue
        .tenants
        .iter()
        .map(|tenant| NamedTenantQueue { tenant_id: tenant.standing.tenant_id, queue: of_tenant(queue, tenant) });
    ServiceQueue {
        pending: wide(queue.pending),
        max_queued: wide(queue.max_queued),
        running: wide(queue.running),
        max_running: wide(queue.max_running),
        woken: wide(queue.woken),
        parked: wide(queue.parked),
        restarts: queue.restarts,
        tenants: tenants.collect(),
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
