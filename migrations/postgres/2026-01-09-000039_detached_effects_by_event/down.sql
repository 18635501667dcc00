ALTER TABLE detached_effects DROP CONSTRAINT detached_effects_pkey;
ALTER TABLE detached_effects ADD PRIMARY KEY (execution_id, path);
