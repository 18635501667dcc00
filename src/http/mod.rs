//! Doors: HTTP under `/api/v1`, health, figures and documentation. One file per resource; the route table is [`addresses`].
//!
//! A handler reads the request, asks the engine or the store, and shows the answer in a form of `wire/`. It decides nothing
//! about executions. Called by `startup`, which builds a [`Service`] and runs [`server`].

mod agents;
mod authorization;
mod boards;
mod body;
mod budget;
mod caller;
mod commands;
mod constraints;
mod dashboard;
mod door;
mod error;
mod examples;
mod executions;
mod headers;
mod health;
mod home;
mod idempotency;
mod journal;
mod live;
mod openapi;
mod path;
mod query;
mod queue;
mod retention;
mod routing;
mod secrets;
mod start;
mod stream;
mod throttle;
mod trace;
mod workflows;

pub use boards::Boards;
pub use caller::Caller;
pub use error::Error;
pub use openapi::text as openapi_text;
pub use throttle::Throttle;

use crate::actors::Engine;
use crate::clock::Clock;
use crate::domain::{Execution, ExecutionId};
use crate::identity::Identity;
use crate::settings;
use crate::telemetry::Metrics;
use crate::vault::Vault;
use actix_web::dev::Server;
use actix_web::http::KeepAlive;
use actix_web::{App, HttpServer, middleware, web};
use routing::{Address, at};
use std::io;
use std::net::TcpListener;
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
    /// The largest request body.
    pub body_limit_bytes: usize,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    pub boards: Boards,
    /// How often a quiet stream says that it is still there.
    pub heartbeat: Duration,
}

/// All addresses. Fixed words come before `{id}`.
fn addresses() -> Vec<Address> {
    use crate::domain::Action::*;
    use authorization::Access::{self, Open};
    vec![
        at("/api/v1/executions").post(ExecutionStart, start::start).get(ExecutionRead, executions::list),
        at("/api/v1/executions/active").get(ExecutionRead, executions::active),
        at("/api/v1/executions/stats").get(ExecutionRead, executions::stats),
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
        at("/api/v1/executions/{id}/stream").get(Access::Live(ExecutionRead), stream::one),
        at("/api/v1/queue").get(QueueRead, queue::view),
        at("/api/v1/retention").get(RetentionRead, retention::view).put(RetentionWrite, retention::decide),
        at("/api/v1/retention/preview").post(RetentionRead, retention::preview),
        at("/api/v1/retention/run").post(RetentionWrite, retention::run),
        at("/api/v1/workflows").post(WorkflowRegister, workflows::register).get(WorkflowRead, workflows::list),
        at("/api/v1/workflows/validate").post(WorkflowRead, workflows::validate),
        at("/api/v1/workflows/executions/{id}/status").get(ExecutionRead, executions::status),
        at("/api/v1/workflows/executions/{id}/stop").post(ExecutionSteer, commands::stop),
        at("/api/v1/workflows/{id}")
            .get(WorkflowRead, workflows::detail)
            .put(WorkflowChange, workflows::change)
            .delete(WorkflowChange, workflows::remove),
        at("/api/v1/workflows/{id}/versions").get(WorkflowRead, workflows::versions),
        at("/api/v1/workflows/{id}/execute").post(ExecutionStart, start::execute),
        at("/api/v1/agents").post(AgentCreate, agents::create).get(AgentRead, agents::list),
        at("/api/v1/agents/{id}")
            .get(AgentRead, agents::detail)
            .put(AgentChange, agents::change)
            .delete(AgentChange, agents::remove),
        at("/api/v1/agents/{id}/test").post(AgentUse, agents::test),
        at("/api/v1/secrets").get(SecretRead, secrets::list),
        at("/api/v1/secret-keys/rotate").post(SecretRotate, secrets::rotate),
        at("/api/v1/secrets/{name}")
            .get(SecretRead, secrets::detail)
            .put(SecretWrite, secrets::put)
            .delete(SecretWrite, secrets::remove),
        at("/ws/executions").get(Access::Live(ExecutionRead), live::all),
        at("/ws/executions/{id}").get(Access::Live(ExecutionRead), live::one),
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
    let new_app =
        move || App::new().wrap(middleware::from_fn(door::pass)).configure(configure(service.clone(), keys.clone()));
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
    /// 404 when there is none, or it is somebody else's.
    async fn execution(&self, caller: &Caller, id: ExecutionId) -> Result<Execution, Error> {
        let found = self.engine.store().execution(caller.tenant_id, id).await;
        found.map_err(|error| Error::of_store(error, "execution", id))
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
