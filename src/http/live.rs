//! The doors of WebSocket sessions; `actors/session.rs` speaks the protocol behind them.

use super::Service;
use super::authorization::{LIVE_PARAMETERS, PROTOCOL};
use super::caller::Caller;
use super::error::{Error, Result};
use super::gate::{self, Credential};
use super::path;
use super::query::{MAX_NUMBER, Query};
use crate::actors::session::Opening;
use crate::actors::{Scope, session};
use crate::wire::catalog::Code;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

/// The global feed: the latest state of every execution, as it changes.
///
/// Frames are described by `ServerFrame` and `ClientFrame`. Also at `/ws/executions`.
#[utoipa::path(get, path = "/api/v1/executions/ws", tag = "live",
    params(
        ("client_id" = Option<String>, Query, description = "What the client calls itself; for the log."),
        ("after" = Option<u64>, Query, description = "Continue after this position; from now on when absent."),
    ),
    responses((status = 101, description = "The session begins.")),
)]
pub async fn all(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    query.ignore(&LIVE_PARAMETERS);
    query.text("client_id");
    let after = query.number("after", 0..=MAX_NUMBER);
    query.finish()?;
    // From the handshake on: the feed itself begins when it is first read.
    let after = after.or_else(|| Some(service.engine.position()));
    begin(&service, &caller, &request, payload, Scope::Global { after, owner: caller.only_owner().map(Arc::from) })
}

/// One execution: every event, complete and in order, its streamed output and its log.
///
/// Frames are described by `ServerFrame` and `ClientFrame`. Also at `/ws/executions/{id}`.
#[utoipa::path(get, path = "/api/v1/executions/ws/{id}", tag = "live",
    params(
        ("id" = crate::domain::ExecutionId, Path, description = "The execution."),
        ("client_id" = Option<String>, Query, description = "What the client calls itself; for the log."),
        ("after" = Option<u64>, Query, description = "Continue after this `seq`; from the first event when absent."),
    ),
    responses((status = 101, description = "The session begins.")),
)]
pub async fn one(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let id = path::execution_id(&request)?;
    let mut query = Query::of(&request);
    query.ignore(&LIVE_PARAMETERS);
    query.text("client_id");
    let after_seq = query.number("after", 0..=MAX_NUMBER).unwrap_or(0);
    query.finish()?;
    service.execution(&caller, id).await?;
    begin(&service, &caller, &request, payload, Scope::Execution { id, after_seq })
}

fn begin(
    service: &Service,
    caller: &Caller,
    request: &HttpRequest,
    payload: web::Payload,
    scope: Scope,
) -> Result<HttpResponse> {
    let is_upgrade =
        request.headers().get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if !is_upgrade {
        let error = Error::new(Code::UpgradeRequired, "The request is not a WebSocket handshake.");
        return Err(error.with_header(header::UPGRADE, header::HeaderValue::from_static("websocket")));
    }
    // A client that offers protocols wants one of them back, and never the token.
    let offers = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    let offers_bearer = offers
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|protocol| protocol.trim() == PROTOCOL));
    let opening = Opening {
        tenant: caller.tenant_id,
        scope,
        visitor: gate::visitor(&caller.standing),
        gate: Credential::of(service, caller)?,
        renewal: service.renewal,
        protocol: offers_bearer.then_some(PROTOCOL),
    };
    session::start(request, payload, service.engine.clone(), opening)
        .map_err(|error| Error::new(Code::InvalidHeader, format!("The WebSocket handshake failed: {error}.")))
}
