//! Tenants: the customers of the installation. Operators make and change them; everybody sees their own.

use super::Service;
use super::answers::{self, Asked};
use super::body::Json;
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::path;
use super::query::Query;
use super::start::field;
use crate::clock;
use crate::domain::{Action, Reach, Tenant, TenantId, is_slug};
use crate::identity::Change;
use crate::wire::catalog::Code;
use crate::wire::identity::{ChangeTenant, CreateTenant, LimitsView, TenantView};
use crate::wire::page::List;
use crate::wire::problem::FieldError;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

const MAX_NAME_CHARACTERS: usize = 120;
/// Above this a limit is not a limit.
const MAX_LIMIT: u64 = 9_007_199_254_740_991;
const MAX_COST: f64 = 1_000_000_000.0;

/// Make a tenant.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "identity",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.")),
    request_body = CreateTenant,
    responses((status = 201, body = TenantView, headers(("Location" = String)))),
)]
pub async fn create(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<CreateTenant>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let CreateTenant { name, slug, limits } = body.value;
    let now = service.clock.now();
    let tenant = checked(Tenant {
        id: TenantId(clock::new_id()),
        slug,
        name,
        is_active: true,
        limits: limits.into(),
        created_at: now,
        updated_at: now,
    })?;
    let asking = match answers::begin(&service, &caller, &request, &body.bytes).await? {
        Asked::Before(response) => return Ok(response),
        Asked::Now(asking) => asking,
    };
    let change = Change::created("tenant_created", "tenant", tenant.id, &facts(&tenant));
    let entry = caller.writer().entry(caller.principal().tenant_id, change, now);
    let answer = asking.answer(StatusCode::CREATED, &view(&service, tenant.clone()))?;
    answer.keeping(service.engine.store()).create_tenant(tenant, entry).await?;
    Ok(answer.send(&request))
}

/// Tenants, newest first: all for operators, the own one for others.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "identity",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
    ),
    responses((status = 200, body = List<TenantView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    query.finish()?;
    let only = (caller.reach < Reach::Platform).then_some(caller.tenant_id);
    let found = service.engine.store().tenants(only, request_of(&window)).await?;
    let items: Vec<TenantView> = found.items.into_iter().map(|tenant| view(&service, tenant)).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// One tenant.
#[utoipa::path(get, path = "/api/v1/tenants/{id}", tag = "identity",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses((status = 200, body = TenantView)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::tenant_id(&request)?;
    Query::of(&request).finish()?;
    Ok(HttpResponse::Ok().json(view(&service, find(&service, &caller, Action::TenantRead, id).await?)))
}

/// Change a tenant. Nobody of an inactive one gets in; what runs goes on.
#[utoipa::path(put, path = "/api/v1/tenants/{id}", tag = "identity",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body = ChangeTenant,
    responses((status = 200, body = TenantView)),
)]
pub async fn change(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeTenant>,
) -> Result<HttpResponse> {
    let id = path::tenant_id(&request)?;
    let known = find(&service, &caller, Action::TenantWrite, id).await?;
    let ChangeTenant { name, slug, is_active, limits } = body.value;
    if is_active == Some(false) && id == TenantId::DEFAULT {
        return Err(Error::new(Code::ReadOnly, "The default tenant, which the operators belong to, stays active."));
    }
    let tenant = checked(Tenant {
        id,
        slug: slug.unwrap_or_else(|| known.slug.clone()),
        name: name.unwrap_or_else(|| known.name.clone()),
        is_active: is_active.unwrap_or(known.is_active),
        limits: limits.map_or(known.limits, Into::into),
        created_at: known.created_at,
        updated_at: service.clock.now(),
    })?;
    let change = Change::changed("tenant_changed", "tenant", id, &facts(&known), &facts(&tenant));
    let entry = caller.writer().entry(caller.principal().tenant_id, change, tenant.updated_at);
    let tenant = service.engine.store().update_tenant(known, tenant, entry).await;
    let tenant = tenant.map_err(|error| Error::of_store(error, "tenant", id))?;
    service.engine.limits_changed(id).await?;
    Ok(HttpResponse::Ok().json(view(&service, tenant)))
}

/// Delete a tenant with everything that belongs to it. It is closed at once; the rest is deleted in the background.
#[utoipa::path(delete, path = "/api/v1/tenants/{id}", tag = "identity",
    params(("id" = TenantId, Path, description = "The tenant.")),
    responses((status = 202, body = TenantView, description = "It is closed and being deleted.")),
)]
pub async fn remove(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::tenant_id(&request)?;
    Query::of(&request).finish()?;
    let known = find(&service, &caller, Action::TenantWrite, id).await?;
    if id == TenantId::DEFAULT {
        return Err(Error::new(Code::ReadOnly, "The default tenant cannot be deleted."));
    }
    let now = service.clock.now();
    let closed = Tenant { is_active: false, updated_at: now, ..known.clone() };
    let change = Change::removed("tenant_removed", "tenant", id, &facts(&known));
    let entry = caller.writer().entry(caller.principal().tenant_id, change, now);
    let (at_work, owner) = (service.clone(), caller.owner());
    // Both or neither, also when the client hangs up in between.
    let removal = actix_web::rt::spawn(async move {
        let closed = at_work.engine.store().update_tenant(known, closed, entry).await?;
        at_work.engine.remove_tenant(id, Some(owner)).await?;
        Ok::<_, Error>(closed)
    });
    let failed = |_| Error::new(Code::Internal, "Deleting the tenant was interrupted; delete it again.");
    Ok(HttpResponse::Accepted().json(view(&service, removal.await.map_err(failed)??)))
}

fn view(service: &Service, tenant: Tenant) -> TenantView {
    let in_force = service.engine.store().limits_over(tenant.limits);
    TenantView::new(tenant, in_force)
}

async fn find(service: &Service, caller: &Caller, action: Action, id: TenantId) -> Result<Tenant> {
    let target = crate::domain::Target { tenant_id: id, owner: None };
    if let Err(denial) = caller.principal().may(action, target) {
        let is_foreign = matches!(denial, crate::domain::Denial::Foreign);
        return Err(if is_foreign { Error::not_found("tenant", &id.to_string()) } else { Error::from(denial) });
    }
    let found = service.engine.store().tenant(id).await;
    found.map_err(|error| Error::of_store(error, "tenant", id))
}

fn checked(tenant: Tenant) -> Result<Tenant> {
    let mut errors: Vec<FieldError> = Vec::new();
    let name = tenant.name.trim().to_owned();
    if !(1..=MAX_NAME_CHARACTERS).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        errors.push(field("/name", "must be 1 to 120 characters without control characters"));
    }
    if !is_slug(&tenant.slug) {
        errors.push(field("/slug", "must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last"));
    }
    let LimitsView { max_running_executions, max_queued_executions, max_tokens_per_month, max_cost_per_month } =
        tenant.limits.into();
    let counts = [
        ("max_running_executions", max_running_executions),
        ("max_queued_executions", max_queued_executions),
        ("max_tokens_per_month", max_tokens_per_month),
    ];
    for (name, _) in counts.iter().filter(|(_, limit)| limit.is_some_and(|limit| limit > MAX_LIMIT)) {
        errors.push(field(&format!("/limits/{name}"), "is too large"));
    }
    if max_cost_per_month.is_some_and(|cost| !(0.0..=MAX_COST).contains(&cost)) {
        errors.push(field("/limits/max_cost_per_month", "must be 0 to 1000000000"));
    }
    if errors.is_empty() { Ok(Tenant { name, ..tenant }) } else { Err(Error::invalid_fields(errors)) }
}

fn facts(tenant: &Tenant) -> serde_json::Value {
    json!({ "slug": tenant.slug, "name": tenant.name, "is_active": tenant.is_active, "limits": tenant.limits })
}
