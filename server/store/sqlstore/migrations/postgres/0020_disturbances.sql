-- The record of the disturbances of a session, for the minutes. It outlives the session and the
-- reports that it quotes. Entries never change. What an entry says about a person is in rows of
-- disturbance_people, whose texts are erased with the person; the hashes, which the hash of the
-- record covers, remain.

-- +goose Up
CREATE TABLE disturbance_records (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    session_id TEXT COLLATE "C" NOT NULL UNIQUE, -- the session may be gone
    head       TEXT NOT NULL,
    starts_at  BIGINT NOT NULL, -- of the session
    closed_at  BIGINT NOT NULL  -- 0 while it is open
);
CREATE INDEX disturbance_records_by_start ON disturbance_records (org_id, starts_at, id);

CREATE TABLE disturbance_entries (
    record_id      TEXT COLLATE "C" NOT NULL REFERENCES disturbance_records (id),
    number         BIGINT NOT NULL,
    entry_key      TEXT COLLATE "C" NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('reported', 'ended', 'diagnosed', 'correction', 'closed')),
    at             BIGINT NOT NULL,
    about          BIGINT NOT NULL, -- number of the entry with the disturbance; 0 for none
    participant_id TEXT COLLATE "C" REFERENCES participants (id), -- NULL once the person is erased
    text           TEXT NOT NULL,
    hash           TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (record_id, number),
    UNIQUE (record_id, entry_key)
);
CREATE INDEX disturbance_entries_by_participant ON disturbance_entries (participant_id);

CREATE TABLE disturbance_people (
    record_id      TEXT COLLATE "C" NOT NULL,
    number         BIGINT NOT NULL,
    place          BIGINT NOT NULL,
    participant_id TEXT COLLATE "C" REFERENCES participants (id), -- NULL for nobody, or once the person is erased
    hash           TEXT COLLATE "C" NOT NULL,
    text           TEXT NOT NULL, -- '' once it is erased
    PRIMARY KEY (record_id, number, place)
);
CREATE INDEX disturbance_people_by_participant ON disturbance_people (participant_id);
