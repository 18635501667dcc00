//! Memory: everything durable, in SQLite or PostgreSQL. The only folder that knows diesel.
//!
//! All writing goes through one thread (`writer`): the appends of many executions share a transaction, everything else
//! takes its turn between them. Reading uses a pool of its own. Called by actors, http and cli; knows only domain.

mod agents;
mod api_keys;
mod append;
mod audit;
mod backend;
mod backup;
mod batch;
mod batch_postgres;
mod batch_sqlite;
mod blobs;
mod budgets;
mod column_types;
mod connection;
mod continuing;
mod counts;
mod creation;
mod creators;
mod derived;
mod detached;
mod error;
mod executions;
mod external_identities;
mod forgetting;
mod held;
mod history;
mod idempotency;
mod journal;
mod kept_answers;
mod limits;
mod lists;
mod loading;
mod lock;
mod logs;
mod merge;
mod migrations;
mod page;
mod planner;
mod pool;
mod recovery;
mod removal;
mod retention;
mod round;
mod saved_views;
mod schema;
mod secrets;
mod sessions;
mod space;
mod spending;
mod statement;
mod statistics;
mod tenant_removal;
mod tenants;
mod text_search;
mod transaction;
mod trial;
mod usage;
mod users;
mod watermark;
mod workflows;
mod writer;

pub use crate::failure_points::{FailurePoint, FailurePoints, Fault};
pub use agents::AgentFilter;
pub use api_keys::ApiKeyFilter;
pub use append::{
    Append, Committed, CommittedAppend, DefinitionText, EventText, NewExecution, Projection, Snapshot, Subject,
};
pub use audit::AuditFilter;
pub use backup::{Backup, Restored, back_up, restore};
pub use blobs::digest;
pub use budgets::Account;
pub use detached::DetachedEffect;
pub use error::Error;
pub use executions::{Filter, Sort};
pub use external_identities::ExternalIdentity;
pub use forgetting::DefinitionKey;
pub use history::{Changes, HistoryEvent};
pub use idempotency::{Begun, Idempotency};
pub use journal::WriterStats;
pub use kept_answers::{Kept, KeptAnswer};
pub use logs::{LogLines, LogQuery};
pub use migrations::{MigrationStatus, migrate_down, migrate_up, migration_status};
pub use page::{MAX_PAGE_SIZE, Page, PageRequest};
pub use recovery::{Claimed, OpenExecution};
pub use removal::{EXECUTION_TABLES, Swept};
pub use retention::{DueCursor, DueExecution, DuePage, Edges};
pub use saved_views::SavedViewFilter;
pub use sessions::{OneTimePurpose, OneTimeToken, Rotation, Session};
pub use space::{Space, compact, space_of};
pub use spending::{HourSpending, SpendingSince};
pub use statistics::{HourCount, Percentiles, QueueDepth, Statistics, StatusCount};
pub use tenant_removal::TenantRemoval;
pub use usage::{UsageLine, UsageTotals};
pub use users::UserFilter;
pub use workflows::{Registered, Workflow, WorkflowFilter};

use crate::clock::Clock;
use crate::domain::AuditEntry;
use crate::domain::quota::Limits;
use connection::{AnyConnection, Location, Purpose};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How the store works. Every bound has a default that suits a small machine.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:path/to/file.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// Connections for reading.
    pub readers: u32,
    /// How long a read waits for a free connection.
    pub read_timeout: Duration,
    /// Writes that may wait for the writer; beyond it callers wait.
    pub queue_length: usize,
    /// Most appends in one transaction.
    pub batch_appends: usize,
    /// A transaction takes no further appends once it holds this many bytes.
    pub batch_bytes: usize,
    /// Limits of tenants that have none of their own.
    pub default_limits: Limits,
    /// Where to fail on purpose. Empty outside tests.
    pub failure_points: FailurePoints,
}

impl Options {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: 4,
            read_timeout: Duration::from_secs(10),
            queue_length: 4_096,
            batch_appends: 512,
            batch_bytes: 8 * 1024 * 1024,
            default_limits: Limits::default(),
            failure_points: FailurePoints::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url,
            readers,
            read_timeout,
            queue_length,
            batch_appends,
            batch_bytes,
            default_limits,
            failure_points,
        } = self;
        f.debug_struct("Options")
            .field("url", &connection::without_credentials(url))
            .field("readers", readers)
            .field("read_timeout", read_timeout)
            .field("queue_length", queue_length)
            .field("batch_appends", batch_appends)
            .field("batch_bytes", batch_bytes)
            .field("default_limits", default_limits)
            .field("failure_points", failure_points)
            .finish()
    }
}

/// A cheap handle. The writer ends, after writing what is waiting, when the last one is dropped or one is closed.
#[derive(Clone)]
pub struct Store {
    writer: journal::Writer,
    readers: pool::Readers,
    loading: loading::Loading,
    clock: Arc<dyn Clock>,
    default_limits: Limits,
    /// See [`Store::people_generation`].
    people: Arc<AtomicU64>,
    /// See [`Store::agents_generation`].
    agents: Arc<AtomicU64>,
    /// See [`Store::secrets_generation`].
    secrets: Arc<AtomicU64>,
    /// See [`Store::noting`].
    note: Option<Arc<AuditEntry>>,
    /// See [`Store::keeping`].
    answer: Option<Arc<KeptAnswer>>,
}

impl Store {
    /// Opens the database: takes it for this process, applies pending migrations, starts the writer. Blocks.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a bad URL, [`Error::Occupied`] when another process works on the database,
    /// [`Error::Migration`] and [`Error::Unavailable`].
    pub fn open(options: &Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let location = Location::parse(&options.url)?;
        let file_lock = lock::lock_file(&location)?;
        lock::make_private(&location);
        let mut connection = location.connect(Purpose::Write)?;
        lock::lock_connection(&mut connection, &location)?;
        migrations::apply_pending(&mut connection)?;
        let opening = transaction::write_tx(&mut connection, |connection| {
            tenants::seed(connection, clock.now())?;
            planner::inform(connection)?;
            agents::seed(connection, clock.now())?;
            watermark::count_opening(connection)
        })?;
        let last_position = watermark::last_position(&mut connection)?;
        let held = held::Held::new(location.clone(), file_lock, opening, connection);
        let writer = journal::Writer::start(held, last_position, options)?;
        let points = options.failure_points.clone();
        let readers = pool::Readers::new(location, options.readers, options.read_timeout, points)?;
        let loading = loading::Loading::default();
        Ok(Self {
            writer,
            readers,
            loading,
            clock,
            default_limits: options.default_limits,
            people: Arc::default(),
            agents: Arc::default(),
            secrets: Arc::default(),
            note: None,
            answer: None,
        })
    }

    /// Makes an execution's next events durable. Waits while the queue is full.
    ///
    /// # Errors
    /// [`Error::StaleEpoch`], [`Error::Terminal`], [`Error::OutOfSequence`], [`Error::NotFound`] when the append
    /// contradicts what is stored; [`Error::AlreadyExists`] and [`Error::IdempotencyKeyUsed`] for a first one. After
    /// [`Error::Unavailable`] it may be stored or not: claim the execution anew to find out.
    pub async fn append(&self, append: Append) -> Result<Committed, Error> {
        self.writer.append(append).await
    }

    /// Sets the one listener that gets every committed append, in commit order, on the writer's thread: it must be quick
    /// and must not wait. A batch whose fate a lost connection hides, or that a crash follows, is not announced; watchers
    /// see the gap in the numbers and read the journal.
    pub fn on_commit(&self, listener: Box<dyn Fn(Vec<CommittedAppend>) + Send + Sync>) {
        self.writer.on_commit(listener);
    }

    /// The position of the newest committed event; 0 in an empty store.
    pub fn position(&self) -> u64 {
        self.writer.position()
    }

    pub fn writer_stats(&self) -> WriterStats {
        self.writer.stats()
    }

    /// Whether the database answers, reading and writing.
    pub async fn check(&self) -> Result<(), Error> {
        self.readers.run(|connection| connection.run("SELECT 1")).await?;
        // A database that may only be read refuses even a write that changes nothing.
        self.writer.run(|connection| connection.run("UPDATE snapshots SET seq = seq WHERE 1 = 0")).await
    }

    /// Resolves when this process does not write the database any more: another one has taken it over, or the writer has ended,
    /// which [`Store::close`] makes it do.
    pub async fn lost(&self) {
        self.writer.lost().await;
    }

    /// Writes what is waiting and lets go of the database. Later writes fail with [`Error::Closed`].
    pub async fn close(&self) {
        self.writer.close().await;
    }

    async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        self.readers.run(work).await
    }

    async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        self.write_if(work, |_| true).await
    }

    /// Like [`Store::write`], for what may turn out to change nothing: that is not noted.
    async fn write_if<T, F>(&self, work: F, has_changed: fn(&T) -> bool) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        self.write_then(work, has_changed, || ()).await
    }

    /// Like [`Store::write_if`]. `then` is called when the transaction has ended, before anybody is told, and also when whoever
    /// asked has gone away meanwhile.
    async fn write_then<T, F>(
        &self,
        work: F,
        has_changed: fn(&T) -> bool,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        let (note, answer, now) = (self.note.clone(), self.answer.clone(), self.clock.now());
        let work = move |connection: &mut AnyConnection| {
            let value = work(connection)?;
            if let Some(entry) = note.filter(|_| has_changed(&value)) {
                audit::insert(connection, &entry)?;
            }
            if let Some(answer) = answer {
                kept_answers::insert(connection, &answer, now)?;
            }
            Ok(value)
        };
        self.writer.run_then(work, then).await
    }

    /// Like [`Store::write`], for what others remember: counts, so that they read it again.
    async fn write_counted<T, F>(&self, generation: &Arc<AtomicU64>, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        let generation = Arc::clone(generation);
        self.write_then(work, |_| true, move || _ = generation.fetch_add(1, Ordering::AcqRel)).await
    }

    /// A handle whose writes note an entry of the audit in the same transaction. It is for one write, of something that
    /// takes no entry of its own.
    #[must_use]
    pub fn noting(&self, entry: AuditEntry) -> Self {
        Self { note: Some(Arc::new(entry)), ..self.clone() }
    }

    /// Like [`Store::write`], for what changes who people are and what they may do.
    async fn write_people<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut AnyConnection) -> Result<T, Error> + Send + 'static,
    {
        self.write_counted(&self.people, work).await
    }

    /// Changes whenever a person, a key, a session or a tenant is changed: what was read of them in an earlier generation may
    /// not be true any more. Only this process writes to the database, and it counts before it tells whoever asked for the
    /// change. Read it first, then the rows.
    pub fn people_generation(&self) -> u64 {
        self.people.load(Ordering::Acquire)
    }

    /// Changes whenever an agent is added, changed or removed. As [`Store::people_generation`].
    pub fn agents_generation(&self) -> u64 {
        self.agents.load(Ordering::Acquire)
    }

    /// Changes whenever a secret gets a value or is removed. As [`Store::people_generation`].
    pub fn secrets_generation(&self) -> u64 {
        self.secrets.load(Ordering::Acquire)
    }
}
