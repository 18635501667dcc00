//! The catalog of problems: every code that an answer or an `error` frame can carry, in one table.
//!
//! `docs/errors.md` is generated from [`markdown`]; a test fails when it is stale.

use serde::{Deserialize, Serialize};

/// One row of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// HTTP status.
    pub status: u16,
    /// The word in `code`.
    pub code: &'static str,
    /// What kind of problem it is; the same for every occurrence.
    pub title: &'static str,
    /// What the caller can do about it.
    pub suggestion: &'static str,
}

macro_rules! catalog {
    ($($variant:ident = $status:literal $code:literal $title:literal $suggestion:literal;)+) => {
        /// A kind of problem. Its [`Entry`] says how it looks to a caller.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[serde(rename = $code)] $variant),+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry { status: $status, code: $code, title: $title, suggestion: $suggestion }),+
                }
            }
        }
    };
}

catalog! {
    InvalidJson = 400 "invalid_json" "The body is not valid JSON"
        "Correct the body at the given line and column.";
    InvalidBody = 400 "invalid_body" "The body does not have the form this request takes"
        "Compare the named fields with the schema of this request at /docs.";
    BodyTooDeep = 400 "body_too_deep" "The body is nested too deeply"
        "Flatten the body, or pass the deep part as a text.";
    InvalidQuery = 400 "invalid_query" "A query parameter is not valid"
        "Compare the named parameter with the description of this request at /docs.";
    InvalidHeader = 400 "invalid_header" "A header is not valid"
        "Correct or leave out the named header.";
    InvalidFrame = 400 "invalid_frame" "The frame is not one that a client may send"
        "Send one of ping, subscribe, unsubscribe, cancel, pause, resume, auth, with exactly their fields.";
    Unauthenticated = 401 "unauthenticated" "The request does not say who sends it"
        "Send `Authorization: Bearer` with a token from /api/v1/auth/login, or an API key in `X-API-Key`.";
    InvalidCredentials = 401 "invalid_credentials" "The credential is not valid"
        "Sign in again, or use another API key.";
    TokenExpired = 401 "token_expired" "The credential has expired"
        "Get a fresh token from /api/v1/auth/refresh, or make a new API key.";
    Forbidden = 403 "forbidden" "This is not allowed"
        "Ask somebody whose role allows it; GET /api/v1/auth/me shows the own role.";
    HostNotAllowed = 403 "host_not_allowed" "The service does not answer under this host name"
        "Use an address in server.public_urls, or a loopback name on the own machine; the operator adds further ones.";
    OriginNotAllowed = 403 "origin_not_allowed" "A page of another origin may not do this"
        "Send the request from a page of this service, or from a program that sends no Origin header.";
    ReadOnly = 403 "read_only" "This belongs to the system and cannot be changed"
        "Make an own one with the same properties and change that.";
    NotFound = 404 "not_found" "There is nothing with this id"
        "Check the id; lists show what there is.";
    RouteNotFound = 404 "route_not_found" "There is no such address"
        "See /docs for all addresses.";
    MethodNotAllowed = 405 "method_not_allowed" "This address does not take this method"
        "Use one of the methods in the Allow header.";
    RequestTimeout = 408 "request_timeout" "The body did not arrive in time"
        "Send the whole body without a pause; the service waits server.body_timeout_ms for it.";
    WrongState = 409 "wrong_state" "The execution is in a state in which this is not possible"
        "Look at its current status; a finished execution can only be retried or rerun.";
    IdempotencyConflict = 409 "idempotency_conflict" "The Idempotency-Key was used for another request"
        "Use a fresh key for a new request; repeat a request with exactly the same body.";
    RequestInProgress = 409 "request_in_progress" "The same request is being served right now"
        "Send it again in a second to get its answer.";
    AlreadyExists = 409 "already_exists" "There is already one of this name"
        "Choose another name, slug or version; a registered version never changes.";
    Conflict = 409 "conflict" "As things are now, this is not possible"
        "Look at it as it is now; the detail says what is in the way.";
    LimitReached = 409 "limit_reached" "There are as many as there may be"
        "Remove one that is not needed any more.";
    BodyTooLarge = 413 "body_too_large" "The body is too large"
        "Make the body smaller; pass large data by address.";
    UnsupportedMediaType = 415 "unsupported_media_type" "The body has a media type this request does not take"
        "Send application/json, or application/yaml where a definition is expected.";
    InvalidDefinition = 422 "invalid_definition" "The workflow definition is not valid"
        "Correct the listed problems; POST /api/v1/workflows/validate checks without registering.";
    NotRunnable = 422 "not_runnable" "This cannot be run as things are"
        "Correct what the detail names, then start it again.";
    UpgradeRequired = 426 "upgrade_required" "This address speaks WebSocket only"
        "Connect with a WebSocket client, or use the address that ends in /stream for server-sent events.";
    TooManyAttempts = 429 "too_many_attempts" "Too many attempts have failed"
        "Wait for the number of seconds in Retry-After before the next attempt.";
    QueueFull = 429 "queue_full" "Too many executions are waiting"
        "Try again after the number of seconds in Retry-After.";
    TenantQueueFull = 429 "tenant_queue_full" "Too many executions of the tenant are waiting"
        "Try again after the number of seconds in Retry-After, or ask the operator to raise max_queued_executions.";
    RateLimited = 429 "rate_limited" "Too many requests have come"
        "Send fewer requests; the next one is answered after the number of seconds in Retry-After.";
    Internal = 500 "internal" "The service made a mistake"
        "Report the request id; the service's log has the cause.";
    NoSecretKey = 503 "no_secret_key" "The service has no key for secrets"
        "Set secrets.keys or secrets.key_file and start the service again.";
    ShuttingDown = 503 "shutting_down" "The service is shutting down"
        "Try again in a few seconds.";
    StoreUnavailable = 503 "store_unavailable" "The database cannot be reached"
        "Try again in a few seconds; /readyz shows the state of the database.";
}

impl Entry {
    /// The URI in `type`.
    pub fn type_uri(&self) -> String {
        format!("urn:callboard:problem:{}", self.code)
    }
}

/// The catalog as the page `docs/errors.md`.
pub fn markdown() -> String {
    use std::fmt::Write;
    let mut page = String::from(
        "# Problems\n\n\
         Every answer that is not a success is `application/problem+json` (RFC 9457) with the fields `type`, `title`, `status`,\n\
         `detail`, `instance`, `code`, `errors` (one entry per field or position), `suggestion` and `request_id`. `type` is\n\
         `urn:callboard:problem:` and the code. `error` frames of the live protocol carry the same object.\n\n\
         What cannot be read as a request at all gets no body, and the connection ends: 400 for a malformed request line or\n\
         header, 431 for too large a head, 408 for one that does not arrive in time.\n\n\
         This page is generated from the catalog in `src/wire/catalog.rs`.\n\n\
         | status | code | title | what to do |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let entry = code.entry();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {} | `{}` | {} | {} |", entry.status, entry.code, entry.title, entry.suggestion);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_problems_is_in_step() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        if std::env::var_os("CALLBOARD_UPDATE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
            return;
        }
        assert_eq!(page, markdown(), "docs/errors.md is stale: run this test with CALLBOARD_UPDATE_DOCS=1");
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|code| code.entry().code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
