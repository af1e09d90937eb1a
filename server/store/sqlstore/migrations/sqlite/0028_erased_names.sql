-- Names and ids in other systems of erased people, as keyed hashes with the day, so that an import does
-- not add them again; and the ids of those who are participants, so that there is something to hash.

-- +goose Up
CREATE TABLE erased_names (
    org_id    TEXT NOT NULL REFERENCES organisations (id),
    hash      BLOB NOT NULL,
    erased_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, hash)
) WITHOUT ROWID;
CREATE INDEX erased_names_by_time ON erased_names (org_id, erased_at);

CREATE TABLE participant_sources (
    org_id         TEXT NOT NULL REFERENCES organisations (id),
    hash           BLOB NOT NULL,
    participant_id TEXT NOT NULL REFERENCES participants (id),
    PRIMARY KEY (org_id, hash)
) WITHOUT ROWID;
CREATE INDEX participant_sources_by_participant ON participant_sources (participant_id);
