DROP TRIGGER detached_effects_deletion;
ALTER TABLE detached_effects RENAME TO detached_effects_by_event;
CREATE TABLE detached_effects (
    execution_id TEXT NOT NULL,
    path TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    -- Of the event that scheduled it.
    seq BIGINT NOT NULL,
    PRIMARY KEY (execution_id, path)
) WITHOUT ROWID;
INSERT INTO detached_effects (execution_id, path, tenant_id, seq)
SELECT execution_id, path, tenant_id, seq FROM detached_effects_by_event;
DROP TABLE detached_effects_by_event;
CREATE TRIGGER detached_effects_deletion AFTER DELETE ON executions
BEGIN
    DELETE FROM detached_effects WHERE execution_id = OLD.id AND tenant_id = OLD.tenant_id;
END;
