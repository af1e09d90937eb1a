-- The sessions of councils. A session that was entered by hand has the source '' and
-- its own id as uid. closes_at is ends_at, or the assumed end if that is not known (0).

-- +goose Up
DROP INDEX councils_by_organisation;
CREATE UNIQUE INDEX councils_by_name ON councils (org_id, name);

CREATE TABLE council_sessions (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    council_id TEXT COLLATE "C" NOT NULL REFERENCES councils (id),
    title      TEXT NOT NULL,
    starts_at  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    closes_at  BIGINT NOT NULL,
    target     TEXT NOT NULL,
    profile    TEXT NOT NULL,
    place      TEXT NOT NULL,
    cancelled  BOOLEAN NOT NULL DEFAULT FALSE,
    cancelled_by_staff BOOLEAN NOT NULL DEFAULT FALSE,
    source     TEXT COLLATE "C" NOT NULL,
    source_uid TEXT COLLATE "C" NOT NULL,
    UNIQUE (council_id, source, source_uid)
);
CREATE INDEX council_sessions_by_start ON council_sessions (org_id, starts_at, id);
CREATE INDEX council_sessions_by_council ON council_sessions (council_id, starts_at, id);
CREATE INDEX council_sessions_by_source ON council_sessions (org_id, source, council_id);
