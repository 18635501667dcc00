ALTER TABLE executions DROP COLUMN pause_limit;
