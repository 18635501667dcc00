//! The names of fields in log lines. Used as `tracing::info!({ field::TASK } = %path, "…")`.

pub const ATTEMPT: &str = "attempt";
pub const EFFECT: &str = "effect";
pub const ERROR: &str = "error";
pub const EXECUTION_ID: &str = "execution_id";
pub const METHOD: &str = "method";
pub const PATH: &str = "path";
pub const REQUEST_ID: &str = "request_id";
pub const SEQ: &str = "seq";
pub const SESSION: &str = "session";
pub const STATUS: &str = "status";
pub const TASK: &str = "task";
pub const TENANT_ID: &str = "tenant_id";
