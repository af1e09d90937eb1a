-- Who may open the page about themselves: the hash of a code that an agent requested, and, once it is
-- opened, that of the visit.

-- +goose Up
CREATE TABLE own_pages (
    secret_hash BLOB    NOT NULL PRIMARY KEY,
    org_id      TEXT    NOT NULL REFERENCES organisations (id),
    agent_id    TEXT    NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    opened      INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX own_pages_by_agent ON own_pages (agent_id);
CREATE INDEX own_pages_by_expiry ON own_pages (org_id, expires_at);
