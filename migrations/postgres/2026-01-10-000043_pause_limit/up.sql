-- Which limit has paused an execution, beside `pause_reason`, which says it in words.
ALTER TABLE executions ADD COLUMN pause_limit TEXT;
