//! Effects over real sockets and real processes.

mod addresses;
mod agents;
mod authentication;
mod commands;
mod http;
mod shell;
pub mod stand_in;

use callboard::clock::new_id;
use callboard::domain::{
    EffectCall, EffectOutcome, ExecutionId, Failure, HttpOutput, HttpRequest, LogLevel, ProcessReturn, ShellRequest,
};
use callboard::effects::{EffectContext, Effects, HttpOptions, Observer, Options, ShellOptions};
use serde_json::Value;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps what an observer gets to see, and lets a test wait for it.
#[derive(Default)]
struct Recorder {
    deltas: Mutex<Vec<String>>,
    logs: Mutex<Vec<(LogLevel, String)>>,
    changed: Notify,
}

impl Observer for Recorder {
    fn delta(&self, text: &str) {
        self.deltas.lock().unwrap().push(text.to_owned());
        self.changed.notify_waiters();
    }

    fn log(&self, level: LogLevel, message: &str, _metadata: Value) {
        self.logs.lock().unwrap().push((level, message.to_owned()));
        self.changed.notify_waiters();
    }
}

impl Recorder {
    fn text(&self) -> String {
        self.deltas.lock().unwrap().concat()
    }

    fn log_lines(&self) -> Vec<String> {
        self.logs.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// Waits until the text so far satisfies a condition.
    async fn wait_for(&self, condition: impl Fn(&str) -> bool) -> String {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let text = self.text();
                if condition(&text) {
                    return text;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("the awaited output did not come")
    }
}

/// One call with everything around it that a test may want to touch.
struct Call {
    recorder: Arc<Recorder>,
    context: EffectContext,
}

impl Call {
    fn new() -> Self {
        let recorder = Arc::new(Recorder::default());
        let context = EffectContext {
            execution_id: ExecutionId(new_id()),
            key: new_id(),
            deadline: None,
            cancellation: CancellationToken::new(),
            observer: recorder.clone(),
            traceparent: None,
        };
        Self { recorder, context }
    }

    fn with_deadline(mut self, after: Duration) -> Self {
        self.context.deadline = Some(Instant::now() + after);
        self
    }

    async fn perform(&self, effects: &Effects, call: EffectCall) -> EffectOutcome {
        // Spelled out, because it has to be possible to spawn an effect on any thread.
        let work: Pin<Box<dyn Future<Output = EffectOutcome> + Send + '_>> =
            Box::pin(effects.perform(call, self.context.clone()));
        tokio::time::timeout(PATIENCE, work).await.expect("the effect did not end")
    }
}

fn open_options() -> Options {
    Options {
        http: HttpOptions { allow_private: true, ..HttpOptions::default() },
        shell: ShellOptions { enabled: true, ..ShellOptions::default() },
    }
}

/// Effects that may reach the stand-ins on loopback and start processes.
fn open_effects() -> Effects {
    Effects::new(open_options()).unwrap()
}

fn get(uri: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        uri: uri.into(),
        headers: Vec::new(),
        query: Vec::new(),
        body: None,
        output: HttpOutput::Content,
        redirect: false,
        authentication: None,
    }
}

fn post(uri: &str, body: Value) -> HttpRequest {
    HttpRequest { method: "POST".into(), body: Some(body), ..get(uri) }
}

async fn fetch(effects: &Effects, request: HttpRequest) -> Result<Value, Failure> {
    Call::new().perform(effects, EffectCall::Http(Box::new(request))).await.result
}

fn shell(command: &str) -> ShellRequest {
    ShellRequest {
        command: command.into(),
        arguments: Vec::new(),
        stdin: None,
        environment: Vec::new(),
        returns: ProcessReturn::Stdout,
    }
}

async fn run(effects: &Effects, request: ShellRequest) -> Result<Value, Failure> {
    Call::new().perform(effects, EffectCall::Shell(Box::new(request))).await.result
}

/// `type` without its base, and `status`.
fn kind(failure: &Failure) -> (&str, u64) {
    let name = failure.error_type.rsplit('/').next().unwrap();
    (name, failure.status.as_u64().unwrap())
}
