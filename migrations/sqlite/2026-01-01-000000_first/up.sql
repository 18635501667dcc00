-- One row per execution: the projection of its journal, written in the transaction that appends.
-- created_position is the store-wide position of its first event; every index ends with it.
CREATE TABLE executions (
    created_position INTEGER PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    execution_type TEXT NOT NULL,
    status TEXT NOT NULL,
    workflow_id TEXT,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    agent_id TEXT,
    project_id TEXT,
    parent_execution_id TEXT,
    created_by TEXT,
    priority BIGINT NOT NULL,
    creation TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT,
    error TEXT,
    completed_tasks BIGINT NOT NULL,
    known_tasks BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    restarts BIGINT NOT NULL,
    last_crash TEXT,
    recovered_in_ms BIGINT,
    last_seq BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    wake_at BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX executions_id ON executions (tenant_id, id);
CREATE INDEX executions_created ON executions (tenant_id, created_at);
-- Leads with the status: what is open is found without knowing a tenant.
CREATE INDEX executions_status ON executions (status, tenant_id, created_at);
CREATE INDEX executions_workflow ON executions (tenant_id, workflow_id, created_at) WHERE workflow_id IS NOT NULL;
CREATE INDEX executions_agent ON executions (tenant_id, agent_id, created_at) WHERE agent_id IS NOT NULL;
CREATE INDEX executions_project ON executions (tenant_id, project_id, created_at) WHERE project_id IS NOT NULL;
CREATE INDEX executions_parent ON executions (tenant_id, parent_execution_id, created_at) WHERE parent_execution_id IS NOT NULL;
CREATE INDEX executions_wake ON executions (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE execution_labels (
    tenant_id TEXT NOT NULL,
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, label, value, execution_id)
) WITHOUT ROWID;
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);

-- One row per append. position is that of its last event; they are numbered without gap inside a row.
CREATE TABLE journal (
    position INTEGER PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    events TEXT NOT NULL
);
CREATE UNIQUE INDEX journal_execution ON journal (execution_id, last_seq);

CREATE TABLE snapshots (
    execution_id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    format BIGINT NOT NULL,
    state TEXT NOT NULL
);

CREATE TABLE blobs (
    digest TEXT PRIMARY KEY NOT NULL,
    content TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE definitions (
    tenant_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    json TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

CREATE TABLE workflows (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    title TEXT,
    summary TEXT,
    tags TEXT NOT NULL,
    is_archived BOOLEAN NOT NULL,
    is_latest BOOLEAN NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX workflows_version ON workflows (tenant_id, namespace, name, version);
CREATE INDEX workflows_created ON workflows (tenant_id, created_at, id);

CREATE TABLE agents (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    description TEXT NOT NULL,
    adapter TEXT NOT NULL,
    model TEXT,
    system_prompt TEXT,
    parameters TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_system BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX agents_slug ON agents (tenant_id, slug);
CREATE INDEX agents_created ON agents (tenant_id, created_at, id);

CREATE TABLE idempotency_keys (
    tenant_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    execution_id TEXT,
    response_status BIGINT,
    response_body TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key)
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE logs (
    execution_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    tenant_id TEXT NOT NULL,
    task TEXT,
    agent_id TEXT,
    level BIGINT NOT NULL,
    message TEXT NOT NULL,
    metadata TEXT,
    source TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (execution_id, n)
);

-- One row per model call, derived from usage_recorded events in the transaction that appends them.
CREATE TABLE usage_records (
    execution_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    tenant_id TEXT NOT NULL,
    task TEXT,
    attempt BIGINT NOT NULL,
    agent_id TEXT,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    cost_usd DOUBLE,
    latency_ms BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (execution_id, seq)
);
CREATE INDEX usage_records_agent ON usage_records (tenant_id, agent_id, at);
