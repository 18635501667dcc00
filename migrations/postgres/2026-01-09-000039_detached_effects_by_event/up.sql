-- The event that scheduled an effect names it: the path of a task has no longest length, and an index entry has one.
ALTER TABLE detached_effects DROP CONSTRAINT detached_effects_pkey;
ALTER TABLE detached_effects ADD PRIMARY KEY (execution_id, seq);
