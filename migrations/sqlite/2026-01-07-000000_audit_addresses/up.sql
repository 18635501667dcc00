-- Where a request came from.
ALTER TABLE audit_entries ADD COLUMN address TEXT;
