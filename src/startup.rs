//! Start and stop of the service: the only place that wires everything together.
//!
//! Start: store (with its migrations), effects, engine (which takes over what is open), HTTP. Stop: no new work is taken,
//! running effects get a grace period, sessions get a goodbye, the door closes, processes end, the writer empties its queue.

use crate::actors::{self, Engine, LiveOptions, Parts, UpkeepOptions};
use crate::clock::{Clock, SystemClock};
use crate::domain::quota::Limits;
use crate::effects::{self, Effects};
use crate::failure_points::FailurePoints;
use crate::http;
use crate::identity::{self, FirstSignIn, Identity};
use crate::settings::{self, Settings};
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use crate::vault::{self, Keys, Vault};
use actix_web::dev::Server;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

mod files;
mod people;

pub use people::identity_options;
use people::{keep_tidy, start_identity};

/// How many compiled definitions are kept.
const PROGRAM_CACHE: usize = 1_000;
/// The exit code of a process that was interrupted a second time.
pub const INTERRUPTED: i32 = 130;

/// Why the service does not start or ends with an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the store cannot be opened: {0}")]
    Store(#[from] store::Error),
    #[error("secrets cannot be kept: {0}")]
    Vault(#[from] vault::Error),
    #[error("effects cannot be performed: {0}")]
    Effects(#[from] effects::Error),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: String, source: std::io::Error },
    #[error("the HTTP server failed: {0}")]
    Server(#[from] std::io::Error),
    #[error("effects.http.permitted_networks: {0}")]
    Network(#[from] effects::InvalidNetwork),
    #[error("effects.http.model_keys: {0}")]
    ModelKey(#[from] effects::InvalidModelKey),
    #[error(transparent)]
    Settings(#[from] settings::Invalid),
    #[error("nobody could sign in: {0}")]
    Identity(#[from] identity::Error),
    #[error("store.failure_points: {0}")]
    FailurePoints(String),
    #[error("{0}; it ends, and goes on with its next start")]
    Lost(&'static str),
}

/// Runs what needs actors to the end, on this thread.
pub fn block_on<F: Future>(work: F) -> F::Output {
    actix::System::new().block_on(work)
}

/// The parts of a service without its door: what `serve` and `run` have in common.
pub struct Core {
    pub engine: Engine,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<dyn Clock>,
    vault: Vault,
    effects: Arc<Effects>,
    store: Store,
}

impl Core {
    /// Opens the store, makes the effects ready, starts the engine. Needs to be called inside an actix system.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(settings: &Settings, clock: Arc<dyn Clock>, since: Instant) -> Result<Self, Error> {
        Self::start_with(settings, clock, since, Vec::new()).await
    }

    /// Like [`Core::start`] with secrets, by name, that go before those of the store and are never stored.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start_with(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        since: Instant,
        secrets: Vec<(String, Value)>,
    ) -> Result<Self, Error> {
        actors::install_panic_hook();
        let points: FailurePoints = settings.store.failure_points.parse().map_err(Error::FailurePoints)?;
        let options = store_options(settings, &points);
        let store_clock = Arc::clone(&clock);
        let store = blocking(move || Store::open(&options, store_clock)).await?;
        let source = files::key_source(settings);
        let keys = blocking(move || Keys::load(&source)).await?;
        let vault = Vault::new(store.clone(), Arc::clone(&clock), keys, secrets);
        vault.check().await?;
        let options = effect_options(&settings.effects)?;
        let effects = Arc::new(blocking(move || Effects::new(options)).await?);
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            store: store.clone(),
            vault: vault.clone(),
            effects: Arc::clone(&effects),
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            options: engine_options(settings, points),
        };
        let engine = Engine::start(parts, since).await?;
        Ok(Self { engine, metrics, clock, vault, effects, store })
    }

    /// The hands, for who has to end their processes without waiting.
    pub fn effects(&self) -> Arc<Effects> {
        Arc::clone(&self.effects)
    }

    /// Resolves when the service cannot go on, with the reason: what is left of it would only look alive.
    async fn lost(&self) -> Error {
        tokio::select! {
            () = self.engine.ended() => Error::Lost("a fault has ended a vital part of the service"),
            () = self.store.lost() => Error::Lost("the service has lost its database to another process"),
        }
    }

    /// Ends everything in order; running effects get `grace` to finish.
    pub async fn stop(self, grace: Duration) {
        self.engine.close(grace).await;
        self.finish().await;
    }

    async fn finish(self) {
        self.effects.close().await;
        self.engine.end();
        self.store.close().await;
    }
}

/// A running service.
pub struct Application {
    core: Core,
    identity: Identity,
    first_sign_in: Option<FirstSignIn>,
    server: Server,
    address: SocketAddr,
    public_url: Option<String>,
    grace: Duration,
}

impl Application {
    /// Builds the service and binds its port. It answers when [`Application::run_until_stopped`] is awaited.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn build(settings: &Settings) -> Result<Self, Error> {
        let since = Instant::now();
        settings.check_service()?;
        let providers = people::providers(settings)?;
        let listener = listen(&settings.server)?;
        let address = listener.local_addr()?;
        let core = Core::start(settings, Arc::new(SystemClock), since).await?;
        let identity = start_identity(settings, &core, providers).await?;
        let first_sign_in = identity.first_start().await?;
        let service = http::Service {
            engine: core.engine.clone(),
            identity: identity.clone(),
            vault: core.vault.clone(),
            clock: Arc::clone(&core.clock),
            metrics: Arc::clone(&core.metrics),
            throttle: http::Throttle::new(&settings.rate_limits),
            origins: http::Origins::new(&settings.server.public_urls),
            proxies: http::Proxies::new(&settings.server),
            body_limit_bytes: settings.server.body_limit_bytes,
            body_timeout: Duration::from_millis(settings.server.body_timeout_ms),
            boards: http::Boards::default(),
            heartbeat: Duration::from_secs(settings.live.heartbeat_seconds),
            renewal: Duration::from_secs(settings.identity.renewal_seconds),
            seats: http::Seats::new(settings.live.max_sessions_per_tenant),
            reports: files::reports_folder(settings),
        };
        let server = http::server(listener, &settings.server, service)?;
        let grace = Duration::from_secs(settings.server.shutdown_grace_seconds);
        let public_url = settings.server.public_urls.0.first().map(ToString::to_string);
        Ok(Self { core, identity, first_sign_in, server, address, public_url, grace })
    }

    /// The port it listens on; the real one when the settings said 0.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where it listens, for people.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address under which people reach it; where it listens, when the settings name none.
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| self.url())
    }

    pub fn engine(&self) -> &Engine {
        &self.core.engine
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The way in for the first operator, as long as there is none with a password.
    pub fn first_sign_in(&self) -> Option<&FirstSignIn> {
        self.first_sign_in.as_ref()
    }

    /// Serves until SIGTERM, SIGINT (Ctrl-C) or `stop` resolves, then stops gracefully.
    ///
    /// # Errors
    /// When the server fails, or a part without which nothing works has ended by a fault, or another process has taken the
    /// database over.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { core, identity, server, grace, .. } = self;
        let handle = server.handle();
        let mut serving = actix::spawn(server);
        let upkeep = tokio::spawn(keep_tidy(identity.clone()));
        let (outcome, grace) = tokio::select! {
            result = &mut serving => (result.unwrap_or(Ok(())).map_err(Error::from), grace),
            () = stop => (Ok(()), grace),
            // What its effects come to can be noted no more.
            lost = core.lost() => (Err(lost), Duration::ZERO),
        };
        tracing::info!("stopping");
        core.engine.close(grace).await;
        if !serving.is_finished() {
            handle.stop(outcome.is_ok()).await;
        }
        upkeep.abort();
        identity.close().await;
        core.finish().await;
        outcome
    }

    /// Serves until SIGTERM or Ctrl-C, then stops gracefully. A second signal ends the process at once, and what it has
    /// started with it.
    ///
    /// # Errors
    /// When the server fails or signals cannot be received.
    pub async fn run_until_stopped(self) -> Result<(), Error> {
        let mut signals = Signals::new()?;
        let effects = self.core.effects();
        self.run_until(async move {
            signals.next().await;
            // The same receivers: a signal that comes before this task runs is not lost.
            tokio::spawn(async move {
                signals.next().await;
                effects.kill();
                std::process::exit(INTERRUPTED);
            });
        })
        .await
    }
}

/// SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Receives both from now on; neither ends the process any more.
    ///
    /// # Errors
    /// When the system has no room for another receiver.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves at the next one of either.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn listen(settings: &settings::Server) -> Result<TcpListener, Error> {
    let address = format!("{}:{}", bracketed(&settings.host), settings.port);
    let failed = |source| Error::Listen { address: address.clone(), source };
    let candidates: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.collect();
    let listener = TcpListener::bind(candidates.as_slice()).map_err(failed)?;
    Ok(listener)
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

async fn blocking<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn store_options(settings: &Settings, points: &FailurePoints) -> store::Options {
    let Settings { store, limits, .. } = settings;
    // The only choice in this version: there is nothing to pass on.
    let settings::Blobs::Database = store.blobs;
    let mut options = store::Options::new(store.url.expose());
    options.readers = store.readers;
    options.default_limits = default_limits(limits);
    options.failure_points = points.clone();
    options
}

fn default_limits(settings: &settings::Limits) -> Limits {
    let limit = |count: u64| (count > 0).then_some(count);
    Limits {
        max_running_executions: limit(settings.max_running_executions),
        max_queued_executions: limit(settings.max_queued_executions),
        max_tokens_per_month: limit(settings.max_tokens_per_month),
        max_cost_per_month: Some(settings.max_cost_per_month).filter(|cost| *cost > 0.0),
    }
}

/// What is written between commas.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn effect_options(settings: &settings::Effects) -> Result<effects::Options, Error> {
    let settings::Effects { http, shell } = settings;
    let folder = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
    Ok(effects::Options {
        http: effects::HttpOptions {
            allow_private: http.allow_private,
            connect_timeout: Duration::from_millis(http.connect_timeout_ms),
            timeout: Duration::from_millis(http.timeout_ms),
            permitted_networks: items(&http.permitted_networks).map(str::parse).collect::<Result<_, _>>()?,
            model_keys: items(&http.model_keys).map(str::parse).collect::<Result<_, _>>()?,
            response_limit_bytes: http.response_limit_bytes,
            send_idempotency_key: http.send_idempotency_key,
        },
        shell: effects::ShellOptions {
            enabled: shell.enabled,
            working_directory: folder(&shell.working_directory),
            output_limit_bytes: shell.output_limit_bytes,
            grace: Duration::from_millis(shell.grace_ms),
            runtime_directory: folder(&shell.runtime_directory),
        },
    })
}

fn engine_options(settings: &Settings, failure_points: FailurePoints) -> actors::Options {
    let engine = &settings.engine;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    actors::Options {
        max_running: engine.max_running,
        max_queued: engine.max_queued,
        arbiters: if engine.arbiters == 0 { cores } else { engine.arbiters },
        passivate_after_ms: engine.passivate_after_ms,
        restart_limit: usize::try_from(engine.restart_limit).unwrap_or(usize::MAX),
        restart_window_seconds: engine.restart_window_seconds,
        snapshot_every_events: engine.snapshot_every_events,
        program_cache: PROGRAM_CACHE,
        live: LiveOptions {
            mailbox: settings.live.mailbox,
            conflation_ms: settings.live.conflation_ms,
            heartbeat_seconds: settings.live.heartbeat_seconds,
        },
        upkeep: UpkeepOptions::from(&settings.retention),
        failure_points,
    }
}
