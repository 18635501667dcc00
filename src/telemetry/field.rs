//! The names of fields in log lines. Used as `tracing::info!({ field::TASK } = %path, "…")`.

pub const EXECUTION_ID: &str = "execution_id";
pub const METHOD: &str = "method";
pub const PATH: &str = "path";
pub const REQUEST_ID: &str = "request_id";
pub const STATUS: &str = "status";
pub const TASK: &str = "task";
