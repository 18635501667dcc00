//! What the operator decides about effects. The settings of the service are turned into these by the start-up.

use super::address::Network;
use super::model_key::ModelKey;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that can be set. The defaults are those of `config/default.toml`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub http: HttpOptions,
    pub shell: ShellOptions,
}

/// `effects.http.*`: for `call: http`, model endpoints and token endpoints.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Whether loopback, private, link-local and metadata addresses may be connected to.
    pub allow_private: bool,
    /// Networks that may be connected to even so, for installations that need one inner service and not all of them.
    pub permitted_networks: Vec<Network>,
    /// Which environment variables may be sent to which model endpoints.
    pub model_keys: Vec<ModelKey>,
    /// How long a connection may take to come about, TLS included.
    pub connect_timeout: Duration,
    /// How long one request may take until its response is read completely.
    pub timeout: Duration,
    /// The largest response body that is read.
    pub response_limit_bytes: usize,
    /// Whether requests other than GET, HEAD, OPTIONS and TRACE carry an `Idempotency-Key` header.
    pub send_idempotency_key: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            allow_private: false,
            permitted_networks: Vec::new(),
            model_keys: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(300),
            response_limit_bytes: 8 * 1024 * 1024,
            send_idempotency_key: true,
        }
    }
}

/// `effects.shell.*`: for `run: shell` and agents with the `command` adapter.
#[derive(Clone, Debug)]
pub struct ShellOptions {
    /// Whether processes may be started at all.
    pub enabled: bool,
    /// Where they start; the service's own working directory when absent.
    pub working_directory: Option<PathBuf>,
    /// The largest standard output and the largest standard error that are kept, each.
    pub output_limit_bytes: usize,
    /// How long a process tree has between TERM and KILL.
    pub grace: Duration,
    /// Where running process trees are recorded, so that the next start of a killed service can end them. Nothing is
    /// recorded when absent.
    pub runtime_directory: Option<PathBuf>,
}

impl Default for ShellOptions {
    fn default() -> Self {
        Self {
            enabled: false,
            working_directory: None,
            output_limit_bytes: 1024 * 1024,
            grace: Duration::from_secs(2),
            runtime_directory: None,
        }
    }
}
