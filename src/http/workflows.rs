//! Workflows: registering versions, finding them, checking definitions.

use super::Service;
use super::body::{DefinitionText, Json};
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::idempotency::{self, Once};
use super::path;
use super::query::{Query, one_of};
use crate::actors::refusal::field_error;
use crate::domain::definition::{Definition, Problem};
use crate::domain::{Action, Reach, WorkflowId};
use crate::identity::Change;
use crate::store::{self, WorkflowFilter};
use crate::wire::catalog::Code;
use crate::wire::page::{List, Stretch};
use crate::wire::workflow::{ChangeWorkflow, RegisteredView, Validation, WorkflowDetail, WorkflowView};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use serde_json::value::RawValue;

/// Register a version of a workflow.
///
/// A registered version never changes. Registering the same definition again is answered with 200 and the version that is
/// there; another definition under the same version is refused.
#[utoipa::path(post, path = "/api/v1/workflows", tag = "workflows",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.")),
    request_body(content(
        (serde_json::Value = "application/json"),
        (serde_json::Value = "application/yaml"),
    ), description = "The definition."),
    responses(
        (status = 201, body = RegisteredView, description = "Registered.", headers(("Location" = String))),
        (status = 200, body = RegisteredView, description = "It was registered before.", headers(("Location" = String))),
    ),
)]
pub async fn register(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: DefinitionText,
) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let once = match idempotency::begin(&service, &caller, &request, body.text.as_bytes()).await? {
        Once::Answered(response) => return Ok(response),
        Once::Begun(once) => once,
    };
    let answer = register_now(&service, &caller, body.text).await;
    once.finish(&request, answer).await
}

async fn register_now(service: &Service, caller: &Caller, source: String) -> Result<(StatusCode, RegisteredView)> {
    let review = service.engine.review(source.clone()).await;
    let Some(definition) = review.definition else { return Err(Error::invalid_definition(&review.problems)) };
    refuse_nul(&definition)?;
    check_name(service, caller, &definition).await?;
    let created_by = Some(caller.owner());
    let facts = json!({ "digest": definition.digest });
    let audit = service.entry(caller, Change::created("workflow_registered", "workflow", "", &facts));
    let store = service.engine.store().noting(audit);
    let registered = store.register_workflow(caller.tenant_id, &definition, source, created_by).await?;
    let status = if registered.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let warnings = review.problems.iter().map(field_error).collect();
    Ok((status, RegisteredView { workflow: view(registered.workflow), warnings }))
}

/// Whoever registers only their own things does not add versions to a workflow of somebody else: others run `latest`.
async fn check_name(service: &Service, caller: &Caller, definition: &Definition) -> Result<()> {
    if caller.reach > Reach::Own {
        return Ok(());
    }
    let (namespace, name) = (definition.document.namespace.to_string(), definition.document.name.to_string());
    let versions = service.engine.store().workflow_versions(caller.tenant_id, namespace, name).await?;
    let others = versions.iter().map(|version| version.created_by.as_deref());
    others.into_iter().try_for_each(|owner| caller.may(Action::WorkflowRegister, owner))
}

/// Texts that become columns cannot hold a NUL character; PostgreSQL has no way to keep it.
fn refuse_nul(definition: &Definition) -> Result<()> {
    let document = &definition.document;
    let problems: Vec<Problem> = [("/document/title", &document.title), ("/document/summary", &document.summary)]
        .into_iter()
        .filter(|(_, text)| text.as_ref().is_some_and(|text| text.contains('\0')))
        .map(|(pointer, _)| Problem::error("nul_character", pointer, "contains a NUL character"))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::invalid_definition(&problems)) }
}

/// Registered workflows, newest first.
#[utoipa::path(get, path = "/api/v1/workflows", tag = "workflows",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("namespace" = Option<String>, Query, description = "Of this namespace."),
        ("name" = Option<String>, Query, description = "Of this name."),
        ("q" = Option<String>, Query, description = "Contains this text in namespace, name, title or summary."),
        ("all_versions" = Option<bool>, Query, description = "Not only the latest version of each."),
        ("include_archived" = Option<bool>, Query, description = "Archived ones too."),
    ),
    responses((status = 200, body = List<WorkflowView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let yes_or_no = one_of(&[true, false]);
    let filter = WorkflowFilter {
        namespace: query.text("namespace"),
        name: query.text("name"),
        text: query.text("q"),
        all_versions: query.value("all_versions", &yes_or_no).unwrap_or(false),
        include_archived: query.value("include_archived", &yes_or_no).unwrap_or(false),
    };
    query.finish()?;
    let found = service.engine.store().workflows(caller.tenant_id, filter, request_of(&window)).await?;
    let items: Vec<WorkflowView> = found.items.into_iter().map(view).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

/// Check a definition without registering it: every problem, with line and column.
#[utoipa::path(post, path = "/api/v1/workflows/validate", tag = "workflows",
    request_body(content(
        (serde_json::Value = "application/json"),
        (serde_json::Value = "application/yaml"),
    ), description = "The definition."),
    responses((status = 200, body = Validation, description = "Checked; `is_valid` says how it went.")),
)]
pub async fn validate(service: web::Data<Service>, request: HttpRequest, body: DefinitionText) -> Result<HttpResponse> {
    Query::of(&request).finish()?;
    let review = service.engine.review(body.text).await;
    let problems = review.problems.iter().map(field_error).collect();
    Ok(HttpResponse::Ok().json(Validation { is_valid: review.definition.is_some(), problems }))
}

/// One registered version with its definition.
#[utoipa::path(get, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = WorkflowId, Path, description = "The registered version.")),
    responses((status = 200, body = WorkflowDetail)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::workflow_id(&request)?;
    Query::of(&request).finish()?;
    let store = service.engine.store();
    let workflow = find(&service, &caller, id).await?;
    let text = store.definition(caller.tenant_id, workflow.digest.clone()).await?;
    let definition = RawValue::from_string(text.json)
        .map_err(|error| Error::new(Code::Internal, format!("the stored definition is not JSON: {error}")))?;
    Ok(HttpResponse::Ok().json(WorkflowDetail { workflow: view(workflow), definition, source: text.source }))
}

/// All versions of a workflow, archived ones included, highest first.
#[utoipa::path(get, path = "/api/v1/workflows/{id}/versions", tag = "workflows",
    params(("id" = WorkflowId, Path, description = "Any of its registered versions.")),
    responses((status = 200, body = Stretch<WorkflowView>)),
)]
pub async fn versions(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::workflow_id(&request)?;
    Query::of(&request).finish()?;
    let workflow = find(&service, &caller, id).await?;
    let store = service.engine.store();
    let found = store.workflow_versions(caller.tenant_id, workflow.namespace, workflow.name).await?;
    let items: Vec<WorkflowView> = found.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(Stretch { items, next_cursor: None }))
}

/// Archive a version, or bring it back. Its definition never changes.
#[utoipa::path(put, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = WorkflowId, Path, description = "The registered version.")),
    request_body = ChangeWorkflow,
    responses((status = 200, body = WorkflowView)),
)]
pub async fn change(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeWorkflow>,
) -> Result<HttpResponse> {
    let id = path::workflow_id(&request)?;
    let workflow = archive(&service, &caller, id, body.value.is_archived).await?;
    Ok(HttpResponse::Ok().json(view(workflow)))
}

/// Archive a version: hidden from lists and from `latest`. What runs goes on, and its id still works.
#[utoipa::path(delete, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = WorkflowId, Path, description = "The registered version.")),
    responses((status = 204, description = "Archived.")),
)]
pub async fn remove(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    archive(&service, &caller, path::workflow_id(&request)?, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn archive(service: &Service, caller: &Caller, id: WorkflowId, is_archived: bool) -> Result<store::Workflow> {
    let known = find(service, caller, id).await?;
    caller.may(Action::WorkflowChange, known.created_by.as_deref())?;
    let facts = |is_archived: bool| json!({ "is_archived": is_archived });
    let change = Change::changed("workflow_changed", "workflow", id, &facts(known.is_archived), &facts(is_archived));
    let store = service.engine.store().noting(service.entry(caller, change));
    let changed = store.archive_workflow(caller.tenant_id, id, is_archived).await;
    changed.map_err(|error| Error::of_store(error, "workflow", id))
}

async fn find(service: &Service, caller: &Caller, id: WorkflowId) -> Result<store::Workflow> {
    let found = service.engine.store().workflow(caller.tenant_id, id).await;
    found.map_err(|error| Error::of_store(error, "workflow", id))
}

fn view(workflow: store::Workflow) -> WorkflowView {
    WorkflowView {
        id: workflow.id,
        namespace: workflow.namespace,
        name: workflow.name,
        version: workflow.version,
        digest: workflow.digest,
        title: workflow.title,
        summary: workflow.summary,
        tags: workflow.tags,
        is_archived: workflow.is_archived,
        is_latest: workflow.is_latest,
        created_by: workflow.created_by,
        created_at: workflow.created_at,
        updated_at: workflow.updated_at,
    }
}
