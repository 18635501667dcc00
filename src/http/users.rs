//! People of a tenant.

use super::Service;
use super::answers::{self, Asked};
use super::auth::{checked_locale, facts};
use super::body::Json;
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::path;
use super::query::{Query, one_of};
use crate::clock;
use crate::domain::{Action, PrincipalKind, Role, User, UserId};
use crate::identity::{Change, checked_email, checked_name};
use crate::store::{OneTimePurpose, UserFilter};
use crate::wire::catalog::Code;
use crate::wire::identity::{ChangeUser, CreateUser, CreatedUser, ResetView, UserView};
use crate::wire::page::List;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// How long a link for a first sign-in is good.
const FIRST_SIGN_IN_SECONDS: u32 = 7 * 24 * 3_600;
/// How long a link for a forgotten password is good.
const RESET_SECONDS: u32 = 24 * 3_600;

/// Add a person. Without a password the answer carries the token of a one-time link.
#[utoipa::path(post, path = "/api/v1/users", tag = "identity",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.")),
    request_body = CreateUser,
    responses((status = 201, body = CreatedUser, headers(("Location" = String)))),
)]
pub async fn create(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<CreateUser>,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let CreateUser { email, display_name, role, password, locale } = body.value;
    within_own_role(&caller, role)?;
    not_narrowed(&caller)?;
    let email = checked_email(&email)?;
    let display_name = checked_name(&display_name)?;
    let locale = locale.map(|locale| checked_locale(&locale)).transpose()?;
    let asking = match answers::begin(&service, &caller, &request, &body.bytes).await? {
        Asked::Before(response) => return Ok(response),
        Asked::Now(asking) => asking,
    };
    let (password_hash, link) = match password {
        Some(password) => (Some(service.identity.hash_password(password).await?), None),
        None => (None, Some(service.identity.make_link(OneTimePurpose::FirstSignIn, FIRST_SIGN_IN_SECONDS)?)),
    };
    let (sign_in_token, token) = link.unzip();
    let now = service.clock.now();
    let user = User {
        id: UserId(clock::new_id()),
        tenant_id: caller.tenant_id,
        email,
        display_name,
        password_hash,
        role,
        is_active: true,
        locale,
        last_sign_in_at: None,
        created_at: now,
        updated_at: now,
    };
    let change = Change::created("user_created", "user", user.id, &facts(&user));
    let entry = caller.writer().entry(user.tenant_id, change, now);
    let created = CreatedUser { user: user.clone().into(), sign_in_token };
    let answer = asking.answer(StatusCode::CREATED, &created)?;
    answer.keeping(service.engine.store()).create_invited_user(user, token, entry).await?;
    Ok(answer.send(&request))
}

/// People, newest first; whoever may not see the others sees themselves.
#[utoipa::path(get, path = "/api/v1/users", tag = "identity",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("role" = Option<Role>, Query, description = "Of this role."),
        ("is_active" = Option<bool>, Query, description = "Active, or not."),
        ("q" = Option<String>, Query, description = "Contains this text in address or name."),
    ),
    responses((status = 200, body = List<UserView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let filter = UserFilter {
        id: caller.only_owner().map(|_| UserId(caller.principal().owner_id)),
        role: query.value("role", &one_of(Role::ALL)),
        is_active: query.value("is_active", &one_of(&[true, false])),
        text: query.text("q"),
    };
    query.finish()?;
    let found = service.engine.store().users(caller.tenant_id, filter, request_of(&window)).await?;
    let items: Vec<UserView> = found.items.into_iter().map(UserView::from).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// One person.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "identity",
    params(("id" = UserId, Path, description = "The person.")),
    responses((status = 200, body = UserView)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::user_id(&request)?;
    Query::of(&request).finish()?;
    Ok(HttpResponse::Ok().json(UserView::from(find(&service, &caller, Action::UserRead, id).await?)))
}

/// Change a person. Whoever is made inactive is signed out everywhere, and their keys are worth nothing.
#[utoipa::path(put, path = "/api/v1/users/{id}", tag = "identity",
    params(("id" = UserId, Path, description = "The person.")),
    request_body = ChangeUser,
    responses((status = 200, body = UserView)),
)]
pub async fn change(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeUser>,
) -> Result<HttpResponse> {
    let id = path::user_id(&request)?;
    let known = find(&service, &caller, Action::UserWrite, id).await?;
    within_own_role(&caller, known.role)?;
    let ChangeUser { email, display_name, role, is_active, locale } = body.value;
    within_own_role(&caller, role.unwrap_or(known.role))?;
    if role.is_some_and(|role| role > known.role) {
        not_narrowed(&caller)?;
    }
    let user = User {
        email: email.map_or(Ok(known.email.clone()), |email| checked_email(&email))?,
        display_name: display_name.map_or(Ok(known.display_name.clone()), |name| checked_name(&name))?,
        role: role.unwrap_or(known.role),
        is_active: is_active.unwrap_or(known.is_active),
        locale: match locale {
            Some(locale) => Some(checked_locale(&locale)?),
            None => known.locale.clone(),
        },
        updated_at: service.clock.now(),
        ..known.clone()
    };
    let change = Change::changed("user_changed", "user", id, &facts(&known), &facts(&user));
    let entry = caller.writer().entry(user.tenant_id, change, user.updated_at);
    let changed = service.engine.store().update_user(known, user, entry).await;
    let user = changed.map_err(|error| Error::of_store(error, "person", id))?;
    Ok(HttpResponse::Ok().json(UserView::from(user)))
}

/// Remove a person with their keys, sessions and saved views. What else they have made stays.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "identity",
    params(("id" = UserId, Path, description = "The person.")),
    responses((status = 204, description = "Removed.")),
)]
pub async fn remove(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::user_id(&request)?;
    Query::of(&request).finish()?;
    let known = find(&service, &caller, Action::UserWrite, id).await?;
    within_own_role(&caller, known.role)?;
    let change = Change::removed("user_removed", "user", id, &facts(&known));
    let entry = caller.writer().entry(known.tenant_id, change, service.clock.now());
    let removed = service.engine.store().delete_user(known.tenant_id, id, entry).await;
    removed.map_err(|error| Error::of_store(error, "person", id))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Get a one-time link for somebody who has forgotten their password. The old password works until the link is used.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset", tag = "identity",
    params(
        ("id" = UserId, Path, description = "The person."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters."),
    ),
    responses((status = 201, body = ResetView)),
)]
pub async fn reset(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::user_id(&request)?;
    Query::of(&request).finish()?;
    let known = find(&service, &caller, Action::UserWrite, id).await?;
    within_own_role(&caller, known.role)?;
    not_narrowed(&caller)?;
    let asking = match answers::begin(&service, &caller, &request, &[]).await? {
        Asked::Before(response) => return Ok(response),
        Asked::Now(asking) => asking,
    };
    let (sign_in_token, token) = service.identity.make_link(OneTimePurpose::PasswordReset, RESET_SECONDS)?;
    let change = Change::done("password_reset_issued", "user", id);
    let entry = caller.writer().entry(known.tenant_id, change, token.created_at);
    let issued = ResetView { sign_in_token, expires_at: token.expires_at };
    let answer = asking.answer(StatusCode::CREATED, &issued)?;
    let store = answer.keeping(service.engine.store());
    store.noting(entry).put_one_time_token(&known, token).await?;
    Ok(answer.send(&request))
}

async fn find(service: &Service, caller: &Caller, action: Action, id: UserId) -> Result<User> {
    let found = service.engine.store().user(caller.tenant_id, id).await;
    let user = found.map_err(|error| Error::of_store(error, "person", id))?;
    caller.may(action, Some(&id.to_string()))?;
    Ok(user)
}

/// Nobody makes or changes somebody above themselves.
fn within_own_role(caller: &Caller, role: Role) -> Result<()> {
    let own = caller.principal().role;
    if role <= own {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, format!("The role '{role}' is above the own role '{own}'.")))
}

/// A person is not narrowed by scopes and does not expire: a key that is or does would hand out more than it has.
fn not_narrowed(caller: &Caller) -> Result<()> {
    let is_key = caller.principal().kind == PrincipalKind::Key;
    let detail = if !caller.principal().scopes.is_unlimited() {
        "The key is narrowed by scopes, and a person is not: adding people, raising their role and resetting their password \
         need a key without scopes, or a sign-in."
    } else if is_key && caller.standing.expires_at.is_some() {
        "The key expires, and a person does not: adding people, raising their role and resetting their password need a key \
         that does not expire, or a sign-in."
    } else {
        return Ok(());
    };
    Err(Error::new(Code::Forbidden, detail))
}
