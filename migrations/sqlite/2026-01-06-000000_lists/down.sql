ALTER TABLE execution_labels RENAME TO execution_labels_after;
DROP INDEX execution_labels_execution;
CREATE TABLE execution_labels (
    tenant_id TEXT NOT NULL,
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, label, value, execution_id)
) WITHOUT ROWID;
INSERT INTO execution_labels (tenant_id, label, value, execution_id)
SELECT tenant_id, label, value, execution_id FROM execution_labels_after;
DROP TABLE execution_labels_after;
CREATE INDEX execution_labels_execution ON execution_labels (tenant_id, execution_id);
DROP INDEX executions_creator;
DROP INDEX executions_name;
DROP INDEX executions_type;
DROP TRIGGER execution_counts_deletion;
DROP TABLE execution_counts;
