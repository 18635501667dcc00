//! Every setting: name, type, default and what it means. To add one, add a line here and run `make generate`.

use super::Problem;
use super::layers::{Environment, Layers};
use super::networks::Networks;
use super::origin::Origins;
use super::providers::{Named, Provider};
use super::reference::{Key, Section, section};
use super::value::{ConnectionUrl, SecretText, words};

/// All settings, one field per section.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which file lay over the defaults; not a key of its own.
    pub environment: Environment,
    /// Whether somebody has named it, and it is not just the default.
    pub is_environment_chosen: bool,
    pub server: Server,
    pub store: Store,
    pub secrets: Secrets,
    pub engine: Engine,
    pub identity: Identity,
    pub providers: Vec<Named>,
    pub limits: Limits,
    pub rate_limits: RateLimits,
    pub effects: Effects,
    pub live: Live,
    pub retention: Retention,
    pub telemetry: Telemetry,
}

/// The settings below `effects`.
#[derive(Clone, Debug)]
pub struct Effects {
    pub http: EffectsHttp,
    pub shell: EffectsShell,
}

impl Settings {
    /// All sections in the order of the reference.
    pub(super) const SECTIONS: &[Section] = &[
        Server::SECTION,
        Store::SECTION,
        Secrets::SECTION,
        Engine::SECTION,
        Identity::SECTION,
        Provider::SECTION,
        Limits::SECTION,
        RateLimits::SECTION,
        EffectsHttp::SECTION,
        EffectsShell::SECTION,
        Live::SECTION,
        Retention::SECTION,
        Telemetry::SECTION,
    ];

    pub(super) fn read(layers: &Layers, problems: &mut Vec<Problem>) -> Self {
        Self {
            environment: layers.environment,
            is_environment_chosen: layers.is_environment_chosen,
            server: Server::read(layers, problems),
            store: Store::read(layers, problems),
            secrets: Secrets::read(layers, problems),
            engine: Engine::read(layers, problems),
            identity: Identity::read(layers, problems),
            providers: Named::read_all(layers, problems),
            limits: Limits::read(layers, problems),
            rate_limits: RateLimits::read(layers, problems),
            effects: Effects { http: EffectsHttp::read(layers, problems), shell: EffectsShell::read(layers, problems) },
            live: Live::read(layers, problems),
            retention: Retention::read(layers, problems),
            telemetry: Telemetry::read(layers, problems),
        }
    }

    /// The values in force as a file that could be loaded again; passwords are replaced by `***`.
    pub fn to_toml(&self) -> String {
        let Self {
            environment: _,
            is_environment_chosen: _,
            server,
            store,
            secrets,
            engine,
            identity,
            providers,
            limits,
            rate_limits,
            effects,
            live,
            retention,
            telemetry,
        } = self;
        let Effects { http, shell } = effects;
        let sections = [
            server.to_toml(),
            store.to_toml(),
            secrets.to_toml(),
            engine.to_toml(),
            identity.to_toml(),
            providers.iter().map(Named::to_toml).collect::<Vec<_>>().join("\n"),
            limits.to_toml(),
            rate_limits.to_toml(),
            http.to_toml(),
            shell.to_toml(),
            live.to_toml(),
            retention.to_toml(),
            telemetry.to_toml(),
        ];
        sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

section! {
    /// The door: HTTP, WebSocket and server-sent events.
    Server "server" {
        /// The address to listen on; `0.0.0.0` or `::` means every address of the machine. Beyond loopback the service needs
        /// `public_urls` and `identity.signing_keys`.
        host: String = "127.0.0.1",
        /// The port to listen on; 0 takes a free one.
        port: u16 = 8080,
        /// The addresses under which people reach the service, separated by commas, as in `https://callboard.example.com`: the
        /// first one stands in links. It answers under these and, in plain HTTP, under loopback names; other names are refused.
        public_urls: Origins = "",
        /// Networks of the proxies in front of the service, separated by commas, as in `127.0.0.1, 10.1.0.0/16`: what they say
        /// about the address of a client is believed.
        trusted_proxies: Networks = "",
        /// The header in which trusted proxies say it: `x-forwarded-for` or `forwarded`. The other one is never read.
        forwarded_header: ForwardedHeader = "x-forwarded-for",
        /// Threads that serve HTTP; 0 means one per core.
        workers: usize = 0,
        /// The largest request body. A larger one is answered with 413.
        body_limit_bytes: usize = 1_048_576,
        /// How long a client may take to send the head of its request.
        header_timeout_ms: u64 = 5_000,
        /// How long a client may take to send the body of its request. A slower one is answered with 408.
        body_timeout_ms: u64 = 30_000,
        /// How long an idle connection is kept open for the next request.
        keep_alive_seconds: u64 = 75,
        /// On SIGTERM or Ctrl-C: how long running effects may take to finish. What is left continues after the next start.
        shutdown_grace_seconds: u64 = 20,
    }
}

section! {
    /// The memory: where executions, workflows and agents are kept.
    Store "store" {
        /// `sqlite:` and a file, or `postgres://user:password@host/database`. The scheme selects the database.
        url: ConnectionUrl = "sqlite:data/callboard.db",
        /// Where values above 64 KiB are kept. `database` is the only choice in this version.
        blobs: Blobs = "database",
        /// Connections that read at the same time; writing has one of its own.
        readers: u32 = 4,
        /// For tests of recovery: where to fail on purpose, as in `journal_before_commit@40=abort`. Empty means nowhere.
        failure_points: String = "",
    }
}

section! {
    /// The safe: the keys that secrets are encrypted with.
    Secrets "secrets" {
        /// Keys as `id=base64`, separated by commas, 32 bytes each. The first one encrypts, the others only open what is older. Goes before the file.
        keys: SecretText = "",
        /// A file with such keys, one per line. Empty means `secrets.key` beside the database (with PostgreSQL: in `data`).
        key_file: String = "",
        /// Whether a key file that is missing is made, with a fresh key. Otherwise nothing can be encrypted or read without one.
        generate_key: bool = false,
    }
}

section! {
    /// The life: how many executions run, and what happens when one crashes.
    Engine "engine" {
        /// Executions that run at the same time. Parked ones (waiting for a timer) do not count.
        max_running: usize = 1_000,
        /// Executions that may wait for a slot. Further submissions are answered with 429 and `Retry-After`.
        max_queued: usize = 100_000,
        /// Threads that drive executions; 0 means one per core.
        arbiters: usize = 0,
        /// An execution that has been waiting this long leaves memory; its timer brings it back.
        passivate_after_ms: u64 = 1_000,
        /// A crashed execution is started again this many times within the window; one crash more fails it.
        restart_limit: u32 = 3,
        /// The window in which crashes are counted.
        restart_window_seconds: u64 = 60,
        /// After this many events the state of a long execution is stored, so that recovery reads a short tail.
        snapshot_every_events: u64 = 500,
    }
}

section! {
    /// Who asks: signing in, and the tokens that follow from it.
    Identity "identity" {
        /// Secrets that sign access tokens, separated by commas, each of at least 32 characters: the first one signs, all
        /// are accepted. Empty (in development only): one is generated and kept in `directory`.
        signing_keys: SecretText = "",
        /// Where the generated signing key and the token of the first sign-in are kept, readable by the service only.
        directory: String = "data",
        /// How long an access token is good; it is renewed without a password.
        access_token_seconds: u64 = 900,
        /// How long a live session goes on after its token has expired, for a fresh one to come.
        renewal_seconds: u64 = 30,
        /// For how long a refresh token may come a second time without being taken for stolen: two windows of a browser
        /// may refresh at the same time.
        refresh_grace_seconds: u64 = 10,
        /// How long somebody stays signed in.
        session_days: u64 = 30,
    }
}

section! {
    /// What a tenant may take unless it has limits of its own. 0 means no limit but those of the service.
    Limits "limits" {
        /// Executions of a tenant that run at the same time.
        max_running_executions: u64 = 0,
        /// Executions of a tenant that may wait. Further submissions are answered with 429 and `Retry-After`.
        max_queued_executions: u64 = 50_000,
        /// Tokens that model calls of a tenant may use in a calendar month (UTC), all kinds together.
        max_tokens_per_month: u64 = 500_000,
        /// US dollars that model calls of a tenant may cost in a calendar month (UTC), as far as their prices are known.
        max_cost_per_month: f64 = 0.0,
    }
}

section! {
    /// How many requests are answered. 0 means any number, which is what development settings say.
    RateLimits "rate_limits" {
        /// Requests per minute of one principal, in whatever rhythm. Further ones are answered with 429 and `Retry-After`.
        per_principal: u32 = 6_000,
        /// Requests per minute of one address (of one /64 network for IPv6). Behind a proxy: see `server.trusted_proxies`.
        per_address: u32 = 12_000,
        /// Principals and addresses that are remembered, each; those beyond share one limit.
        max_keys: usize = 100_000,
    }
}

section! {
    /// `call: http` and agents that are reached over HTTP.
    EffectsHttp "effects.http" {
        /// Whether loopback, private and link-local addresses may be called. Cloud metadata addresses are among them.
        allow_private: bool = false,
        /// Networks that may be called even so, separated by commas, as in `10.1.0.0/16, fd12::/48, 10.2.0.7`.
        permitted_networks: String = "",
        /// Environment variables of the service that agents may use as the key of a model endpoint, each with the origin it may
        /// be sent to, separated by commas, as in `OPENAI_API_KEY=https://api.openai.com, LOCAL_KEY=http://10.1.2.3:8000`.
        model_keys: String = "OPENAI_API_KEY=https://api.openai.com",
        /// How long it may take to connect.
        connect_timeout_ms: u64 = 10_000,
        /// How long a whole request may take, unless the timeout of its task ends it earlier.
        timeout_ms: u64 = 300_000,
        /// The largest response body that is read.
        response_limit_bytes: usize = 8_388_608,
        /// Whether requests that may change something carry an `Idempotency-Key`, the same one after a crash.
        send_idempotency_key: bool = true,
    }
}

section! {
    /// `run: shell` and agents that are command-line programs.
    EffectsShell "effects.shell" {
        /// Whether workflows may start processes. They run with the rights of the service.
        enabled: bool = false,
        /// After a cancel or timeout: how long processes may take to end after TERM before they get KILL.
        grace_ms: u64 = 2_000,
        /// How much of standard output and of standard error is kept, each.
        output_limit_bytes: usize = 1_048_576,
        /// Where commands start; empty means the folder in which the service was started.
        working_directory: String = "",
        /// Where the service notes which processes it has started, so that it can end them after a crash of its own.
        runtime_directory: String = "data/processes",
    }
}

section! {
    /// Live updates over WebSocket and server-sent events.
    Live "live" {
        /// Frames that may wait for one subscriber. One that falls behind catches up from the journal.
        mailbox: usize = 256,
        /// The global feed sends the latest state of an execution at most once in this time.
        conflation_ms: u64 = 50,
        /// How often an open connection is probed; two probes without an answer end it.
        heartbeat_seconds: u64 = 30,
        /// Sockets and streams that may be open for a tenant at the same time. Further ones are answered with 429.
        max_sessions_per_tenant: usize = 10_000,
    }
}

section! {
    /// How long finished executions are kept, unless a tenant has decided otherwise. An execution that either limit lets go
    /// is deleted with its journal, logs and children; it stays as long as one of its children does.
    Retention "retention" {
        /// Days after which succeeded executions are deleted; 0 keeps them for ever.
        succeeded_days: u32 = 30,
        /// How many of the newest succeeded executions are kept; 0 keeps any number.
        succeeded_count: u32 = 0,
        /// Days after which failed executions are deleted; 0 keeps them for ever.
        failed_days: u32 = 90,
        /// How many of the newest failed executions are kept; 0 keeps any number.
        failed_count: u32 = 0,
        /// Days after which cancelled executions are deleted; 0 keeps them for ever.
        cancelled_days: u32 = 30,
        /// How many of the newest cancelled executions are kept; 0 keeps any number.
        cancelled_count: u32 = 0,
        /// Days for which usage records (tokens and costs) outlive their execution; 0 keeps them for ever.
        usage_days: u32 = 400,
        /// Seconds between two rounds of deleting; 0 deletes only on request.
        interval_seconds: u64 = 3_600,
    }
}

section! {
    /// What the service says about itself.
    Telemetry "telemetry" {
        /// `human` for a terminal, `json` for machines. Both go to standard error.
        format: LogFormat = "human",
        /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,callboard=debug`.
        level: String = "info,actix_server=warn,actix_http::h1=off",
        /// A folder with reports of `callboard bench` and `callboard chaos`, as `--json` writes them: operators see them in the
        /// dashboard. Empty means `reports` beside the database (with PostgreSQL: in `data`).
        reports: String = "",
    }
}

words! {
    /// Where values that are too large for a row are kept.
    Blobs {
        /// In a table of the database, by the digest of their content.
        Database = "database",
    }
}

words! {
    /// Where a proxy says for whom it asks.
    ForwardedHeader {
        /// One address after the other, each proxy adding the one it was asked by.
        XForwardedFor = "x-forwarded-for",
        /// The same with more words: RFC 7239.
        Forwarded = "forwarded",
    }
}

words! {
    /// The form of log lines.
    LogFormat {
        Human = "human",
        Json = "json",
    }
}
