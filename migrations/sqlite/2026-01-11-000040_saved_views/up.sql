-- What somebody wants to see of a list, under a name.
CREATE TABLE saved_views (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    -- A person, or a key that belongs to nobody.
    created_by TEXT NOT NULL,
    -- The person; the views go with them.
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    list TEXT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    is_shared BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX saved_views_name ON saved_views (tenant_id, created_by, list, name);
CREATE INDEX saved_views_tenant ON saved_views (tenant_id, created_at);
CREATE INDEX saved_views_user ON saved_views (user_id);
