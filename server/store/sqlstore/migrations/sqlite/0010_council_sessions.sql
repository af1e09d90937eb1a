-- The sessions of councils. A session that was entered by hand has the source '' and
-- its own id as uid. closes_at is ends_at, or the assumed end if that is not known (0).

-- +goose Up
DROP INDEX councils_by_organisation;
CREATE UNIQUE INDEX councils_by_name ON councils (org_id, name);

CREATE TABLE council_sessions (
    id         TEXT NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    council_id TEXT NOT NULL REFERENCES councils (id),
    title      TEXT NOT NULL,
    starts_at  INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    closes_at  INTEGER NOT NULL,
    target     TEXT NOT NULL,
    profile    TEXT NOT NULL,
    place      TEXT NOT NULL,
    cancelled  INTEGER NOT NULL DEFAULT 0,
    cancelled_by_staff INTEGER NOT NULL DEFAULT 0,
    source     TEXT NOT NULL,
    source_uid TEXT NOT NULL,
    UNIQUE (council_id, source, source_uid)
);
CREATE INDEX council_sessions_by_start ON council_sessions (org_id, starts_at, id);
CREATE INDEX council_sessions_by_council ON council_sessions (council_id, starts_at, id);
CREATE INDEX council_sessions_by_source ON council_sessions (org_id, source, council_id);
