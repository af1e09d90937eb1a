-- Times are Unix milliseconds UTC; 0 means never.

-- +goose Up
CREATE TABLE participants (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL, -- name without case and accents: sorted and searched by
    phone      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    blocked    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX participants_by_name ON participants (name_key, id);

CREATE TABLE enrol_codes (
    code_hash      BLOB    NOT NULL PRIMARY KEY,
    participant_id TEXT    NOT NULL REFERENCES participants (id),
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    used_at        INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX enrol_codes_by_expiry ON enrol_codes (expires_at);

CREATE TABLE agents (
    id             TEXT    NOT NULL PRIMARY KEY,
    participant_id TEXT    NOT NULL REFERENCES participants (id),
    token_hash     BLOB    NOT NULL UNIQUE,
    version        TEXT    NOT NULL,
    os             TEXT    NOT NULL,
    arch           TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    last_seen_at   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX agents_by_participant ON agents (participant_id, created_at);

CREATE TABLE reports (
    id               TEXT    NOT NULL PRIMARY KEY,
    agent_id         TEXT    NOT NULL REFERENCES agents (id),
    participant_id   TEXT    NOT NULL REFERENCES participants (id),
    case_code        TEXT    NOT NULL,
    trigger_kind     TEXT    NOT NULL,
    started_at       INTEGER NOT NULL, -- agent's clock
    checked_at       INTEGER NOT NULL, -- started_at on the server's clock, as well as is known
    received_at      INTEGER NOT NULL, -- server's clock
    verdict          TEXT    NOT NULL,
    primary_code     TEXT    NOT NULL, -- '' when there is no primary cause
    primary_severity TEXT    NOT NULL,
    primary_area     TEXT    NOT NULL,
    document         BLOB    NOT NULL  -- the report's JSON, zstd
);
CREATE INDEX reports_by_participant ON reports (participant_id, checked_at DESC, id DESC);
CREATE INDEX reports_by_case ON reports (case_code, checked_at DESC, id DESC);

-- One row for each participant, so that the dashboard never scans the reports.
CREATE TABLE latest (
    participant_id TEXT    NOT NULL PRIMARY KEY REFERENCES participants (id),
    report_id      TEXT             REFERENCES reports (id), -- NULL before the first check
    verdict        TEXT    NOT NULL DEFAULT '',
    verdict_rank   INTEGER NOT NULL DEFAULT 9,               -- worst first; 9 is never checked
    checked_at     INTEGER NOT NULL DEFAULT 0,
    enrolled       INTEGER NOT NULL DEFAULT 0,
    last_seen_at   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX latest_by_recent ON latest ((-checked_at), participant_id);
CREATE INDEX latest_by_urgency ON latest (verdict_rank, (-checked_at), participant_id);

CREATE TABLE staff (
    name          TEXT    NOT NULL PRIMARY KEY,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    staff_name TEXT    NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sessions_by_staff ON sessions (staff_name);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE one_time_logins (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    staff_name TEXT    NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX one_time_logins_by_expiry ON one_time_logins (expires_at);
