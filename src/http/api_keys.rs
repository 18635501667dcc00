//! API keys: what programs sign in with.

use super::Service;
use super::answers::{self, Asked};
use super::body::Json;
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::path;
use super::query::{Query, one_of};
use crate::domain::{Action, ApiKey, ApiKeyId, PrincipalKind, Role, Scopes, UserId};
use crate::identity::NewKey;
use crate::store::ApiKeyFilter;
use crate::wire::identity::{ApiKeyView, CreateApiKey, CreatedApiKey};
use crate::wire::page::List;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// Make a key. Its text is in the answer and nowhere else.
///
/// A key acts for whoever makes it, and never beyond their role; one that `is_shared` belongs to the tenant. With an
/// `Idempotency-Key` the same request is answered with the same key for 24 hours, to the same principal only.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "identity",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.")),
    request_body = CreateApiKey,
    responses((status = 201, body = CreatedApiKey, headers(("Location" = String)))),
)]
pub async fn create(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<CreateApiKey>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let CreateApiKey { name, role, scopes, expires_at, is_shared } = body.value;
    let own = own_user(&caller);
    // A person belongs to one tenant, so what an operator makes elsewhere belongs to that tenant.
    let user_id = own.filter(|_| !is_shared && caller.tenant_id == caller.principal().tenant_id);
    if user_id.is_none() {
        // Nobody's own, unless the caller is such a key itself.
        caller.may(Action::KeyWrite, None)?;
    }
    let new = NewKey {
        tenant_id: caller.tenant_id,
        user_id,
        name,
        role: role.unwrap_or_else(|| usual_role(&caller)),
        scopes: if scopes.is_empty() {
            caller.principal().scopes.clone()
        } else {
            Scopes(scopes.into_iter().collect())
        },
        expires_at,
    };
    let (issued, entry) = service.identity.make_key(new, &caller.writer())?;
    let asking = match answers::begin(&service, &caller, &request, &body.bytes).await? {
        Asked::Before(response) => return Ok(response),
        Asked::Now(asking) => asking,
    };
    let created = CreatedApiKey { api_key: issued.key.clone().into(), key: issued.text };
    let answer = asking.answer(StatusCode::CREATED, &created)?;
    answer.keeping(service.engine.store()).create_api_key(issued.key, entry).await?;
    Ok(answer.send(&request))
}

/// Keys, newest first; whoever may not see those of others sees their own.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "identity",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("user_id" = Option<UserId>, Query, description = "Of this person."),
        ("include_revoked" = Option<bool>, Query, description = "Revoked ones too."),
    ),
    responses((status = 200, body = List<ApiKeyView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let wanted: Option<UserId> = query.value("user_id", "a UUID");
    let include_revoked = query.value("include_revoked", &one_of(&[true, false])).unwrap_or(false);
    query.finish()?;
    let filter = ApiKeyFilter {
        user_id: wanted,
        // Of a person their keys, of a key that belongs to nobody itself.
        owner: caller.only_owner(),
        unrevoked: !include_revoked,
    };
    let found = service.engine.store().api_keys(caller.tenant_id, filter, request_of(&window)).await?;
    let items: Vec<ApiKeyView> = found.items.into_iter().map(ApiKeyView::from).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// One key.
#[utoipa::path(get, path = "/api/v1/api-keys/{id}", tag = "identity",
    params(("id" = ApiKeyId, Path, description = "The key.")),
    responses((status = 200, body = ApiKeyView)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::api_key_id(&request)?;
    Query::of(&request).finish()?;
    Ok(HttpResponse::Ok().json(ApiKeyView::from(find(&service, &caller, Action::KeyRead, id).await?)))
}

/// Revoke a key: from now on it opens nothing. It stays in the list.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "identity",
    params(("id" = ApiKeyId, Path, description = "The key.")),
    responses((status = 204, description = "Revoked.")),
)]
pub async fn revoke(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::api_key_id(&request)?;
    Query::of(&request).finish()?;
    let key = find(&service, &caller, Action::KeyWrite, id).await?;
    service.identity.revoke_key(&key, &caller.writer()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The role of a key that is made without naming one: the caller's own, and in somebody else's tenant nothing that reaches
/// beyond it.
fn usual_role(caller: &Caller) -> Role {
    let principal = caller.principal();
    if caller.tenant_id == principal.tenant_id { principal.role } else { principal.role.min(Role::Admin) }
}

/// The person that a caller is or acts for.
pub fn own_user(caller: &Caller) -> Option<UserId> {
    let principal = caller.principal();
    let is_person = principal.kind == PrincipalKind::User || principal.owner_id != principal.id;
    is_person.then_some(UserId(principal.owner_id))
}

async fn find(service: &Service, caller: &Caller, action: Action, id: ApiKeyId) -> Result<ApiKey> {
    let found = service.engine.store().api_key(caller.tenant_id, id).await;
    let key = found.map_err(|error| Error::of_store(error, "API key", id))?;
    let owner = key.user_id.map_or(key.id.0, |user| user.0).to_string();
    caller.may(action, Some(&owner))?;
    Ok(key)
}
