-- How many executions there are by hour of creation, type and status: totals and statistics without a scan.
-- Written along with every batch of appends; a deletion is counted by the trigger, whoever deletes.
CREATE TABLE execution_counts (
    tenant_id TEXT COLLATE "C" NOT NULL,
    -- Hours since 1970, UTC.
    hour BIGINT NOT NULL,
    execution_type TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, hour, execution_type, status)
) WITH (fillfactor = 50);

INSERT INTO execution_counts (tenant_id, hour, execution_type, status, number)
SELECT tenant_id, created_at / 3600000000, execution_type, status, COUNT(*) FROM executions GROUP BY 1, 2, 3, 4;

CREATE FUNCTION execution_counts_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE execution_counts AS c SET number = c.number - d.number
    FROM (
        SELECT tenant_id, created_at / 3600000000 AS hour, execution_type, status, COUNT(*) AS number
        FROM deleted GROUP BY 1, 2, 3, 4
    ) AS d
    WHERE c.tenant_id = d.tenant_id AND c.hour = d.hour AND c.execution_type = d.execution_type AND c.status = d.status;
    DELETE FROM execution_counts AS c USING deleted AS d
    WHERE c.tenant_id = d.tenant_id AND c.hour = d.created_at / 3600000000
        AND c.execution_type = d.execution_type AND c.status = d.status AND c.number = 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER execution_counts_deletion AFTER DELETE ON executions
REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION execution_counts_deletion();

CREATE INDEX executions_type ON executions (tenant_id, execution_type, created_at, created_position);
CREATE INDEX executions_name ON executions (tenant_id, namespace, name, created_at, created_position);
CREATE INDEX executions_creator ON executions (tenant_id, created_by, created_at, created_position) WHERE created_by IS NOT NULL;

-- Labels carry the place of their execution in lists, so that a list by label reads no more than it shows.
ALTER TABLE execution_labels DROP CONSTRAINT execution_labels_pkey;
ALTER TABLE execution_labels RENAME TO execution_labels_before;
DROP INDEX execution_labels_execution;
CREATE TABLE execution_labels (
    tenant_id TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_position BIGINT NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, label, value, created_at, created_position)
);
INSERT INTO execution_labels (tenant_id, label, value, created_at, created_position, execution_id)
SELECT l.tenant_id, l.label, l.value, e.created_at, e.created_position, l.execution_id
FROM execution_labels_before AS l JOIN executions AS e ON e.tenant_id = l.tenant_id AND e.id = l.execution_id;
DROP TABLE execution_labels_before;
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);
