//! Saved views: filters and columns of a list, under a name. One's own, and those that others of the tenant share.

use super::Service;
use super::answers::{self, Asked};
use super::api_keys::own_user;
use super::body::{Json, escape};
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::path;
use super::query::{Query, one_of};
use super::start::field;
use crate::clock;
use crate::domain::saved_view::{check_name, check_query};
use crate::domain::{Action, Reach, SavedView, SavedViewId, ViewedList};
use crate::identity::Change;
use crate::store::SavedViewFilter;
use crate::wire::page::List;
use crate::wire::saved_view::{ChangeSavedView, CreateSavedView, SavedViewDetail};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

/// Save a view. It is one's own; a shared one is seen by everybody of the tenant.
#[utoipa::path(post, path = "/api/v1/views", tag = "views",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.")),
    request_body = CreateSavedView,
    responses((status = 201, body = SavedViewDetail, headers(("Location" = String)))),
)]
pub async fn create(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<CreateSavedView>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let CreateSavedView { list, name, query, is_shared } = body.value;
    let now = service.clock.now();
    let view = checked(SavedView {
        id: SavedViewId(clock::new_id()),
        tenant_id: caller.tenant_id,
        created_by: caller.owner(),
        created_by_name: Some(caller.name()),
        user_id: own_user(&caller),
        list,
        name,
        query,
        is_shared: is_shared.unwrap_or(false),
        created_at: now,
        updated_at: now,
    })?;
    may_share(&caller, &view)?;
    let asking = match answers::begin(&service, &caller, &request, &body.bytes).await? {
        Asked::Before(response) => return Ok(response),
        Asked::Now(asking) => asking,
    };
    let change = Change::created("view_created", "view", view.id, &facts(&view));
    let answer = asking.answer(StatusCode::CREATED, &SavedViewDetail::from(view.clone()))?;
    let store = answer.keeping(service.engine.store());
    store.noting(service.entry(&caller, change)).create_saved_view(view).await?;
    Ok(answer.send(&request))
}

/// The own views and those that others share, newest first.
///
/// Administrators see what somebody keeps for themselves when they ask for it with `created_by`.
#[utoipa::path(get, path = "/api/v1/views", tag = "views",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("list" = Option<ViewedList>, Query, description = "Of this list."),
        ("created_by" = Option<String>, Query, description = "Of this person."),
        ("is_shared" = Option<bool>, Query, description = "Shared, or not."),
    ),
    responses((status = 200, body = List<SavedViewDetail>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let mut filter = SavedViewFilter {
        list: query.value("list", &one_of(ViewedList::ALL)),
        created_by: query.text("created_by"),
        is_shared: query.value("is_shared", &one_of(&[true, false])),
        visible_to: None,
    };
    query.finish()?;
    // What others keep for themselves would only be in the way, unless it is asked for.
    let sees_all = caller.reach >= Reach::Tenant && filter.created_by.is_some();
    filter.visible_to = (!sees_all).then(|| caller.owner());
    let found = service.engine.store().saved_views(caller.tenant_id, filter, request_of(&window)).await?;
    let items: Vec<SavedViewDetail> = found.items.into_iter().map(SavedViewDetail::from).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// One saved view.
#[utoipa::path(get, path = "/api/v1/views/{id}", tag = "views",
    params(("id" = SavedViewId, Path, description = "The view.")),
    responses((status = 200, body = SavedViewDetail)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::view_id(&request)?;
    Query::of(&request).finish()?;
    let view = find(&service, &caller, id).await?;
    if !view.is_shared {
        caller.may(Action::ViewRead, Some(&view.created_by))?;
    }
    Ok(HttpResponse::Ok().json(SavedViewDetail::from(view)))
}

/// Change a view: its name, what it shows, whether it is shared. Only what is given changes.
#[utoipa::path(put, path = "/api/v1/views/{id}", tag = "views",
    params(("id" = SavedViewId, Path, description = "The view.")),
    request_body = ChangeSavedView,
    responses((status = 200, body = SavedViewDetail)),
)]
pub async fn change(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeSavedView>,
) -> Result<HttpResponse> {
    let id = path::view_id(&request)?;
    Query::of(&request).finish()?;
    let known = find(&service, &caller, id).await?;
    caller.may(Action::ViewWrite, Some(&known.created_by))?;
    let ChangeSavedView { name, query, is_shared } = body.value;
    let view = known.clone();
    let view = checked(SavedView {
        name: name.unwrap_or(view.name),
        query: query.unwrap_or(view.query),
        is_shared: is_shared.unwrap_or(view.is_shared),
        updated_at: service.clock.now(),
        ..view
    })?;
    may_share(&caller, &view)?;
    let change = Change::changed("view_changed", "view", id, &facts(&known), &facts(&view));
    let store = service.engine.store().noting(service.entry(&caller, change));
    let changed = store.update_saved_view(known, view).await;
    let view = changed.map_err(|error| Error::of_store(error, "saved view", id))?;
    Ok(HttpResponse::Ok().json(SavedViewDetail::from(view)))
}

/// Remove a view. What it has shown stays.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views",
    params(("id" = SavedViewId, Path, description = "The view.")),
    responses((status = 204, description = "Removed.")),
)]
pub async fn remove(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::view_id(&request)?;
    Query::of(&request).finish()?;
    let known = find(&service, &caller, id).await?;
    caller.may(Action::ViewWrite, Some(&known.created_by))?;
    let change = Change::removed("view_removed", "view", id, &facts(&known));
    let store = service.engine.store().noting(service.entry(&caller, change));
    let removed = store.delete_saved_view(caller.tenant_id, id).await;
    removed.map_err(|error| Error::of_store(error, "saved view", id))?;
    Ok(HttpResponse::NoContent().finish())
}

async fn find(service: &Service, caller: &Caller, id: SavedViewId) -> Result<SavedView> {
    let found = service.engine.store().saved_view(caller.tenant_id, id).await;
    found.map_err(|error| Error::of_store(error, "saved view", id))
}

/// Whoever leaves a view shared decides what others see.
fn may_share(caller: &Caller, view: &SavedView) -> Result<()> {
    if view.is_shared { caller.may(Action::ViewShare, Some(&view.created_by)) } else { Ok(()) }
}

/// What the audit takes the digest of.
fn facts(view: &SavedView) -> Value {
    json!({ "list": view.list, "name": view.name, "query": view.query, "is_shared": view.is_shared })
}

/// The view, with every field that is wrong named.
fn checked(view: SavedView) -> Result<SavedView> {
    let name = view.name.trim().to_owned();
    let mut errors = Vec::new();
    if let Err(detail) = check_name(&name) {
        errors.push(field("/name", &detail));
    }
    for mistake in check_query(view.list, &view.query).err().unwrap_or_default() {
        errors.push(field(&format!("/query/{}", escape(&mistake.name)), &mistake.detail));
    }
    if errors.is_empty() { Ok(SavedView { name, ..view }) } else { Err(Error::invalid_fields(errors)) }
}
