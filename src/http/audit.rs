//! The audit: who wrote what, as pages and as JSON lines.

use super::Service;
use super::caller::Caller;
use super::error::Result;
use super::executions::{request_of, show};
use super::query::Query;
use crate::domain::{TenantId, Timestamp};
use crate::store::{AuditFilter, MAX_PAGE_SIZE, PageRequest, Store};
use crate::wire::page::List;
use crate::wire::sign_in::AuditView;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use uuid::Uuid;

const AN_INSTANT: &str = "an instant such as 2026-03-01T09:30:00Z";

/// Who wrote what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "identity",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("actor_id" = Option<String>, Query, description = "By this person or key."),
        ("action" = Option<String>, Query, description = "A word such as `user_created`."),
        ("target_kind" = Option<String>, Query, description = "On this kind of thing."),
        ("target_id" = Option<String>, Query, description = "On this thing."),
        ("provider" = Option<String>, Query, description = "While coming in with this provider, by its name in the settings."),
        ("after" = Option<Timestamp>, Query, description = "Exclusive."),
        ("before" = Option<Timestamp>, Query, description = "Exclusive."),
    ),
    responses((status = 200, body = List<AuditView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let filter = filter(&mut query);
    query.finish()?;
    let found = service.engine.store().audit_entries(caller.tenant_id, filter, request_of(&window)).await?;
    let items: Vec<AuditView> = found.items.into_iter().map(AuditView::from).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// All of it as JSON lines, newest first.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "identity",
    params(
        ("actor_id" = Option<String>, Query, description = "By this person or key."),
        ("action" = Option<String>, Query, description = "A word such as `user_created`."),
        ("target_kind" = Option<String>, Query, description = "On this kind of thing."),
        ("target_id" = Option<String>, Query, description = "On this thing."),
        ("provider" = Option<String>, Query, description = "While coming in with this provider, by its name in the settings."),
        ("after" = Option<Timestamp>, Query, description = "Exclusive."),
        ("before" = Option<Timestamp>, Query, description = "Exclusive."),
    ),
    responses((status = 200, body = String, content_type = "application/x-ndjson", description = "One entry per line.")),
)]
pub async fn export(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let filter = filter(&mut query);
    query.finish()?;
    let lines = lines(service.engine.store().clone(), caller.tenant_id, filter);
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines))
}

fn filter(query: &mut Query) -> AuditFilter {
    AuditFilter {
        actor_id: query.value::<Uuid>("actor_id", "a UUID"),
        action: query.text("action"),
        target_kind: query.text("target_kind"),
        target_id: query.text("target_id"),
        provider: query.text("provider"),
        after: query.value("after", AN_INSTANT),
        before: query.value("before", AN_INSTANT),
    }
}

/// Page after page, so that an export of any length needs the memory of one.
fn lines(
    store: Store,
    tenant_id: TenantId,
    filter: AuditFilter,
) -> impl Stream<Item = std::result::Result<Bytes, crate::store::Error>> {
    let first = Some(PageRequest::Cursor { cursor: None, limit: MAX_PAGE_SIZE });
    stream::try_unfold(first, move |wanted| {
        let (store, filter) = (store.clone(), filter.clone());
        async move {
            let Some(wanted) = wanted else { return Ok(None) };
            let page = store.audit_entries(tenant_id, filter, wanted).await?;
            let mut text = String::new();
            for entry in page.items {
                // Every field of an entry has a JSON form.
                text.push_str(&serde_json::to_string(&AuditView::from(entry)).unwrap_or_default());
                text.push('\n');
            }
            let next =
                page.next_cursor.map(|cursor| PageRequest::Cursor { cursor: Some(cursor), limit: MAX_PAGE_SIZE });
            Ok(Some((Bytes::from(text), next)))
        }
    })
}
