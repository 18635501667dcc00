DROP TRIGGER detached_effects_deletion ON executions;
DROP FUNCTION detached_effects_deletion();
DROP TABLE detached_effects;
