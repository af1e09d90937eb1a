-- Names and ids in other systems of erased people, as keyed hashes with the day, so that an import does
-- not add them again; and the ids of those who are participants, so that there is something to hash.

-- +goose Up
CREATE TABLE erased_names (
    org_id    TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    hash      BYTEA NOT NULL,
    erased_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, hash)
);
CREATE INDEX erased_names_by_time ON erased_names (org_id, erased_at);

CREATE TABLE participant_sources (
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    hash           BYTEA NOT NULL,
    participant_id TEXT COLLATE "C" NOT NULL REFERENCES participants (id),
    PRIMARY KEY (org_id, hash)
);
CREATE INDEX participant_sources_by_participant ON participant_sources (participant_id);
