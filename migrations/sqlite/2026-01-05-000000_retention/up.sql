-- What a tenant has decided about keeping. NULL leaves a value to the settings, 0 keeps without limit.
CREATE TABLE retention_policies (
    tenant_id TEXT PRIMARY KEY NOT NULL,
    succeeded_days BIGINT,
    succeeded_count BIGINT,
    failed_days BIGINT,
    failed_count BIGINT,
    cancelled_days BIGINT,
    cancelled_count BIGINT,
    usage_days BIGINT,
    updated_by TEXT,
    updated_at BIGINT NOT NULL
);

-- Executions whose row is gone while their journal and logs are still being deleted.
CREATE TABLE removed_executions (
    execution_id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL
);
CREATE INDEX removed_executions_tenant ON removed_executions (tenant_id);

-- Tenants that are being deleted, until nothing of them is left.
CREATE TABLE tenant_removals (
    tenant_id TEXT PRIMARY KEY NOT NULL,
    requested_by TEXT,
    requested_at BIGINT NOT NULL
);

-- Numbers that never fall, not even when the rows that bore them are deleted: `position`.
CREATE TABLE watermarks (
    name TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);

-- Who refers to a blob: small, since few values are that large.
CREATE INDEX journal_blob ON journal (events) WHERE substr(events, 1, 7) = 'sha256:';
CREATE INDEX executions_input_blob ON executions (input) WHERE substr(input, 1, 7) = 'sha256:';
CREATE INDEX executions_output_blob ON executions (output) WHERE substr(output, 1, 7) = 'sha256:';
-- Who refers to a definition: versions of workflows, which are never removed, and executions of unregistered ones.
CREATE INDEX workflows_digest ON workflows (tenant_id, digest);
CREATE INDEX executions_inline_definition ON executions (tenant_id, json_extract(creation, '$.definition.digest')) WHERE workflow_id IS NULL;
CREATE INDEX usage_records_age ON usage_records (tenant_id, at);
