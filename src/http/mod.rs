//! Doors: HTTP under `/api/v1`, health, figures and documentation. One file per resource; the route table is [`addresses`].
//!
//! A handler reads the request, asks the engine or the store, and shows the answer in a form of `wire/`. It decides nothing
//! about executions. Called by `startup`, which builds a [`Service`] and runs [`server`].

mod agents;
mod body;
mod budget;
mod caller;
mod commands;
mod door;
mod error;
mod executions;
mod health;
mod home;
mod idempotency;
mod journal;
mod live;
mod openapi;
mod path;
mod query;
mod queue;
mod routing;
mod start;
mod stream;
mod throttle;
mod trace;
mod workflows;

pub use caller::Caller;
pub use error::Error;
pub use throttle::Throttle;

use crate::actors::Engine;
use crate::clock::Clock;
use crate::domain::{Execution, ExecutionId};
use crate::settings;
use crate::telemetry::Metrics;
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
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub throttle: Throttle,
    /// The largest request body.
    pub body_limit_bytes: usize,
    /// How often a quiet stream says that it is still there.
    pub heartbeat: Duration,
}

/// All addresses. Fixed words come before `{id}`.
fn addresses() -> Vec<Address> {
    vec![
        at("/api/v1/executions").post(start::start).get(executions::list),
        at("/api/v1/executions/active").get(executions::active),
        at("/api/v1/executions/stats").get(executions::stats),
        at("/api/v1/executions/stream").get(stream::all),
        at("/api/v1/executions/ws").get(live::all),
        at("/api/v1/executions/ws/{id}").get(live::one),
        at("/api/v1/executions/{id}").get(executions::detail).put(commands::change),
        at("/api/v1/executions/{id}/cancel").post(commands::cancel),
        at("/api/v1/executions/{id}/pause").post(commands::pause),
        at("/api/v1/executions/{id}/resume").post(commands::resume),
        at("/api/v1/executions/{id}/budget").post(budget::approve),
        at("/api/v1/executions/{id}/retry").post(commands::retry),
        at("/api/v1/executions/{id}/rerun").post(commands::rerun),
        at("/api/v1/executions/{id}/history").get(journal::history),
        at("/api/v1/executions/{id}/logs").get(journal::logs),
        at("/api/v1/executions/{id}/tasks").get(journal::tasks),
        at("/api/v1/executions/{id}/usage").get(journal::usage),
        at("/api/v1/executions/{id}/children").get(executions::children),
        at("/api/v1/executions/{id}/stream").get(stream::one),
        at("/api/v1/queue").get(queue::view),
        at("/api/v1/workflows").post(workflows::register).get(workflows::list),
        at("/api/v1/workflows/validate").post(workflows::validate),
        at("/api/v1/workflows/executions/{id}/status").get(executions::status),
        at("/api/v1/workflows/executions/{id}/stop").post(commands::stop),
        at("/api/v1/workflows/{id}").get(workflows::detail).put(workflows::change).delete(workflows::remove),
        at("/api/v1/workflows/{id}/versions").get(workflows::versions),
        at("/api/v1/workflows/{id}/execute").post(start::execute),
        at("/api/v1/agents").post(agents::create).get(agents::list),
        at("/api/v1/agents/{id}").get(agents::detail).put(agents::change).delete(agents::remove),
        at("/api/v1/agents/{id}/test").post(agents::test),
        at("/ws/executions").get(live::all),
        at("/ws/executions/{id}").get(live::one),
        at("/livez").get(health::live),
        at("/readyz").get(health::ready),
        at("/metrics").get(health::metrics),
        at(openapi::DESCRIPTION).get(openapi::json),
        at("/docs").get(openapi::docs_folder),
        at("/docs/{file:.*}").get(openapi::docs),
        at("/").get(home::page),
    ]
}

/// Mounts everything on an application.
fn configure(service: web::Data<Service>, keys: idempotency::Keys) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(service).app_data(keys);
        for address in addresses() {
            config.service(address);
        }
        config.default_service(web::to(routing::no_such_address));
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
