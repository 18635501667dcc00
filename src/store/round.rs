//! What the writer takes up at once: appends for one transaction, other writes for the next.

use super::append::{Append, Committed};
use super::journal::{Reply, Work};
use crate::domain::ExecutionId;
use std::collections::HashSet;
use tokio::sync::oneshot;

/// An append and who waits for it.
pub(super) struct Waiting {
    pub append: Box<Append>,
    pub reply: Reply<Committed>,
}

/// What is done in one round.
#[derive(Default)]
pub(super) struct Round {
    pub appends: Vec<Waiting>,
    pub works: Vec<Work>,
    pub bytes: usize,
    executions: HashSet<ExecutionId>,
    pub close: Option<oneshot::Sender<()>>,
}

impl Round {
    /// Counts an append in, unless one of its executions is in the batch already.
    pub fn admit(&mut self, append: &Append) -> bool {
        if self.knows(append) {
            return false;
        }
        self.bytes += append.size_bytes();
        self.enter(append);
        true
    }

    fn knows(&self, append: &Append) -> bool {
        self.executions.contains(&append.execution_id) || append.children.iter().any(|child| self.knows(child))
    }

    fn enter(&mut self, append: &Append) {
        self.executions.insert(append.execution_id);
        for child in &append.children {
            self.enter(child);
        }
    }
}
