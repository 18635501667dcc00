DROP INDEX usage_records_root;
CREATE INDEX usage_records_root ON usage_records (root_execution_id);
