//! Whether the service lives, whether it is ready, and its figures.

use super::Service;
use super::error::{Error, Result};
use crate::store::Store;
use crate::telemetry::Journal;
use crate::wire::catalog::Code;
use crate::wire::health::{Dependency, Live, Ready};
use actix_web::{HttpResponse, web};
use std::time::{Duration, Instant};

/// How long a dependency may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the process works.
#[utoipa::path(get, path = "/livez", tag = "service", responses((status = 200, body = Live)))]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Live { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Whether the service can do its work, with the state of everything it depends on.
#[utoipa::path(get, path = "/readyz", tag = "service", responses(
    (status = 200, body = Ready, description = "Everything works."),
    (status = 503, body = Ready, description = "Something is away."),
))]
pub async fn ready(service: web::Data<Service>) -> HttpResponse {
    let store = store_state(&service).await;
    let engine = engine_state(&service).await;
    let is_ready = store.is_ok() && engine.is_ok();
    let status = if is_ready { "ready" } else { "not_ready" };
    let body = Ready {
        status: status.to_owned(),
        dependencies: [("store".to_owned(), store), ("engine".to_owned(), engine)].into(),
    };
    if is_ready { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

async fn store_state(service: &Service) -> Dependency {
    let began = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, service.engine.store().check()).await;
    let latency_ms = u64::try_from(began.elapsed().as_millis()).ok();
    match answer {
        Ok(Ok(())) => Dependency::ok(latency_ms),
        Ok(Err(error)) => Dependency::away(error.to_string()),
        Err(_) => Dependency::away(no_answer()),
    }
}

async fn engine_state(service: &Service) -> Dependency {
    match tokio::time::timeout(PATIENCE, service.engine.queue()).await {
        Ok(Ok(_)) => Dependency::ok(None),
        Ok(Err(refusal)) => Dependency::away(refusal.to_string()),
        Err(_) => Dependency::away(no_answer()),
    }
}

fn no_answer() -> String {
    format!("no answer within {} seconds", PATIENCE.as_secs())
}

/// The service's figures in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "service", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text", description = "All figures."),
))]
pub async fn metrics(service: web::Data<Service>) -> Result<HttpResponse> {
    let text = service
        .metrics
        .encode(&journal(service.engine.store()))
        .map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    Ok(HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text))
}

fn journal(store: &Store) -> Journal {
    let written = store.writer_stats();
    Journal {
        commits: written.batches,
        appends: written.appends,
        events: written.events,
        bytes: written.bytes,
        refused: written.refused,
        failures: written.failures,
        waiting: written.waiting,
        last_commit: Duration::from_micros(written.last_commit_us),
    }
}
