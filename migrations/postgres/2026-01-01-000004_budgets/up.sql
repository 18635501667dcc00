-- Why an execution is paused, when a limit and not a person paused it.
ALTER TABLE executions ADD COLUMN pause_reason TEXT;

-- The execution at the top of the tree whose budget a call spends, the instance of the task, and what came of the call.
ALTER TABLE usage_records ADD COLUMN root_execution_id TEXT NOT NULL DEFAULT '';
ALTER TABLE usage_records ADD COLUMN path TEXT;
ALTER TABLE usage_records ADD COLUMN prices TEXT;
ALTER TABLE usage_records ADD COLUMN outcome TEXT NOT NULL DEFAULT 'used';
ALTER TABLE usage_records ADD COLUMN is_estimated BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE usage_records SET root_execution_id = execution_id;
CREATE INDEX usage_records_root ON usage_records (root_execution_id);

-- What a tree of executions may spend, with everything that was approved: the projection of its top's journal.
CREATE TABLE execution_budgets (
    execution_id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    budget TEXT NOT NULL
);
