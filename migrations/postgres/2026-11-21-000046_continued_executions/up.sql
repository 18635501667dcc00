-- Failed and cancelled executions that are done again, and the newest that does so: a retry of them, or of what they are a part of.
CREATE TABLE continued_executions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    -- Stays when that one is deleted.
    continued_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, execution_id)
);

-- What was retried before, with all below it that it waited for.
WITH RECURSIVE again (tenant_id, id, newest) AS (
    SELECT tenant_id, (creation::json #>> '{forked_from,execution_id}') COLLATE "C", id FROM executions
    WHERE creation::json ->> 'trigger' = 'retry'
    UNION ALL
    SELECT child.tenant_id, child.id, again.newest FROM again
    JOIN executions AS child ON child.tenant_id = again.tenant_id AND child.parent_execution_id = again.id
    WHERE child.creation::json #>> '{parent,awaited}' = 'true'
)
INSERT INTO continued_executions (tenant_id, execution_id, continued_by)
SELECT e.tenant_id, e.id, MAX(again.newest) FROM again
JOIN executions AS e ON e.tenant_id = again.tenant_id AND e.id = again.id
WHERE e.status IN ('failed', 'cancelled') GROUP BY e.tenant_id, e.id;
