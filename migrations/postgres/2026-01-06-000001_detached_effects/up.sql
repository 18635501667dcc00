-- Effects that nobody waits for, from their scheduling to their end: what is here at the start was cut off and is repeated.
CREATE TABLE detached_effects (
    execution_id TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    -- Of the event that scheduled it.
    seq BIGINT NOT NULL,
    PRIMARY KEY (execution_id, path)
);
CREATE FUNCTION detached_effects_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM detached_effects AS e USING deleted AS d WHERE e.execution_id = d.id AND e.tenant_id = d.tenant_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER detached_effects_deletion AFTER DELETE ON executions
REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION detached_effects_deletion();
