-- Effects that nobody waits for, from their scheduling to their end: what is here at the start was cut off and is repeated.
CREATE TABLE detached_effects (
    execution_id TEXT NOT NULL,
    path TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    -- Of the event that scheduled it.
    seq BIGINT NOT NULL,
    PRIMARY KEY (execution_id, path)
) WITHOUT ROWID;
CREATE TRIGGER detached_effects_deletion AFTER DELETE ON executions
BEGIN
    DELETE FROM detached_effects WHERE execution_id = OLD.id AND tenant_id = OLD.tenant_id;
END;
