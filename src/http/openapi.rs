//! The description of the interface: OpenAPI 3.1 from the handlers' own declarations, and its browsable form.

use super::error::{Error, Result};
use super::{agents, budget, commands, executions, health, home, journal, live, queue, start, stream, workflows};
use crate::wire::catalog::Code;
use crate::wire::frame::{ClientFrame, ServerFrame};
use crate::wire::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{Modify, OpenApi};

/// Where the description is.
pub const DESCRIPTION: &str = "/api/v1/openapi.json";
/// Where its browsable form is.
pub const DOCS_FOLDER: &str = "/docs/";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Callboard",
        description = "The execution service for agents and workflows: every execution is a supervised actor.\n\n\
            Every answer that is not a success is a problem (RFC 9457). A trailing slash is accepted everywhere. Every answer \
            carries `X-Request-Id`; a plain word sent under that name is taken over. Where requests are limited, every answer carries \
            `RateLimit` and `RateLimit-Policy`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "executions", description = "Start, watch and steer executions."),
        (name = "live", description = "Executions as they change, over WebSocket and server-sent events."),
        (name = "workflows", description = "Register and check workflow definitions."),
        (name = "agents", description = "Who can be asked to do a piece of work."),
        (name = "service", description = "The state of the service itself."),
    ),
    paths(
        start::start, executions::list, executions::active, executions::stats, executions::detail, commands::change,
        commands::cancel, commands::pause, commands::resume, budget::approve, commands::retry, commands::rerun,
        journal::history, journal::logs, journal::tasks, journal::usage, executions::children,
        stream::all, stream::one, live::all, live::one,
        workflows::register, workflows::list, workflows::validate, workflows::detail, workflows::change, workflows::remove, workflows::versions, start::execute,
        executions::status, commands::stop,
        agents::create, agents::list, agents::detail, agents::change, agents::remove, agents::test,
        queue::view, health::live, health::ready, health::metrics, home::page,
    ),
    components(schemas(Problem, ServerFrame<'static>, ClientFrame)),
    modifiers(&Problems),
)]
struct Description;

/// The problems that a request can be answered with beyond those that its form implies.
const SPECIFIC: &[(&str, &str, &[Code])] = &[
    (
        "POST",
        "/api/v1/executions",
        &[
            Code::NotFound,
            Code::IdempotencyConflict,
            Code::InvalidDefinition,
            Code::NotRunnable,
            Code::QueueFull,
            Code::TenantQueueFull,
        ],
    ),
    ("PUT", "/api/v1/executions/{id}", &[Code::WrongState]),
    ("POST", "/api/v1/executions/{id}/cancel", &[Code::WrongState]),
    ("POST", "/api/v1/executions/{id}/pause", &[Code::WrongState]),
    ("POST", "/api/v1/executions/{id}/resume", &[Code::WrongState]),
    ("POST", "/api/v1/executions/{id}/budget", &[Code::WrongState]),
    ("POST", "/api/v1/executions/{id}/retry", &[Code::WrongState, Code::QueueFull]),
    ("POST", "/api/v1/executions/{id}/rerun", &[Code::QueueFull, Code::TenantQueueFull]),
    ("GET", "/api/v1/executions/ws", &[Code::UpgradeRequired, Code::OriginNotAllowed]),
    ("GET", "/api/v1/executions/ws/{id}", &[Code::UpgradeRequired, Code::OriginNotAllowed]),
    ("GET", "/api/v1/executions/stream", &[Code::InvalidHeader]),
    ("GET", "/api/v1/executions/{id}/stream", &[Code::InvalidHeader]),
    ("POST", "/api/v1/workflows", &[Code::AlreadyExists, Code::InvalidDefinition, Code::IdempotencyConflict]),
    (
        "POST",
        "/api/v1/workflows/{id}/execute",
        &[Code::IdempotencyConflict, Code::NotRunnable, Code::QueueFull, Code::TenantQueueFull],
    ),
    ("POST", "/api/v1/workflows/executions/{id}/stop", &[Code::WrongState]),
    ("POST", "/api/v1/agents", &[Code::AlreadyExists, Code::IdempotencyConflict]),
    ("PUT", "/api/v1/agents/{id}", &[Code::AlreadyExists, Code::ReadOnly]),
    ("DELETE", "/api/v1/agents/{id}", &[Code::ReadOnly]),
    (
        "POST",
        "/api/v1/agents/{id}/test",
        &[Code::IdempotencyConflict, Code::NotRunnable, Code::QueueFull, Code::TenantQueueFull],
    ),
];

/// Adds the problems to every operation.
struct Problems;

impl Modify for Problems {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut description.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(operation_name(method, path));
                add_problems(method, path, operation);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, .. } = item;
    [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete)]
        .into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// A name that no other operation has: `get_executions_id_history`.
fn operation_name(method: &str, path: &str) -> String {
    let words = path.trim_start_matches("/api/v1").split(['/', '{', '}']).filter(|word| !word.is_empty());
    std::iter::once(method.to_ascii_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn add_problems(method: &str, path: &str, operation: &mut Operation) {
    let specific = SPECIFIC.iter().filter(|row| row.0 == method && row.1 == path).flat_map(|row| row.2.iter().copied());
    let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for code in implied(method, path, operation).into_iter().chain(specific) {
        let entry = code.entry();
        let codes = by_status.entry(entry.status).or_default();
        if !codes.contains(&entry.code) {
            codes.push(entry.code);
        }
    }
    for (status, codes) in by_status {
        // `/readyz` describes its own 503.
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(problem_response(status, &codes)));
    }
}

/// The problems that follow from the form of a request.
fn implied(method: &str, path: &str, operation: &Operation) -> Vec<Code> {
    let mut codes = vec![Code::HostNotAllowed, Code::RateLimited];
    if method != "GET" {
        codes.push(Code::OriginNotAllowed);
    }
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(&parameter.parameter_in),
        RefOr::Ref(_) => None,
    });
    for place in parameters {
        match place {
            ParameterIn::Query => codes.push(Code::InvalidQuery),
            ParameterIn::Header => codes.push(Code::InvalidHeader),
            ParameterIn::Path | ParameterIn::Cookie | ParameterIn::QueryString => {}
        }
    }
    if operation.request_body.is_some() {
        codes.extend([
            Code::InvalidJson,
            Code::InvalidBody,
            Code::BodyTooDeep,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]);
    }
    if path.starts_with("/api/") {
        codes.extend([Code::Internal, Code::StoreUnavailable, Code::ShuttingDown]);
    }
    codes
}

fn problem_response(status: u16, codes: &[&str]) -> Response {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let mut response =
        ResponseBuilder::new().description(codes.join(", ")).content("application/problem+json", content);
    if matches!(status, 429 | 503) {
        let header = utoipa::openapi::HeaderBuilder::new()
            .schema(Some(<u64 as utoipa::PartialSchema>::schema()))
            .description(Some("Seconds after which to try again."))
            .build();
        response = response.header("Retry-After", header);
    }
    response.build()
}

/// The whole description.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

static TEXT: LazyLock<Bytes> = LazyLock::new(|| description().to_json().unwrap_or_default().into());

/// The description as JSON.
pub async fn json() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(TEXT.clone())
}

static PAGES: LazyLock<Arc<utoipa_swagger_ui::Config<'static>>> =
    LazyLock::new(|| Arc::new(utoipa_swagger_ui::Config::new([DESCRIPTION])));

/// A file of the browsable form.
pub async fn docs(request: HttpRequest) -> Result<HttpResponse> {
    let path = request.match_info().query("file");
    let file = utoipa_swagger_ui::serve(path, Arc::clone(&PAGES))
        .map_err(|error| Error::new(Code::Internal, error.to_string()))?
        .ok_or_else(|| Error::new(Code::RouteNotFound, format!("There is nothing at {}.", request.path())))?;
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type);
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}

/// `/docs` leads to `/docs/`, since the pages there are relative to it.
pub async fn docs_folder() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, DOCS_FOLDER)).finish()
}
