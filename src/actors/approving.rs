//! Approving more: a person raises what a tree of executions may spend, and what its limits had paused goes on.

use super::command::{Command, Refusal};
use super::engine::Engine;
use super::recovery;
use crate::domain::quota::{Budget, Spending};
use crate::domain::{AuditEntry, Execution, ExecutionId, Status, TenantId};
use std::sync::Arc;

impl Engine {
    /// What the model calls that are under way in the tree below an execution may come to use.
    pub fn reserved(&self, root: ExecutionId) -> Spending {
        self.services.ledger.reserved(root)
    }

    /// Changes the budget that an execution spends: its own, or that of the execution at the top. Everything of the tree that is
    /// paused by a limit goes on. The answer is the execution that was named.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::WrongState`] unless the execution and the one at the top are under way.
    pub async fn approve(
        &self,
        tenant: TenantId,
        id: ExecutionId,
        by: Option<String>,
        budget: Budget,
        audit: AuditEntry,
    ) -> Result<Execution, Refusal> {
        let execution = self.store().execution(tenant, id).await?;
        if execution.status.is_terminal() || execution.status == Status::Pending {
            return Err(Refusal::WrongState { status: execution.status, verb: "approve more for" });
        }
        let root = execution.creation.root(id);
        let top = self.command(tenant, root, Command::Approve { by: by.clone(), budget }, Some(audit)).await?;
        let mut paused = Vec::new();
        let mut parents = vec![root];
        while let Some(parent) = parents.pop() {
            for child in recovery::open_children(Arc::clone(&self.services), parent, tenant).await {
                parents.push(child.id);
                if child.status == Status::Paused && child.pause_reason.is_some() {
                    paused.push(child.id);
                }
            }
        }
        for child in paused {
            let command = Command::Approve { by: by.clone(), budget: Budget::default() };
            match self.command(tenant, child, command, None).await {
                // It has ended or goes on meanwhile.
                Ok(_) | Err(Refusal::WrongState { .. } | Refusal::NotFound) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if id == root { Ok(top) } else { Ok(self.store().execution(tenant, id).await?) }
    }
}
