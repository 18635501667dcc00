//! Secrets: stored and deleted here, read by executions only. No answer and no line of the log ever holds a value.

use super::Service;
use super::body::Json;
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::query::Query;
use crate::domain::Secret;
use crate::domain::secret::{check_name, check_value};
use crate::identity::Change;
use crate::store;
use crate::vault;
use crate::wire::catalog::Code;
use crate::wire::page::List;
use crate::wire::secret::{PutSecret, RotationView, SecretView, StoredSecret};
use actix_web::{HttpRequest, HttpResponse, web};

/// The secrets of the tenant, newest first, without their values.
#[utoipa::path(get, path = "/api/v1/secrets", tag = "secrets",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
    ),
    responses((status = 200, body = List<SecretView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    query.finish()?;
    let found = service.engine.store().secrets(caller.tenant_id, request_of(&window)).await?;
    let items: Vec<SecretView> = found.items.into_iter().map(|secret| view(&service, secret)).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// One secret, without its value.
#[utoipa::path(get, path = "/api/v1/secrets/{name}", tag = "secrets",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, body = SecretView)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let name = named(&request)?;
    Query::of(&request).finish()?;
    let found = service.engine.store().secret(caller.tenant_id, name.clone()).await;
    let secret = found.map_err(|error| Error::of_store(error, "secret", name))?;
    Ok(HttpResponse::Ok().json(view(&service, secret)))
}

/// Store a secret, or give one another value. Executions that run use the new value from their next step on.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", tag = "secrets",
    params(("name" = String, Path, max_length = 128, pattern = "^[A-Za-z_][A-Za-z0-9_.-]*$",
        description = "Letters, digits, `_`, `-` and `.`, beginning with a letter or `_`.")),
    request_body = PutSecret,
    responses(
        (status = 200, body = StoredSecret, description = "It has the new value."),
        (status = 201, body = StoredSecret, description = "It is new."),
    ),
)]
pub async fn put(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<PutSecret>,
) -> Result<HttpResponse> {
    let name = request.match_info().query("name").to_owned();
    check_name(&name).map_err(|why| Error::new(Code::InvalidBody, format!("The name of a secret {why}.")))?;
    let value = body.value.value;
    check_value(&value).map_err(|why| Error::invalid_field("/value", why))?;
    let unprotected = StoredSecret::unprotected(&value);
    let audit = service.entry(&caller, Change::done("secret_stored", "secret", &name));
    let stored = service.vault.put(caller.tenant_id, name, value, Some(caller.owner()), audit).await;
    let (secret, is_new) = stored.map_err(refused)?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(StoredSecret { secret: view(&service, secret), unprotected }))
}

/// Delete a secret. Executions that read it later fail with `authorization`.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", tag = "secrets",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 204, description = "Deleted.")),
)]
pub async fn remove(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let name = named(&request)?;
    let audit = service.entry(&caller, Change::done("secret_removed", "secret", &name));
    match service.vault.delete(caller.tenant_id, name.clone(), audit).await {
        Err(vault::Error::Store(store::Error::NotFound)) => Err(Error::not_found("secret", &name)),
        deleted => {
            deleted.map_err(refused)?;
            Ok(HttpResponse::NoContent().finish())
        }
    }
}

/// Encrypt with the current key whatever is encrypted with an older one. Older keys can be removed from the settings then.
#[utoipa::path(post, path = "/api/v1/secret-keys/rotate", tag = "secrets",
    responses((status = 200, body = RotationView)),
)]
pub async fn rotate(service: web::Data<Service>, caller: Caller) -> Result<HttpResponse> {
    // It takes many transactions; that it was asked for is noted before the first.
    let audit = service.entry(&caller, Change::done("secrets_reencrypted", "secret", ""));
    service.engine.store().record_audit(vec![audit]).await?;
    let vault::Rotation { rotated, unreadable } = service.vault.rotate().await.map_err(refused)?;
    Ok(HttpResponse::Ok().json(RotationView { rotated, unreadable }))
}

fn view(service: &Service, secret: Secret) -> SecretView {
    let is_readable = service.vault.has_key(&secret.sealed.key_id);
    SecretView::new(secret, is_readable)
}

/// A name that no secret can have names nothing.
fn named(request: &HttpRequest) -> Result<String> {
    let name = request.match_info().query("name");
    check_name(name).map_err(|_| Error::not_found("secret", name))?;
    Ok(name.to_owned())
}

fn refused(error: vault::Error) -> Error {
    match error {
        vault::Error::NoKeys => Error::new(Code::NoSecretKey, "The service has no key to encrypt secrets with."),
        vault::Error::Store(error) => Error::from(error),
        error @ (vault::Error::Keys(_) | vault::Error::Encryption) => Error::new(Code::Internal, error.to_string()),
    }
}
