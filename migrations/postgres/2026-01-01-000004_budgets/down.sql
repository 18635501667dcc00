DROP TABLE execution_budgets;
DROP INDEX usage_records_root;
ALTER TABLE usage_records DROP COLUMN is_estimated;
ALTER TABLE usage_records DROP COLUMN outcome;
ALTER TABLE usage_records DROP COLUMN prices;
ALTER TABLE usage_records DROP COLUMN path;
ALTER TABLE usage_records DROP COLUMN root_execution_id;
ALTER TABLE executions DROP COLUMN pause_reason;
