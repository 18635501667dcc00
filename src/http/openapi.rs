//! The description of the interface: OpenAPI 3.1 from the handlers' own declarations, and its browsable form.

use super::authorization::{Access, Accesses};
use super::constraints::Constraints;
use super::error::{Error, Result};
use super::examples::Examples;
use super::{
    agents, api_keys, audit, auth, budget, commands, diff, executions, health, home, idempotency, journal, live,
    preflight, providers, queue, reports, retention, secrets, spending,
};
use super::{start, stream, tenants, users, views, workflows};
use crate::wire::catalog::Code;
use crate::wire::frame::{ClientFrame, ServerFrame};
use crate::wire::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, RefOr, Required};
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
        (name = "views", description = "Filters and columns of a list, under a name."),
        (name = "retention", description = "How long executions are kept, and deleting those that are not."),
        (name = "secrets", description = "Values that executions may read and nobody sees."),
        (name = "identity", description = "Sign in; tenants, people, keys, and who wrote what."),
        (name = "service", description = "The state of the service itself."),
    ),
    paths(
        start::start, executions::list, executions::active, executions::stats, executions::detail, commands::change,
        commands::cancel, commands::pause, commands::resume, budget::approve, commands::retry, commands::rerun,
        journal::history, journal::logs, journal::tasks, journal::usage, executions::children, journal::definition, diff::diff,
        stream::all, stream::one, live::all, live::one,
        workflows::register, workflows::list, workflows::validate, workflows::detail, workflows::change, workflows::remove, workflows::versions, preflight::preflight, start::execute,
        executions::status, commands::stop,
        agents::create, agents::list, agents::detail, agents::change, agents::remove, agents::test,
        views::create, views::list, views::detail, views::change, views::remove,
        secrets::list, secrets::detail, secrets::put, secrets::remove, secrets::rotate,
        retention::view, retention::decide, retention::preview, retention::run,
        auth::login, auth::first_sign_in, auth::refresh, auth::logout, auth::me, auth::change_me, auth::ticket,
        providers::list, providers::start, providers::callback,
        tenants::create, tenants::list, tenants::detail, tenants::change, tenants::remove,
        users::create, users::list, users::detail, users::change, users::remove, users::reset,
        api_keys::create, api_keys::list, api_keys::detail, api_keys::revoke, audit::list, audit::export,
        spending::summary, queue::view, reports::list, health::live, health::ready, health::metrics, home::page,
    ),
    components(schemas(Problem, ServerFrame<'static>, ClientFrame)),
    modifiers(&Constraints, &Examples, &Problems, &Security),
)]
struct Description;

/// The problems that a request can be answered with beyond those that its form implies.
const SPECIFIC: &[(&str, &str, &[Code])] = &[
    (
        "POST",
        "/api/v1/executions",
        &[Code::NotFound, Code::InvalidDefinition, Code::NotRunnable, Code::QueueFull, Code::TenantQueueFull],
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
    ("POST", "/api/v1/workflows", &[Code::AlreadyExists, Code::InvalidDefinition]),
    ("POST", "/api/v1/workflows/{id}/execute", &[Code::NotRunnable, Code::QueueFull, Code::TenantQueueFull]),
    ("POST", "/api/v1/workflows/executions/{id}/stop", &[Code::WrongState]),
    ("POST", "/api/v1/auth/login", &[Code::InvalidCredentials, Code::TooManyAttempts]),
    ("POST", "/api/v1/auth/first-sign-in", &[Code::InvalidCredentials, Code::AlreadyExists, Code::Conflict]),
    ("POST", "/api/v1/auth/refresh", &[Code::Unauthenticated, Code::InvalidCredentials]),
    ("GET", "/api/v1/auth/oidc/{provider}/start", &[Code::NotFound]),
    ("GET", "/api/v1/auth/oidc/{provider}/callback", &[Code::NotFound]),
    ("PUT", "/api/v1/auth/me", &[Code::TooManyAttempts, Code::Conflict]),
    ("POST", "/api/v1/auth/ticket", &[Code::TooManyAttempts]),
    ("POST", "/api/v1/tenants", &[Code::AlreadyExists]),
    ("PUT", "/api/v1/tenants/{id}", &[Code::AlreadyExists, Code::Conflict, Code::ReadOnly]),
    ("DELETE", "/api/v1/tenants/{id}", &[Code::Conflict, Code::ReadOnly]),
    ("POST", "/api/v1/users", &[Code::AlreadyExists]),
    ("PUT", "/api/v1/users/{id}", &[Code::AlreadyExists, Code::Conflict]),
    ("DELETE", "/api/v1/users/{id}", &[Code::Conflict]),
    ("POST", "/api/v1/agents", &[Code::AlreadyExists]),
    ("PUT", "/api/v1/agents/{id}", &[Code::AlreadyExists, Code::ReadOnly]),
    ("DELETE", "/api/v1/agents/{id}", &[Code::ReadOnly]),
    ("POST", "/api/v1/agents/{id}/test", &[Code::NotRunnable, Code::QueueFull, Code::TenantQueueFull]),
    ("POST", "/api/v1/views", &[Code::AlreadyExists, Code::LimitReached]),
    ("PUT", "/api/v1/views/{id}", &[Code::AlreadyExists, Code::Conflict]),
    ("PUT", "/api/v1/secrets/{name}", &[Code::NoSecretKey]),
    ("POST", "/api/v1/secret-keys/rotate", &[Code::NoSecretKey]),
];

/// What a route asks of whoever comes.
fn access(method: &str, path: &str) -> Access {
    let accesses = ACCESSES.iter().find(|(pattern, _)| *pattern == path).map(|(_, accesses)| accesses);
    let found = accesses.and_then(|accesses| accesses.iter().find(|(known, _)| known.as_str() == method));
    found.map_or(Access::Open, |(_, access)| *access)
}

/// The accesses of all addresses, from the one route table.
static ACCESSES: LazyLock<Vec<(&'static str, Accesses)>> = LazyLock::new(|| {
    super::addresses().iter().map(|address| (address.pattern(), address.accesses().clone())).collect()
});

/// How a request says who sends it.
struct Security;

/// The names of the security schemes, and where each stands.
const BEARER: &str = "bearer";
const API_KEY: &str = "api_key";
const TICKET: &str = "ticket";
const TOKEN: &str = "token";

impl Modify for Security {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token from `/api/v1/auth/login`, or an API key."));
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
        let place = |value| SecurityScheme::ApiKey(value);
        let key = ApiKeyValue::with_description("X-API-Key", "`cb_…`, from `/api/v1/api-keys`.");
        components.add_security_scheme(API_KEY, place(ApiKey::Header(key)));
        let ticket = ApiKeyValue::with_description("ticket", "From `/api/v1/auth/ticket`; good once, for 30 seconds.");
        components.add_security_scheme(TICKET, place(ApiKey::Query(ticket)));
        let token = ApiKeyValue::with_description("token", "A token or key, for clients that can do nothing else.");
        components.add_security_scheme(TOKEN, place(ApiKey::Query(token)));
        for (path, item) in &mut description.paths.paths {
            for (method, operation) in operations(item) {
                let schemes: &[&str] = match access(method, path) {
                    Access::Open => continue,
                    Access::Needs(_) => &[BEARER, API_KEY],
                    Access::Live(_) => &[BEARER, API_KEY, TICKET, TOKEN],
                };
                let none: [&str; 0] = [];
                let requirement = |scheme: &&str| SecurityRequirement::new(*scheme, none);
                operation.security = Some(schemes.iter().map(requirement).collect());
                add_tenant_parameter(operation);
            }
        }
    }
}

fn add_tenant_parameter(operation: &mut Operation) {
    let parameter = ParameterBuilder::new()
        .name("X-Tenant-Id")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The tenant to work in, for operators; their own when absent."))
        .schema(Some(<crate::domain::TenantId as utoipa::PartialSchema>::schema()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

/// Adds the problems to every operation.
struct Problems;

impl Modify for Problems {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut description.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(operation_name(method, path));
                add_problems(method, path, operation);
                add_replay(operation);
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

/// What takes an `Idempotency-Key` may be answered with the first answer once more, and says so.
fn add_replay(operation: &mut Operation) {
    let is_key =
        |parameter: &RefOr<_>| matches!(parameter, RefOr::T(Parameter { name, .. }) if name == idempotency::KEY);
    if !operation.parameters.iter().flatten().any(is_key) {
        return;
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            let header = utoipa::openapi::HeaderBuilder::new()
                .schema(Some(<String as utoipa::PartialSchema>::schema()))
                .description(Some("`true` when this is the first answer once more."))
                .build();
            response.headers.insert("Idempotency-Replayed".to_owned(), RefOr::T(header));
        }
    }
}

/// The problems that follow from the form of a request.
fn implied(method: &str, path: &str, operation: &Operation) -> Vec<Code> {
    let mut codes = vec![Code::HostNotAllowed, Code::RateLimited];
    if method != "GET" {
        codes.push(Code::OriginNotAllowed);
    }
    if access(method, path) != Access::Open {
        codes.extend([
            Code::Unauthenticated,
            Code::InvalidCredentials,
            Code::TokenExpired,
            Code::Forbidden,
            // The thing or, for operators, the tenant.
            Code::NotFound,
        ]);
    }
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    for parameter in parameters {
        match parameter.parameter_in {
            ParameterIn::Query => codes.push(Code::InvalidQuery),
            ParameterIn::Header if parameter.name == idempotency::KEY => {
                codes.extend([Code::InvalidHeader, Code::IdempotencyConflict, Code::RequestInProgress]);
            }
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
            Code::RequestTimeout,
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

/// The whole description as people can read it in a file: indented JSON.
pub fn text() -> String {
    description().to_pretty_json().unwrap_or_default()
}

static TEXT: LazyLock<Bytes> = LazyLock::new(|| description().to_json().unwrap_or_default().into());

/// The description as JSON.
pub async fn json() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(TEXT.clone())
}

/// What the pages of the browsable form may do: they style their own elements and draw small pictures of their own.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

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
    response.insert_header((header::CONTENT_SECURITY_POLICY, DOCS_POLICY));
    response.insert_header((header::CACHE_CONTROL, "no-cache"));
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}

/// `/docs` leads to `/docs/`, since the pages there are relative to it.
pub async fn docs_folder() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, DOCS_FOLDER)).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ticket is good once and for seconds: one that comes again is of no use to anybody.
    const MADE_ANEW: [&str; 1] = ["/api/v1/auth/ticket"];

    #[test]
    fn whatever_creates_may_be_repeated() {
        let description = serde_json::to_value(description()).unwrap();
        let paths = description["paths"].as_object().unwrap().iter();
        let creating = paths
            .filter(|(path, item)| !item["post"]["responses"]["201"].is_null() && !MADE_ANEW.contains(&path.as_str()));
        let mut count = 0;
        for (path, item) in creating {
            let parameters = item["post"]["parameters"].as_array().unwrap();
            assert!(parameters.iter().any(|parameter| parameter["name"] == idempotency::KEY), "{path}");
            assert!(!item["post"]["responses"]["201"]["headers"]["Idempotency-Replayed"].is_null(), "{path}");
            count += 1;
        }
        assert!(count >= 7, "{count}");
    }

    /// The client of the dashboard is generated from this file.
    #[test]
    fn the_description_beside_the_dashboard_is_in_step() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept.trim_end() == text(), "dashboard/openapi.json is stale: run make generate");
    }
}
