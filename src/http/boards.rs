//! The task boards of executions that were asked for lately, so that asking again reads only what has been added to the
//! journal since. Nothing here is the truth: a board that is gone is built again.

use crate::domain::{ExecutionId, TenantId};
use crate::store::{self, Store};
use crate::wire::task::TaskBoard;
use indexmap::IndexMap;
use std::sync::{Mutex, PoisonError};

/// Boards that are kept; the one that was asked for longest ago goes first.
const CAPACITY: usize = 64;
/// A board with more instances than this is not kept.
const MOST_TASKS: usize = 10_000;

/// The kept boards.
#[derive(Debug, Default)]
pub struct Boards(Mutex<IndexMap<(TenantId, ExecutionId), TaskBoard>>);

impl Boards {
    /// The board of an execution as its journal is now.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn of(&self, store: &Store, tenant: TenantId, id: ExecutionId) -> Result<TaskBoard, store::Error> {
        // Two who ask at the same time both have a board; the one that is put back last stays.
        let mut board = self.lock().shift_remove(&(tenant, id)).unwrap_or_default();
        let added = store.events(tenant, id, board.last_seq()).await?;
        added.into_iter().for_each(|event| board.apply(event));
        if board.len() <= MOST_TASKS {
            let mut boards = self.lock();
            if boards.len() >= CAPACITY {
                boards.shift_remove_index(0);
            }
            boards.insert((tenant, id), board.clone());
        }
        Ok(board)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, IndexMap<(TenantId, ExecutionId), TaskBoard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
