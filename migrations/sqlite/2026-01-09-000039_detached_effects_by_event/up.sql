-- The event that scheduled an effect names it: the path of a task has no longest length, and an index entry has one.
DROP TRIGGER detached_effects_deletion;
CREATE TABLE detached_effects_by_event (
    execution_id TEXT NOT NULL,
    path TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    -- Of the event that scheduled it.
    seq BIGINT NOT NULL,
    PRIMARY KEY (execution_id, seq)
) WITHOUT ROWID;
INSERT INTO detached_effects_by_event (execution_id, path, tenant_id, seq)
SELECT execution_id, path, tenant_id, seq FROM detached_effects;
DROP TABLE detached_effects;
ALTER TABLE detached_effects_by_event RENAME TO detached_effects;
CREATE TRIGGER detached_effects_deletion AFTER DELETE ON executions
BEGIN
    DELETE FROM detached_effects WHERE execution_id = OLD.id AND tenant_id = OLD.tenant_id;
END;
