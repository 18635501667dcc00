//! Doors: HTTP under `/api/v1`, health, figures and documentation. One file per resource; the route table is [`addresses`].
//!
//! A handler reads the request, asks the engine or the store, and shows the answer in a form of `wire/`. It decides nothing
//! about executions. Called by `startup`, which builds a [`Service`] and runs [`server`].

mod agent_keys;
mod agents;
mod answers;
mod api_keys;
mod audit;
mod auth;
mod authorization;
mod boards;
mod body;
mod budget;
mod caller;
mod client_address;
mod commands;
mod compression;
mod constraints;
mod dashboard;
mod diff;
mod door;
mod error;
mod examples;
mod executions;
mod gate;
mod headers;
mod health;
mod home;
mod idempotency;
mod journal;
mod live;
mod openapi;
mod origins;
mod path;
mod preflight;
mod providers;
mod query;
mod queue;
mod reports;
mod retention;
mod routing;
mod seats;
mod secrets;
mod spending;
mod start;
mod stream;
mod tenants;
mod throttle;
mod trace;
mod users;
mod views;
mod workflows;

pub use boards::Boards;
pub use caller::Caller;
pub use client_address::Proxies;
pub use error::Error;
pub use openapi::text as openapi_text;
pub use origins::Origins;
pub use seats::Seats;
pub use throttle::Throttle;

use crate::actors::Engine;
use crate::clock::Clock;
use crate::domain::{Action, AuditEntry, Execution, ExecutionId, Reach};
use crate::identity::{Change, Identity};
use crate::settings;
use crate::telemetry::Metrics;
use crate::vault::Vault;
use actix_web::dev::Server;
use actix_web::http::KeepAlive;
use actix_web::{App, HttpServer, middleware, web};
use routing::{Address, at};
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What handlers work with.
pub struct Service {
    pub engine: Engine,
    pub vault: Vault,
    pub clock: Arc<dyn Clock>,
    pub identity: Identity,
    pub metrics: Arc<Metrics>,
    pub throttle: Throttle,
    pub origins: Origins,
    pub proxies: Proxies,
    /// The largest request body.
    pub body_limit_bytes: usize,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    pub boards: Boards,
    /// How often a quiet stream says that it is still there.
    pub heartbeat: Duration,
    /// How long a live session goes on after its token has expired.
    pub renewal: Duration,
    /// Open sockets and streams.
    pub seats: Seats,
    /// The folder with the reports of measurements.
    pub reports: PathBuf,
}

/// All addresses.
fn addresses() -> Vec<Address> {
    let mut addresses = work();
    addresses.extend(identity_and_service());
    addresses
}

/// Executions, workflows, agents, saved views. Fixed words come before `{id}`.
fn work() -> Vec<Address> {
    use crate::domain::Action::*;
    use authorization::Access;
    vec![
        at("/api/v1/executions").post(ExecutionStart, start::start).get(ExecutionRead, executions::list),
        at("/api/v1/executions/active").get(ExecutionRead, executions::active),
        at("/api/v1/executions/stats").get(ExecutionStatistics, executions::stats),
        at("/api/v1/executions/stream").get(Access::Live(ExecutionRead), stream::all),
        at("/api/v1/executions/ws").get(Access::Live(ExecutionRead), live::all),
        at("/api/v1/executions/ws/{id}").get(Access::Live(ExecutionRead), live::one),
        at("/api/v1/executions/{id}").get(ExecutionRead, executions::detail).put(ExecutionSteer, commands::change),
        at("/api/v1/executions/{id}/cancel").post(ExecutionSteer, commands::cancel),
        at("/api/v1/executions/{id}/pause").post(ExecutionSteer, commands::pause),
        at("/api/v1/executions/{id}/resume").post(ExecutionSteer, commands::resume),
        at("/api/v1/executions/{id}/budget").post(ExecutionSteer, budget::approve),
        at("/api/v1/executions/{id}/retry").post(ExecutionStart, commands::retry),
        at("/api/v1/executions/{id}/rerun").post(ExecutionStart, commands::rerun),
        at("/api/v1/executions/{id}/history").get(ExecutionRead, journal::history),
        at("/api/v1/executions/{id}/logs").get(ExecutionRead, journal::logs),
        at("/api/v1/executions/{id}/tasks").get(ExecutionRead, journal::tasks),
        at("/api/v1/executions/{id}/usage").get(ExecutionRead, journal::usage),
        at("/api/v1/executions/{id}/children").get(ExecutionRead, executions::children),
        at("/api/v1/executions/{id}/definition").get(ExecutionRead, journal::definition),
        at("/api/v1/executions/{id}/diff/{other}").get(ExecutionRead, diff::diff),
        at("/api/v1/executions/{id}/stream").get(Access::Live(ExecutionRead), stream::one),
        at("/api/v1/observability/usage/summary").get(ExecutionStatistics, spending::summary),
        at("/api/v1/queue").get(QueueRead, queue::view),
        at("/api/v1/retention").get(RetentionRead, retention::view).put(RetentionWrite, retention::decide),
        at("/api/v1/retention/preview").post(RetentionRead, retention::preview),
        at("/api/v1/retention/run").post(EngineSteer, retention::run),
        at("/api/v1/workflows").post(WorkflowRegister, workflows::register).get(WorkflowRead, workflows::list),
        at("/api/v1/workflows/validate").post(WorkflowRead, workflows::validate),
        at("/api/v1/workflows/executions/{id}/status").get(ExecutionRead, executions::status),
        at("/api/v1/workflows/executions/{id}/stop").post(ExecutionSteer, commands::stop),
        at("/api/v1/workflows/{id}")
            .get(WorkflowRead, workflows::detail)
            .put(WorkflowChange, workflows::change)
            .delete(WorkflowChange, workflows::remove),
        at("/api/v1/workflows/{id}/versions").get(WorkflowRead, workflows::versions),
        at("/api/v1/workflows/{id}/preflight").post(WorkflowRun, preflight::preflight),
        at("/api/v1/workflows/{id}/execute").post(ExecutionStart, start::execute),
        at("/api/v1/agents").post(AgentCreate, agents::create).get(AgentRead, agents::list),
        at("/api/v1/agents/{id}")
            .get(AgentRead, agents::detail)
            .put(AgentChange, agents::change)
            .delete(AgentChange, agents::remove),
        at("/api/v1/agents/{id}/test").post(AgentUse, agents::test),
        at("/api/v1/views").post(ViewWrite, views::create).get(ViewRead, views::list),
        at("/api/v1/views/{id}")
            .get(ViewRead, views::detail)
            .put(ViewWrite, views::change)
            .delete(ViewWrite, views::remove),
    ]
}

/// Who asks, secrets, and the service itself.
fn identity_and_service() -> Vec<Address> {
    use crate::domain::Action::*;
    use authorization::Access::{self, Open};
    vec![
        at("/api/v1/auth/login").post(Open, auth::login),
        at("/api/v1/auth/first-sign-in").post(Open, auth::first_sign_in),
        at("/api/v1/auth/refresh").post(Open, auth::refresh),
        at("/api/v1/auth/logout").post(Open, auth::logout),
        at("/api/v1/auth/oidc").get(Open, providers::list),
        at("/api/v1/auth/oidc/{provider}/start").get(Open, providers::start),
        at("/api/v1/auth/oidc/{provider}/callback").get(Open, providers::callback),
        at("/api/v1/auth/me").get(ProfileRead, auth::me).put(ProfileWrite, auth::change_me),
        at("/api/v1/auth/ticket").post(ProfileRead, auth::ticket),
        at("/api/v1/tenants").post(TenantWrite, tenants::create).get(TenantRead, tenants::list),
        at("/api/v1/tenants/{id}")
            .get(TenantRead, tenants::detail)
            .put(TenantWrite, tenants::change)
            .delete(TenantWrite, tenants::remove),
        at("/api/v1/users").post(UserWrite, users::create).get(UserRead, users::list),
        at("/api/v1/users/{id}")
            .get(UserRead, users::detail)
            .put(UserWrite, users::change)
            .delete(UserWrite, users::remove),
        at("/api/v1/users/{id}/reset").post(UserWrite, users::reset),
        at("/api/v1/api-keys").post(KeyWrite, api_keys::create).get(KeyRead, api_keys::list),
        at("/api/v1/api-keys/{id}").get(KeyRead, api_keys::detail).delete(KeyWrite, api_keys::revoke),
        at("/api/v1/audit").get(AuditRead, audit::list),
        at("/api/v1/audit/export").get(AuditRead, audit::export),
        at("/api/v1/secrets").get(SecretRead, secrets::list),
        at("/api/v1/secret-keys/rotate").post(EngineSteer, secrets::rotate),
        at("/api/v1/secrets/{name}")
            .get(SecretRead, secrets::detail)
            .put(SecretWrite, secrets::put)
            .delete(SecretWrite, secrets::remove),
        at("/ws/executions").get(Access::Live(ExecutionRead), live::all),
        at("/ws/executions/{id}").get(Access::Live(ExecutionRead), live::one),
        at("/api/v1/reports").get(ReportRead, reports::list),
        at("/livez").get(Open, health::live),
        at("/readyz").get(Open, health::ready),
        at("/metrics").get(Open, health::metrics),
        at(openapi::DESCRIPTION).get(Open, openapi::json),
        at("/docs").get(Open, openapi::docs_folder),
        at("/docs/{file:.*}").get(Open, openapi::docs),
        at("/").get(Open, home::page),
    ]
}

/// Mounts everything on an application.
fn configure(service: web::Data<Service>, keys: idempotency::Keys) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(service).app_data(keys);
        for address in addresses() {
            config.service(address);
        }
        config.default_service(web::to(home::other));
    }
}

/// The server on a listener that is already bound. It runs when it is awaited, and stops gracefully through its handle.
///
/// # Errors
/// When the listener cannot be used.
pub fn server(listener: TcpListener, settings: &settings::Server, service: Service) -> io::Result<Server> {
    let service = web::Data::new(service);
    let keys = idempotency::Keys::default();
    let new_app = move || {
        let app = App::new().wrap(middleware::from_fn(compression::pass)).wrap(middleware::from_fn(door::pass));
        app.configure(configure(service.clone(), keys.clone()))
    };
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let server = HttpServer::new(new_app)
        .workers(workers)
        .keep_alive(KeepAlive::Timeout(Duration::from_secs(settings.keep_alive_seconds)))
        .client_request_timeout(Duration::from_millis(settings.header_timeout_ms))
        .client_disconnect_timeout(CLIENT_DISCONNECT_TIMEOUT)
        .shutdown_timeout(settings.shutdown_grace_seconds)
        .max_connections(MAX_CONNECTIONS_PER_WORKER)
        .tcp_nodelay(true)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}

/// How long the end of a connection may take.
const CLIENT_DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections beyond this wait in the backlog.
const MAX_CONNECTIONS_PER_WORKER: usize = 25_000;

impl Service {
    /// An execution of the caller.
    ///
    /// # Errors
    /// 404 when there is none or it is of another tenant, 403 when it is somebody else's.
    async fn execution(&self, caller: &Caller, id: ExecutionId) -> Result<Execution, Error> {
        let found = self.engine.store().execution(caller.tenant_id, id).await;
        let execution = found.map_err(|error| Error::of_store(error, "execution", id))?;
        caller.may(Action::ExecutionRead, execution.creation.created_by.as_deref())?;
        Ok(execution)
    }

    /// What the audit says of something that the caller does. It is stored together with it.
    fn entry(&self, caller: &Caller, change: Change) -> AuditEntry {
        self.identity.entry(&caller.writer(), caller.tenant_id, change)
    }

    /// Whether the caller may do something to an execution. Nothing is read for whoever may do it to all of the tenant:
    /// what follows finds out whether it exists.
    ///
    /// # Errors
    /// 404 when there is none or it is of another tenant, 403 when it is somebody else's.
    async fn check_execution(&self, caller: &Caller, action: Action, id: ExecutionId) -> Result<(), Error> {
        if caller.principal().reach(action)? >= Reach::Tenant {
            return Ok(());
        }
        let found = self.engine.store().execution(caller.tenant_id, id).await;
        let execution = found.map_err(|error| Error::of_store(error, "execution", id))?;
        caller.may(action, execution.creation.created_by.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_described() {
        let description = openapi::description();
        let described: Vec<(String, Vec<&str>)> = description
            .paths
            .paths
            .iter()
            .map(|(path, item)| {
                let methods = [("GET", &item.get), ("PUT", &item.put), ("POST", &item.post), ("DELETE", &item.delete)];
                (
                    path.clone(),
                    methods.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect(),
                )
            })
            .collect();
        // Second names of described addresses, and the description itself.
        let is_internal = |pattern: &str| {
            pattern.starts_with("/ws/") || pattern.starts_with("/docs") || pattern == openapi::DESCRIPTION
        };
        let mut count = 0;
        for address in addresses().iter().filter(|address| !is_internal(address.pattern())) {
            let methods = described.iter().find(|(path, _)| path == address.pattern());
            let (_, methods) = methods.unwrap_or_else(|| panic!("{} is not described", address.pattern()));
            let mut served: Vec<&str> = address.methods().to_vec();
            served.retain(|method| !matches!(*method, "OPTIONS" | "HEAD"));
            served.sort_unstable();
            let mut methods = methods.clone();
            methods.sort_unstable();
            assert_eq!(served, methods, "{}", address.pattern());
            count += 1;
        }
        assert_eq!(count, described.len(), "something is described that is not served");
    }
}
