DROP TRIGGER detached_effects_deletion;
DROP TABLE detached_effects;
