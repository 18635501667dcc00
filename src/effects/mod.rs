//! Hands: what an execution may ask the world for. HTTP requests, processes, agents.
//!
//! The actors call [`Effects::perform`] after the request is journaled and journal what it answers. This folder knows
//! nothing of journals, machines or tenants: it gets a call whose expressions are evaluated and whose agent is looked up,
//! performs it once, and maps everything that can go wrong to a [`Failure`] of the workflow language. It never retries;
//! retrying is the definition's business. The `instance` of a failure is set by the caller.

mod address;
mod agent;
mod client;
mod digest;
mod http;
mod model_key;
mod model_transport;
mod oauth;
mod options;
mod orphans;
mod process;
mod procfs;
mod shell;
mod text;
mod tree;

pub use address::{InvalidNetwork, Network, Outlook};
pub use agent::Forecast;
use model_key::Keys;
pub use model_key::{InvalidModelKey, ModelKey};
pub use options::{HttpOptions, Options, ShellOptions};

use crate::domain::{Adapter, EffectCall, EffectOutcome, ExecutionId, Failure, LogLevel, StandardType};
use client::Client;
use process::Processes;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Why the hands could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
    #[error("the runtime directory {path} cannot be used: {source}")]
    RuntimeDirectory { path: String, source: std::io::Error },
}

/// Gets to know what an effect produces while it runs. Called from the task that performs the effect: must not block.
pub trait Observer: Send + Sync {
    /// The next piece of the output. The pieces in order are the text of the final output, which alone is journaled.
    fn delta(&self, text: &str);
    /// One log line, such as a line of standard error.
    fn log(&self, level: LogLevel, message: &str, metadata: Value);
}

/// An observer that nobody listens to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn delta(&self, _text: &str) {}
    fn log(&self, _level: LogLevel, _message: &str, _metadata: Value) {}
}

/// The circumstances of one call.
#[derive(Clone)]
pub struct EffectContext {
    pub execution_id: ExecutionId,
    /// The idempotency key: the same for every attempt to perform the same scheduled effect.
    pub key: Uuid,
    /// When the effect has to be over at the latest. Reaching it is a `timeout` failure.
    pub deadline: Option<Instant>,
    /// Ends the effect. The outcome is then a `runtime` failure that nobody will look at.
    pub cancellation: CancellationToken,
    pub observer: Arc<dyn Observer>,
    /// W3C trace context, handed on to servers (`traceparent`) and processes (`TRACEPARENT`).
    pub traceparent: Option<String>,
}

/// Performs effects. One per service; cheap to share behind an `Arc`.
pub struct Effects {
    client: Client,
    model_keys: Vec<ModelKey>,
    processes: Processes,
    /// Whether what is left is ended with the service. What it comes to then is the service's own doing, and no outcome.
    is_ending: AtomicBool,
}

impl Effects {
    /// Makes the hands ready, and ends what an earlier run of the service left behind: process trees recorded in
    /// `options.shell.runtime_directory` whose service is gone. Blocks for the milliseconds this takes.
    pub fn new(options: Options) -> Result<Self, Error> {
        let model_keys = options.http.model_keys.clone();
        let client = Client::new(options.http)?;
        let processes = Processes::new(options.shell)?;
        Ok(Self { client, model_keys, processes, is_ending: AtomicBool::new(false) })
    }

    /// Performs one call and waits for its end, its cancellation or its deadline.
    ///
    /// When it returns, nothing of the effect is left: connections are closed and process trees are gone. Dropping the
    /// future ends the effect, too, only that a process tree is then killed in the background. At the end of the service it
    /// does not return.
    pub async fn perform(&self, call: EffectCall, context: EffectContext) -> EffectOutcome {
        let outcome = self.perform_now(call, context).await;
        if self.is_ending.load(Ordering::SeqCst) {
            // The next start of the service asks again.
            return std::future::pending().await;
        }
        outcome
    }

    async fn perform_now(&self, call: EffectCall, context: EffectContext) -> EffectOutcome {
        match call {
            EffectCall::Agent { agent, request, key } => match agent.adapter {
                Adapter::Builtin => agent::builtin::perform(&agent, *request, &context).await,
                Adapter::Command => {
                    Box::pin(agent::command::perform(&self.processes, &agent, *request, &context)).await
                }
                Adapter::Openai => {
                    let secret = key.as_ref().and_then(|key| key.value().as_str());
                    let keys = Keys { permitted: &self.model_keys, secret };
                    let work = Box::pin(agent::openai::perform(&self.client, keys, &agent, *request, &context));
                    bounded(work, &context).await
                }
            },
            EffectCall::Http(request) => {
                let work = Box::pin(http::perform(&self.client, *request, &context));
                bounded(async { outcome(work.await) }, &context).await
            }
            EffectCall::Shell(request) => outcome(Box::pin(shell::perform(&self.processes, *request, &context)).await),
        }
    }

    /// What would become of a request to an address. Nothing is sent.
    pub async fn look_at(&self, address: &str) -> Outlook {
        self.client.look_at(address).await
    }

    /// Kills every process tree at once, without asking it first. For a service that is told to end a second time; blocks
    /// until they are gone. Only finds what is recorded in `options.shell.runtime_directory`.
    pub fn kill(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        self.processes.kill();
    }

    /// Ends every process tree that is still there and returns when none is left. For the end of the service: effects that are
    /// still running have no outcome any more, new processes are refused.
    pub async fn close(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
        self.processes.close().await;
    }
}

fn outcome(result: Result<Value, Failure>) -> EffectOutcome {
    EffectOutcome { result, usage: None }
}

/// Runs `work` until it is done, cancelled or out of time. Dropping it is what ends it.
async fn bounded(work: impl Future<Output = EffectOutcome>, context: &EffectContext) -> EffectOutcome {
    tokio::select! {
        biased;
        failure = context.interrupted() => outcome(Err(failure)),
        finished = work => finished,
    }
}

impl EffectContext {
    /// Waits for the reason to stop early and says which one it was: the cancellation or the deadline.
    async fn interrupted(&self) -> Failure {
        let out_of_time = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.cancellation.cancelled() => {
                Failure::new(StandardType::Runtime, "Cancelled", "the effect was cancelled before it was finished")
            }
            () = out_of_time => Failure::new(
                StandardType::Timeout,
                "Deadline reached",
                "the effect was not finished at its deadline and was ended",
            )
            .retryable(true),
        }
    }
}
