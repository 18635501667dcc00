-- The sum of a tree is asked for by tenant and root: an index of both, so that no planner prefers one that begins with the tenant.
DROP INDEX usage_records_root;
CREATE INDEX usage_records_root ON usage_records (tenant_id, root_execution_id);
