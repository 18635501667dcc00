//! Starting executions: the body of `POST /executions` and the run buttons, checked and handed to the engine.

use super::Service;
use super::body::{Json, OptionalJson, escape};
use super::budget::check_budget;
use super::caller::Caller;
use super::error::{Error, Result};
use super::idempotency;
use super::path;
use super::trace;
use crate::actors::{DEFAULT_PRIORITY, Refusal, Runnable, Submission};
use crate::domain::definition::{self, Definition};
use crate::domain::{Action, Execution, Status, TenantId};
use crate::identity::Change;
use crate::wire::execution::{Accepted, ExecuteWorkflow, ExecutionView, StartExecution};
use crate::wire::problem::FieldError;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const MAX_LABELS: usize = 32;
const MAX_LABEL_NAME_CHARACTERS: usize = 63;
const MAX_LABEL_VALUE_CHARACTERS: usize = 255;
const MAX_PRIORITY: u8 = 9;

/// Start an execution.
///
/// The answer comes when the execution is durable; it shows the execution as it was accepted. With an `Idempotency-Key` the
/// same request may be repeated for 24 hours: it is answered with the first answer once more and `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/api/v1/executions", tag = "executions",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters."),
        ("traceparent" = Option<String>, Header, description = "W3C trace context; effects continue it."),
    ),
    request_body = StartExecution,
    responses(
        (status = 201, body = ExecutionView<'static>, description = "Accepted and durable.",
            headers(("Location" = String))),
    ),
)]
pub async fn start(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<StartExecution>,
) -> Result<HttpResponse> {
    let idempotency = idempotency::of(&request, &body.bytes)?;
    caller.may_use(&[Action::WorkflowRun])?;
    let mut submission = submission(caller.tenant_id, body.value)?;
    caller.sign(&mut submission);
    submission.idempotency = idempotency;
    submission.traceparent = trace::of(&request);
    let (execution, is_replayed) = submit(&service, &caller, submission).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/api/v1/executions/{}", execution.id)));
    mark_replayed(&mut response, is_replayed);
    Ok(response.json(ExecutionView::as_accepted(&execution)))
}

/// Run a registered workflow: the run button.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/execute", tag = "workflows",
    params(
        ("id" = crate::domain::WorkflowId, Path, description = "The registered version."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters."),
        ("traceparent" = Option<String>, Header, description = "W3C trace context; effects continue it."),
    ),
    request_body(content = ExecuteWorkflow, description = "May be left out."),
    responses(
        (status = 202, body = Accepted, description = "Accepted and durable."),
    ),
)]
pub async fn execute(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: OptionalJson<ExecuteWorkflow>,
) -> Result<HttpResponse> {
    let id = path::workflow_id(&request)?;
    let idempotency = idempotency::of(&request, &body.bytes)?;
    caller.may_use(&[Action::WorkflowRun])?;
    let ExecuteWorkflow { input, input_data, priority, labels, budget } = body.value;
    let start = StartExecution {
        workflow_id: Some(id),
        input,
        input_data,
        priority,
        labels,
        budget,
        ..StartExecution::default()
    };
    let mut submission = submission(caller.tenant_id, start)?;
    caller.sign(&mut submission);
    submission.idempotency = idempotency;
    submission.traceparent = trace::of(&request);
    accept(&service, &caller, submission, "The workflow was accepted and will run as soon as there is room.").await
}

/// Submits and answers like a run button: 202 with the id.
pub async fn accept(service: &Service, caller: &Caller, submission: Submission, message: &str) -> Result<HttpResponse> {
    let (execution, is_replayed) = submit(service, caller, submission).await?;
    let mut response = HttpResponse::Accepted();
    response.insert_header((header::LOCATION, format!("/api/v1/executions/{}", execution.id)));
    mark_replayed(&mut response, is_replayed);
    Ok(response.json(Accepted { execution_id: execution.id, status: Status::Pending, message: message.to_owned() }))
}

/// The execution that a submission has made, and whether an earlier request had made it.
async fn submit(service: &Service, caller: &Caller, mut submission: Submission) -> Result<(Box<Execution>, bool)> {
    submission.audit = Some(service.entry(caller, Change::done("execution_started", "execution", "")));
    match service.engine.submit(submission).await {
        Ok(execution) => Ok((Box::new(execution), false)),
        Err(Refusal::Replayed(execution)) => Ok((execution, true)),
        Err(refusal) => Err(refusal.into()),
    }
}

pub fn mark_replayed(response: &mut actix_web::HttpResponseBuilder, is_replayed: bool) {
    if is_replayed {
        response.insert_header((idempotency::REPLAYED, "true"));
    }
}

/// What the engine is asked for; every field that is wrong is named.
fn submission(tenant_id: TenantId, body: StartExecution) -> Result<Submission> {
    let mut errors = Vec::new();
    let given = [body.workflow_id.is_some(), body.workflow.is_some(), body.definition.is_some()];
    if given.iter().filter(|is_given| **is_given).count() != 1 {
        errors.push(field("", "exactly one of workflow_id, workflow and definition must be given"));
    }
    if body.input.is_some() && body.input_data.is_some() {
        errors.push(field("/input_data", "is another name for input; only one of them may be given"));
    }
    let priority = body.priority.unwrap_or(DEFAULT_PRIORITY);
    check_priority(priority, &mut errors);
    let labels = body.labels.unwrap_or_default();
    check_labels(&labels, &mut errors);
    if let Some(budget) = &body.budget {
        check_budget(budget, "/budget", &mut errors);
    }
    if !errors.is_empty() {
        return Err(Error::invalid_fields(errors));
    }
    let runnable = match (body.workflow_id, body.workflow, body.definition) {
        (Some(id), _, _) => Runnable::Registered(id),
        (None, Some(selector), _) => {
            Runnable::Named { namespace: selector.namespace, name: selector.name, version: selector.version }
        }
        (None, None, Some(definition)) => Runnable::Inline(Arc::new(inline_definition(&definition)?)),
        (None, None, None) => return Err(Error::invalid_field("", "nothing to run is given")),
    };
    let input = body.input.or(body.input_data).unwrap_or_else(|| Value::Object(Map::new()));
    let mut submission = Submission::new(tenant_id, runnable, input);
    submission.priority = priority;
    submission.labels = labels;
    submission.start_at = body.start_at;
    submission.budget = body.budget.map(Into::into);
    Ok(submission)
}

/// A definition inside a body: an object, or a text with YAML or JSON.
fn inline_definition(raw: &RawValue) -> Result<Definition> {
    let text = raw.get().trim();
    let parsed = if text.starts_with('"') {
        let text: String = serde_json::from_str(text)
            .map_err(|error| Error::invalid_field("/definition", format!("is not a text: {error}")))?;
        definition::parse(&text)
    } else {
        definition::parse(text)
    };
    parsed.map_err(|problems| Error::invalid_definition(&problems))
}

/// Notes what is wrong with a priority.
pub fn check_priority(priority: u8, errors: &mut Vec<FieldError>) {
    if priority > MAX_PRIORITY {
        errors.push(field("/priority", &format!("must be 0 to {MAX_PRIORITY}, not {priority}")));
    }
}

/// Notes what is wrong with labels.
pub fn check_labels(labels: &BTreeMap<String, String>, errors: &mut Vec<FieldError>) {
    if labels.len() > MAX_LABELS {
        errors.push(field("/labels", &format!("holds {} labels, more than {MAX_LABELS}", labels.len())));
    }
    for (name, value) in labels {
        let pointer = format!("/labels/{}", escape(name));
        let length = name.chars().count();
        if !(1..=MAX_LABEL_NAME_CHARACTERS).contains(&length) || name.chars().any(char::is_control) {
            errors.push(field(&pointer, "the name must be 1 to 63 characters without control characters"));
        }
        if value.chars().count() > MAX_LABEL_VALUE_CHARACTERS || value.chars().any(char::is_control) {
            errors.push(field(&pointer, "the value must be at most 255 characters without control characters"));
        }
    }
}

/// One field that is wrong.
pub fn field(pointer: &str, detail: &str) -> FieldError {
    FieldError { detail: detail.to_owned(), pointer: Some(pointer.to_owned()), ..FieldError::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: Value) -> String {
        let body: StartExecution = serde_json::from_str(&body.to_string()).unwrap();
        submission(TenantId::DEFAULT, body).unwrap_err().to_string()
    }

    #[test]
    fn exactly_one_thing_is_run() {
        assert!(refused(json!({})).contains("exactly one of"));
        let selector = json!({"namespace": "a", "name": "b"});
        let id = "0198c5a0-7c1e-7000-8000-000000000002";
        assert!(refused(json!({"workflow": selector, "workflow_id": id})).contains("exactly one of"));
        let body = serde_json::from_str(&json!({"workflow": selector}).to_string()).unwrap();
        let submission = submission(TenantId::DEFAULT, body).unwrap();
        assert_eq!(submission.input, json!({}));
        assert_eq!(submission.priority, DEFAULT_PRIORITY);
    }

    #[test]
    fn labels_and_priority_have_bounds() {
        let selector = json!({"namespace": "a", "name": "b"});
        assert!(refused(json!({"workflow": selector, "priority": 10})).contains("/priority"));
        assert!(refused(json!({"workflow": selector, "labels": {"": "x"}})).contains("/labels/"));
        assert!(refused(json!({"workflow": selector, "labels": {"a": "x\u{0}"}})).contains("/labels/a"));
        assert!(refused(json!({"workflow": selector, "input": 1, "input_data": 2})).contains("/input_data"));
    }
}
