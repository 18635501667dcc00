-- The provider that somebody came in with.
ALTER TABLE audit_entries ADD COLUMN provider TEXT;
