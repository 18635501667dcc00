ALTER TABLE agents DROP COLUMN created_by;
DROP TABLE audit_entries;
DROP TABLE one_time_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE api_keys;
DROP TABLE users;
DROP TABLE tenants;
