ALTER TABLE execution_labels DROP CONSTRAINT execution_labels_pkey;
ALTER TABLE execution_labels RENAME TO execution_labels_after;
DROP INDEX execution_labels_execution;
CREATE TABLE execution_labels (
    tenant_id TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    execution_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, label, value, execution_id)
);
INSERT INTO execution_labels (tenant_id, label, value, execution_id)
SELECT tenant_id, label, value, execution_id FROM execution_labels_after;
DROP TABLE execution_labels_after;
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);
DROP INDEX executions_creator;
DROP INDEX executions_name;
DROP INDEX executions_type;
DROP TRIGGER execution_counts_deletion ON executions;
DROP FUNCTION execution_counts_deletion();
DROP TABLE execution_counts;
