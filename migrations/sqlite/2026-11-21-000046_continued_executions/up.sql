-- Failed and cancelled executions that are done again, and the newest that does so: a retry of them, or of what they are a part of.
CREATE TABLE continued_executions (
    tenant_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    -- Stays when that one is deleted.
    continued_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, execution_id)
) WITHOUT ROWID;

-- What was retried before, with all below it that it waited for.
WITH RECURSIVE again (tenant_id, id, newest) AS (
    SELECT tenant_id, json_extract(creation, '$.forked_from.execution_id'), id FROM executions
    WHERE json_extract(creation, '$.trigger') = 'retry'
    UNION ALL
    SELECT child.tenant_id, child.id, again.newest FROM again
    JOIN executions AS child ON child.tenant_id = again.tenant_id AND child.parent_execution_id = again.id
    WHERE json_extract(child.creation, '$.parent.awaited')
)
INSERT INTO continued_executions (tenant_id, execution_id, continued_by)
SELECT e.tenant_id, e.id, MAX(again.newest) FROM again
JOIN executions AS e ON e.tenant_id = again.tenant_id AND e.id = again.id
WHERE e.status IN ('failed', 'cancelled') GROUP BY e.tenant_id, e.id;
