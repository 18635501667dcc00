//! Log lines of executions: collected, numbered, stored in batches, then forwarded to whoever watches.
//!
//! Unlike events they may be dropped under pressure; a dropped line leaves a gap in the numbers and is counted.

use super::frame;
use super::hub::{Forward, Hub, HubState};
use crate::domain::{ExecutionId, LogLine, TenantId};
use crate::store::Store;
use crate::telemetry::Metrics;
use actix::Addr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

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

/// A line without its number yet.
struct Entry {
    tenant: TenantId,
    execution_id: ExecutionId,
    line: LogLine,
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
        if self.sender.try_send(Entry { tenant, execution_id, line }).is_err() {
            self.metrics.logs_dropped(1);
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            *dropped.entry(execution_id).or_default() += 1;
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
            let mut by_execution: Vec<(ExecutionId, TenantId, Vec<LogLine>)> = Vec::new();
            for Entry { tenant, execution_id, line } in batch.drain(..) {
                match by_execution.iter_mut().find(|(id, ..)| *id == execution_id) {
                    Some((_, _, lines)) => lines.push(line),
                    None => by_execution.push((execution_id, tenant, vec![line])),
                }
            }
            for (id, tenant, lines) in by_execution {
                self.store(id, tenant, lines).await;
            }
        }
    }

    async fn store(&mut self, id: ExecutionId, tenant: TenantId, mut lines: Vec<LogLine>) {
        let last = match self.numbers.get(&id) {
            Some(last) => *last,
            None => self.store.last_log_number(tenant, id).await.unwrap_or(0),
        };
        let skipped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner).remove(&id).unwrap_or(0);
        let mut n = last + skipped;
        for line in &mut lines {
            n += 1;
            line.n = n;
        }
        if self.numbers.len() >= REMEMBERED {
            self.numbers.clear();
        }
        self.numbers.insert(id, n);
        let watched = self.hub_state.watchers() > 0;
        let frames = watched.then(|| lines.iter().map(|line| frame::log(id, line)).collect::<Vec<_>>());
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        match self.store.append_logs(tenant, id, lines).await {
            Ok(_) => {
                if let Some(frames) = frames {
                    let _ = self.hub.try_send(Forward { execution_id: id, frames: frames.into() });
                }
            }
            Err(error) => {
                tracing::warn!(execution_id = %id, %error, count, "log lines of an execution were lost");
                self.metrics.logs_dropped(count);
            }
        }
    }
}
