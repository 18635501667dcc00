//! Log lines of executions: collected, numbered, stored in batches, then forwarded to whoever watches.
//!
//! Unlike events they may be dropped under pressure; a dropped line leaves a gap in the numbers and is counted.

use super::frame;
use super::hub::{Forward, Hub, HubState};
use crate::domain::{ExecutionId, LogLine, TenantId};
use crate::store::{self, LogLines, Store};
use crate::telemetry::Metrics;
use actix::Addr;
use indexmap::IndexMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Lines that may wait to be stored; beyond it they are dropped.
const WAITING_LINES: usize = 8_192;
/// Lines that are stored together.
const BATCH_LINES: usize = 512;
/// Executions whose last number is remembered.
const REMEMBERED: usize = 10_000;
/// The longest message in characters; the rest is cut off.
const MAX_MESSAGE_CHARACTERS: usize = 16 * 1024;

/// Takes log lines.
pub struct Logs {
    sender: mpsc::Sender<Entry>,
    dropped: Arc<Dropped>,
    metrics: Arc<Metrics>,
}

enum Entry {
    /// A line without its number yet.
    Line(TenantId, ExecutionId, Box<LogLine>),
    /// Somebody waits until everything before is stored.
    Flush(oneshot::Sender<()>),
}

/// How many lines of an execution were dropped since its last stored one.
type Dropped = Mutex<HashMap<ExecutionId, u64>>;

impl Logs {
    /// Starts the task that stores lines.
    pub fn start(store: Store, hub: Addr<Hub>, hub_state: Arc<HubState>, metrics: Arc<Metrics>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_LINES);
        let dropped = Arc::new(Dropped::default());
        let (numbers, figures) = (HashMap::new(), Arc::clone(&metrics));
        let keeper = Keeper { store, hub, hub_state, dropped: Arc::clone(&dropped), numbers, metrics: figures };
        actix::spawn(keeper.run(receiver));
        Self { sender, dropped, metrics }
    }

    /// Hands a line over; its `n` is given when it is stored. Never waits.
    pub fn push(&self, tenant: TenantId, execution_id: ExecutionId, mut line: LogLine) {
        if let Some((end, _)) = line.message.char_indices().nth(MAX_MESSAGE_CHARACTERS) {
            line.message.truncate(end);
        }
        if self.sender.try_send(Entry::Line(tenant, execution_id, Box::new(line))).is_err() {
            self.metrics.logs_dropped(1);
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            if dropped.len() >= REMEMBERED {
                dropped.clear();
            }
            *dropped.entry(execution_id).or_default() += 1;
        }
    }

    /// Resolves when every line that was handed over before is stored, or lost.
    pub async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.sender.send(Entry::Flush(done)).await.is_ok() {
            // An error means that the task has ended, and with it the storing.
            let _ = stored.await;
        }
    }
}

struct Keeper {
    store: Store,
    hub: Addr<Hub>,
    hub_state: Arc<HubState>,
    dropped: Arc<Dropped>,
    numbers: HashMap<ExecutionId, u64>,
    metrics: Arc<Metrics>,
}

impl Keeper {
    async fn run(mut self, mut receiver: mpsc::Receiver<Entry>) {
        let mut batch = Vec::with_capacity(BATCH_LINES);
        while receiver.recv_many(&mut batch, BATCH_LINES).await > 0 {
            let mut gathered: IndexMap<ExecutionId, LogLines> = IndexMap::new();
            let mut waiting = Vec::new();
            for entry in batch.drain(..) {
                match entry {
                    Entry::Line(tenant, execution_id, line) => {
                        let new = || LogLines { tenant_id: tenant, execution_id, lines: Vec::new() };
                        gathered.entry(execution_id).or_insert_with(new).lines.push(*line);
                    }
                    Entry::Flush(done) => waiting.push(done),
                }
            }
            if !gathered.is_empty() {
                self.store(gathered.into_values().collect()).await;
            }
            for done in waiting {
                let _ = done.send(());
            }
        }
    }

    /// Stores lines of several executions in one write, then shows them to whoever watches.
    async fn store(&mut self, gathered: Vec<LogLines>) {
        let mut numbered = Vec::with_capacity(gathered.len());
        for mut of_one in gathered {
            match self.number(&mut of_one).await {
                Ok(()) => numbered.push(of_one),
                Err(error) => self.lost(&of_one, &error),
            }
        }
        let watched = self.hub_state.watchers() > 0;
        let frames = |of_one: &LogLines| {
            let id = of_one.execution_id;
            (id, of_one.lines.iter().map(|line| frame::log(id, line)).collect::<Vec<_>>())
        };
        let frames: Vec<_> = numbered.iter().filter(|_| watched).map(frames).collect();
        match self.store.append_logs(numbered.clone()).await {
            Ok(()) => {
                for (execution_id, frames) in frames {
                    let _ = self.hub.try_send(Forward { execution_id, frames: frames.into() });
                }
            }
            Err(error) => numbered.iter().for_each(|of_one| self.lost(of_one, &error)),
        }
    }

    /// Gives lines their numbers; those that were dropped on the way here leave a gap.
    async fn number(
        &mut self,
        LogLines { tenant_id, execution_id: id, lines }: &mut LogLines,
    ) -> Result<(), store::Error> {
        let last = match self.numbers.get(id) {
            Some(last) => *last,
            None => self.store.last_log_number(*tenant_id, *id).await?,
        };
        let skipped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner).remove(id).unwrap_or(0);
        let mut n = last + skipped;
        for line in lines {
            n += 1;
            line.n = n;
        }
        if self.numbers.len() >= REMEMBERED {
            self.numbers.clear();
        }
        self.numbers.insert(*id, n);
        Ok(())
    }

    fn lost(&self, LogLines { execution_id, lines, .. }: &LogLines, error: &store::Error) {
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        tracing::warn!(%execution_id, %error, count, "log lines of an execution were lost");
        self.metrics.logs_dropped(count);
    }
}
