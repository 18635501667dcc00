//! Settings: typed, documented, layered, and refused with every problem at once.
//!
//! The list of keys lives in [`keys`]; their doc comments are the comments of `config/default.toml` and the table of the
//! operator guide. [`Settings::load`] lays the layers over each other:
//!
//! 1. the defaults (`config/default.toml`, also embedded in the binary),
//! 2. the file of the environment, `config/development.toml` or `config/production.toml` (also embedded),
//! 3. variables such as `CALLBOARD__SERVER__PORT`,
//! 4. flags of the command line.
//!
//! Whoever starts something (`cli/`, `startup`) loads the settings; everybody else gets the values handed in.

mod exposure;
mod keys;
mod layers;
mod networks;
mod origin;
mod providers;
mod reference;
mod value;

pub use keys::{
    Blobs, Effects, EffectsHttp, EffectsShell, Engine, ForwardedHeader, Identity, Limits, Live, LogFormat, RateLimits,
    Retention, Server,
};
pub use keys::{Secrets, Settings, Store, Telemetry};
pub use layers::{Environment, Sources};
pub use networks::Networks;
pub use origin::{Origin, Origins, Scheme};
pub use providers::{Named, Provider};
pub use reference::{default_toml, reference_table};
pub use value::{ConnectionUrl, SecretText, Texts};

use std::fmt;
use std::net::IpAddr;

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key, or the file that could not be read.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// The settings cannot be used; all problems are listed.
#[derive(Debug, thiserror::Error)]
#[error("{}", list(.problems))]
pub struct Invalid {
    pub problems: Vec<Problem>,
}

fn list(problems: &[Problem]) -> String {
    let count = match problems.len() {
        1 => "the settings have a problem:".to_owned(),
        several => format!("the settings have {several} problems:"),
    };
    problems.iter().fold(count, |text, problem| format!("{text}\n  {problem}"))
}

impl Settings {
    /// Reads all layers and checks them.
    ///
    /// # Errors
    /// [`Invalid`] with every unreadable file, unknown key, wrong type and impossible value.
    pub fn load(sources: &Sources) -> Result<Self, Invalid> {
        let mut problems = Vec::new();
        let layers = sources.read(&mut problems);
        let settings = Self::read(&layers, &mut problems);
        if problems.is_empty() {
            problems = settings.validate();
        }
        if problems.is_empty() { Ok(settings) } else { Err(Invalid { problems }) }
    }

    /// Every value that has the right type and still cannot work.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem { key: key.to_owned(), message: message.to_owned() });
            }
        };
        require(
            !self.server.host.trim().is_empty(),
            "server.host",
            "must be an address of this machine, as in `127.0.0.1`, or `0.0.0.0` for all of them",
        );
        require(self.server.body_limit_bytes >= 1024, "server.body_limit_bytes", "must be at least 1024");
        require(self.server.header_timeout_ms >= 1, "server.header_timeout_ms", "must be at least 1");
        require(
            self.store.url.is_supported(),
            "store.url",
            "must begin with `sqlite:` (a file, as in `sqlite:data/callboard.db`) or `postgres://`",
        );
        require(self.store.readers >= 1, "store.readers", "must be at least 1");
        require(self.engine.max_running >= 1, "engine.max_running", "must be at least 1: nothing would ever start");
        require(
            self.engine.max_queued >= 1,
            "engine.max_queued",
            "must be at least 1: every submission would be refused",
        );
        require(self.engine.restart_window_seconds >= 1, "engine.restart_window_seconds", "must be at least 1");
        require(self.engine.snapshot_every_events >= 1, "engine.snapshot_every_events", "must be at least 1");
        require(self.effects.shell.output_limit_bytes >= 1, "effects.shell.output_limit_bytes", "must be at least 1");
        require(self.effects.http.connect_timeout_ms >= 1, "effects.http.connect_timeout_ms", "must be at least 1");
        require(self.effects.http.timeout_ms >= 1, "effects.http.timeout_ms", "must be at least 1");
        require(self.effects.http.response_limit_bytes >= 1, "effects.http.response_limit_bytes", "must be at least 1");
        require(
            self.identity.each_signing_key().all(|key| key.chars().count() >= MIN_SIGNING_KEY_CHARACTERS),
            "identity.signing_keys",
            "each must have at least 32 characters, as from `openssl rand -hex 32`",
        );
        require(self.identity.access_token_seconds >= 1, "identity.access_token_seconds", "must be at least 1");
        require(self.identity.session_days >= 1, "identity.session_days", "must be at least 1");
        require(self.live.mailbox >= 1, "live.mailbox", "must be at least 1");
        require(self.live.heartbeat_seconds >= 1, "live.heartbeat_seconds", "must be at least 1");
        require(self.live.max_sessions_per_tenant >= 1, "live.max_sessions_per_tenant", "must be at least 1");
        require(
            (0.0..=f64::from(u32::MAX)).contains(&self.limits.max_cost_per_month),
            "limits.max_cost_per_month",
            "must not be negative",
        );
        require(self.rate_limits.max_keys >= 1, "rate_limits.max_keys", "must be at least 1");
        require(
            tracing_subscriber::EnvFilter::try_new(&self.telemetry.level).is_ok(),
            "telemetry.level",
            "must be `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,callboard=debug`",
        );
        problems.extend(self.providers.iter().flat_map(Named::problems));
        problems
    }
}

/// A shorter secret might be guessed.
const MIN_SIGNING_KEY_CHARACTERS: usize = 32;

impl Identity {
    /// The signing keys, the one that signs first.
    pub fn each_signing_key(&self) -> impl Iterator<Item = &str> {
        self.signing_keys.expose().split(',').map(str::trim).filter(|key| !key.is_empty())
    }
}

/// Whether only the own machine can reach what listens there.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
