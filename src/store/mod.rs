//! Memory: everything durable, in SQLite or PostgreSQL. The only folder that knows diesel.
//!
//! All writing goes through one thread (`journal`): the appends of many executions share a transaction, everything else
//! takes its turn between them. Reading uses a pool of its own. Called by actors, http and cli; knows only domain.

mod agents;
mod append;
mod backend;
mod batch;
mod batch_postgres;
mod batch_sqlite;
mod blobs;
mod column_types;
mod connection;
mod error;
mod executions;
mod failure_points;
mod history;
mod idempotency;
mod journal;
mod lock;
mod logs;
mod migrations;
mod page;
mod pool;
mod recovery;
mod schema;
mod statement;
mod statistics;
mod transaction;
mod usage;
mod workflows;

pub use append::{
    Append, Committed, CommittedAppend, DefinitionText, EventText, Idempotency, NewExecution, Projection, Snapshot,
    Subject,
};
pub use agents::{AgentFilter, NewAgent};
pub use blobs::digest;
pub use error::Error;
pub use executions::{Filter, Sort};
pub use failure_points::{FailurePoint, FailurePoints, Fault};
pub use history::{Change, HistoryEvent};
pub use idempotency::Begun;
pub use journal::WriterStats;
pub use logs::LogQuery;
pub use migrations::{MigrationStatus, migrate_down, migrate_up, migration_status};
pub use page::{MAX_PAGE_SIZE, Page, PageRequest};
pub use recovery::{Claimed, OpenExecution, TailEvent};
pub use statistics::{Count, HourCount, Percentiles, QueueDepth, Statistics};
pub use usage::{UsageLine, UsageTotals};
pub use workflows::{Registered, Workflow, WorkflowFilter, WorkflowText};

use crate::clock::Clock;
use std::sync::Arc;
use std::time::Duration;

/// How the store works. Every bound has a default that suits a small machine.
#[derive(Clone, Debug)]
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
            failure_points: FailurePoints::default(),
        }
    }
}

/// A cheap handle on the store. The last one dropped ends the writer after it has written what is waiting.
#[derive(Clone)]
pub struct Store {
    pub(super) writer: journal::Writer,
    pub(super) readers: pool::Readers,
    pub(super) clock: Arc<dyn Clock>,
}
