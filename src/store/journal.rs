//! The callers' side of the writer: how appends and other writes get into its queue, and what it has done.

use super::append::{Append, Committed, CommittedAppend};
use super::connection::AnyConnection;
use super::held::Held;
use super::writer::Thread;
use super::{Error, Options};
use diesel::Connection;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(super) type Listener = Box<dyn Fn(Vec<CommittedAppend>) + Send + Sync>;
pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;
/// A write that is not an append. Gets the reason when there is no connection to do it on. Gives back what tells the caller, once it is known whether the commit succeeded.
pub(super) type Work = Box<dyn FnOnce(Result<&mut AnyConnection, Error>) -> Tell + Send>;
pub(super) type Tell = Box<dyn FnOnce(Option<Error>) + Send>;

pub(super) enum Job {
    Append(Box<Append>, Reply<Committed>),
    Work(Work),
    Close(oneshot::Sender<()>),
}

/// The callers' side of the writer.
#[derive(Clone)]
pub(super) struct Writer {
    sender: mpsc::Sender<Job>,
    shared: Arc<Shared>,
    lost: CancellationToken,
}

/// What both sides see.
#[derive(Default)]
pub(super) struct Shared {
    pub listener: OnceLock<Listener>,
    pub position: AtomicU64,
    pub batches: AtomicU64,
    pub appends: AtomicU64,
    pub events: AtomicU64,
    pub bytes: AtomicU64,
    pub refused: AtomicU64,
    pub failures: AtomicU64,
    pub last_commit_us: AtomicU64,
}

/// What the writer has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Transactions of appends.
    pub batches: u64,
    /// Committed appends, children included.
    pub appends: u64,
    pub events: u64,
    pub bytes: u64,
    /// Appends that contradicted what is stored (a stale epoch above all).
    pub refused: u64,
    /// Batches that the database did not take.
    pub failures: u64,
    /// How long the last transaction of appends took, from its begin to its commit.
    pub last_commit_us: u64,
    /// Writes that wait for their turn.
    pub waiting: u64,
}

impl Writer {
    /// Starts the thread on a database that this process has taken, and whose newest position is this one.
    pub fn start(held: Held, last_position: u64, options: &Options) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(options.queue_length.max(1));
        let shared = Arc::new(Shared::default());
        let lost = held.lost();
        let thread = Thread::new(held, last_position, receiver, Arc::clone(&shared), options);
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(|| thread.run())
            .map_err(|error| Error::unavailable(format!("cannot start the writer: {error}")))?;
        Ok(Self { sender, shared, lost })
    }

    /// Resolves when the append is durable. Waits for a place in the queue.
    pub async fn append(&self, append: Append) -> Result<Committed, Error> {
        let (reply, answer) = oneshot::channel();
        self.sender.send(Job::Append(Box::new(append), reply)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::unavailable("the writer broke off; the append may be stored or not"))?
    }

    /// Runs a write in its turn, in a transaction.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        self.run_then(work, || ()).await
    }

    /// Like [`Writer::run`]. `then` is called when the transaction has ended, before anybody is told, and also when the
    /// caller has gone away meanwhile.
    pub async fn run_then<T, F>(&self, work: F, then: impl FnOnce() + Send + 'static) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let span = tracing::Span::current();
        let job: Work = Box::new(move |connection| {
            let outcome = connection.and_then(|connection| span.in_scope(|| connection.transaction(work)));
            Box::new(move |commit_error| {
                then();
                // A caller that has gone away needs no answer.
                let _ = reply.send(commit_error.map_or(outcome, Err));
            })
        });
        self.sender.send(Job::Work(job)).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::unavailable("the writer broke off; the write may be stored or not"))?
    }

    /// See [`Store::on_commit`](super::Store::on_commit).
    pub fn on_commit(&self, listener: Listener) {
        if self.shared.listener.set(listener).is_err() {
            tracing::error!("a second commit listener was refused");
        }
    }

    /// See [`Store::lost`](super::Store::lost).
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Writes what is waiting, then lets go of the database.
    pub async fn close(&self) {
        let (done, wait) = oneshot::channel();
        if self.sender.send(Job::Close(done)).await.is_ok() {
            // An error means that the thread has ended, which is what is waited for.
            let _ = wait.await;
        }
    }

    /// The position of the newest committed event; 0 in an empty store.
    pub fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Acquire)
    }

    pub fn stats(&self) -> WriterStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let waiting = self.sender.max_capacity().saturating_sub(self.sender.capacity());
        WriterStats {
            batches: read(&self.shared.batches),
            appends: read(&self.shared.appends),
            events: read(&self.shared.events),
            bytes: read(&self.shared.bytes),
            refused: read(&self.shared.refused),
            failures: read(&self.shared.failures),
            last_commit_us: read(&self.shared.last_commit_us),
            waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
        }
    }
}
