//! The exit notice: however an execution actor ends, its supervisor hears of it once, with the reason.

use super::execution::ToExecution;
use super::notices::Exited;
use super::supervisor::Supervisor;
use crate::domain::{Creation, ExecutionId, Failure, ParentLink, Status, Timestamp};
use crate::telemetry;
use actix::Addr;
use serde_json::Value;
use std::any::Any;
use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    /// What the last panic of this thread said; written by the panic hook, taken by the guard that unwinds.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Why an actor ended.
pub enum Exit {
    /// The execution reached a terminal status. A parent that waits for it gets the outcome.
    Finished { parent: Option<Box<ChildOutcome>> },
    /// Parked: nothing to do before `wake_at`.
    Passivated { wake_at: Option<Timestamp> },
    /// The service is stopping.
    Stopped,
    /// Another owner has raised the epoch; this one must not write any more.
    Fenced,
    /// The first append of a new execution was not acknowledged: it may or may not be stored.
    Unacknowledged,
    /// The database does not take what it had decided, although it takes other writes. Cancellations go on to its successor.
    Refused { reason: String, commands: Vec<ToExecution> },
    /// By a panic, or because the store refused for good what it had decided.
    Crashed { message: String },
}

/// The outcome of a child for the task of its parent.
#[derive(Debug)]
pub struct ChildOutcome {
    pub parent: ParentLink,
    pub status: Status,
    pub output: Option<Value>,
    pub error: Option<Failure>,
}

impl ChildOutcome {
    /// None unless it is a child that its parent waits for.
    pub fn of(creation: &Creation, status: Status, output: Option<Value>, error: Option<Failure>) -> Option<Box<Self>> {
        let parent = creation.parent.clone().filter(|link| link.awaited)?;
        Some(Box::new(Self { parent, status, output, error }))
    }
}

/// Sends the exit notice when the actor is dropped, also while unwinding from a panic.
pub struct ExitGuard {
    id: ExecutionId,
    epoch: u32,
    supervisor: Addr<Supervisor>,
    exit: Option<Exit>,
}

impl ExitGuard {
    pub fn new(id: ExecutionId, epoch: u32, supervisor: Addr<Supervisor>) -> Self {
        Self { id, epoch, supervisor, exit: None }
    }

    /// Says how the actor is about to end. The first reason stands.
    pub fn set(&mut self, exit: Exit) {
        self.exit.get_or_insert(exit);
    }

    /// Whether it is about to end.
    pub fn is_set(&self) -> bool {
        self.exit.is_some()
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        let exit = if std::thread::panicking() {
            Exit::Crashed { message: last_panic() }
        } else {
            self.exit.take().unwrap_or(Exit::Stopped)
        };
        self.supervisor.do_send(Exited { id: self.id, epoch: self.epoch, exit });
    }
}

/// What the panic said that this thread has just caught or is unwinding from.
pub fn last_panic() -> String {
    LAST_PANIC.with_borrow_mut(Option::take).unwrap_or_else(|| "panic".to_owned())
}

/// Keeps the message of a panic that happened on another thread and is about to be resumed on this one.
pub fn remember_panic(payload: &(dyn Any + Send)) {
    let message = telemetry::hidden(&message(payload)).into_owned();
    LAST_PANIC.with_borrow_mut(|last| *last = Some(message));
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}

static PANIC_HOOK: Once = Once::new();

/// Logs panics through tracing and keeps their message for the exit notice. Where nothing takes log lines, as in tests, the
/// hook that was there before is called too. Once per process; further calls do nothing.
pub fn install_panic_hook() {
    PANIC_HOOK.call_once(set_panic_hook);
}

fn set_panic_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !tracing::dispatcher::has_been_set() {
            previous(info);
        }
        let message = telemetry::hidden(&message(info.payload())).into_owned();
        let place = info.location().map_or_else(String::new, |location| format!(" at {location}"));
        tracing::error!(panic = %message, "a thread panicked{place}");
        LAST_PANIC.with_borrow_mut(|last| *last = Some(message));
    }));
}
