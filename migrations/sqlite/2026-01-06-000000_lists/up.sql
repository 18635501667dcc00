-- How many executions there are by hour of creation, type and status: totals and statistics without a scan.
-- Written along with every batch of appends; a deletion is counted by the trigger, whoever deletes.
CREATE TABLE execution_counts (
    tenant_id TEXT NOT NULL,
    -- Hours since 1970, UTC.
    hour BIGINT NOT NULL,
    execution_type TEXT NOT NULL,
    status TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, hour, execution_type, status)
) WITHOUT ROWID;

INSERT INTO execution_counts (tenant_id, hour, execution_type, status, number)
SELECT tenant_id, created_at / 3600000000, execution_type, status, COUNT(*) FROM executions GROUP BY 1, 2, 3, 4;

CREATE TRIGGER execution_counts_deletion AFTER DELETE ON executions
BEGIN
    UPDATE execution_counts SET number = number - 1
    WHERE tenant_id = OLD.tenant_id AND hour = OLD.created_at / 3600000000
        AND execution_type = OLD.execution_type AND status = OLD.status;
    DELETE FROM execution_counts
    WHERE tenant_id = OLD.tenant_id AND hour = OLD.created_at / 3600000000
        AND execution_type = OLD.execution_type AND status = OLD.status AND number = 0;
END;

CREATE INDEX executions_type ON executions (tenant_id, execution_type, created_at);
CREATE INDEX executions_name ON executions (tenant_id, namespace, name, created_at);
CREATE INDEX executions_creator ON executions (tenant_id, created_by, created_at) WHERE created_by IS NOT NULL;

-- Labels carry the place of their execution in lists, so that a list by label reads no more than it shows.
ALTER TABLE execution_labels RENAME TO execution_labels_before;
DROP INDEX execution_labels_execution;
CREATE TABLE execution_labels (
    tenant_id TEXT NOT NULL,
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_position BIGINT NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, label, value, created_at, created_position)
) WITHOUT ROWID;
INSERT INTO execution_labels (tenant_id, label, value, created_at, created_position, execution_id)
SELECT l.tenant_id, l.label, l.value, e.created_at, e.created_position, l.execution_id
FROM execution_labels_before AS l JOIN executions AS e ON e.tenant_id = l.tenant_id AND e.id = l.execution_id;
DROP TABLE execution_labels_before;
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);
