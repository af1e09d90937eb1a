-- The tables of SQLite's version 6, which is the first version for PostgreSQL.
--
-- Times are Unix milliseconds UTC; 0 means never. Identifiers and keys are
-- compared byte by byte (COLLATE "C"), as SQLite and Go compare them.

-- +goose Up
CREATE TABLE organisations (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    -- revision counts the changes of the list of participants, and
    -- deleted_revision is that of the last deletion, which leaves no row behind.
    revision         BIGINT NOT NULL DEFAULT 0,
    deleted_revision BIGINT NOT NULL DEFAULT 0
);
INSERT INTO organisations (id, name, created_at) VALUES ('default', '', 0);

CREATE TABLE participants (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    name       TEXT    NOT NULL,
    name_key   TEXT COLLATE "C" NOT NULL, -- name without case and accents: sorted by
    search_key TEXT COLLATE "C" NOT NULL, -- name_key with umlauts as one letter without dots
    phone      TEXT    NOT NULL,
    phone_key  TEXT COLLATE "C" NOT NULL, -- its digits with the national prefix
    created_at BIGINT  NOT NULL,
    blocked    BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX participants_by_name ON participants (org_id, name_key, id);

CREATE TABLE councils (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX councils_by_organisation ON councils (org_id, name, id);

CREATE TABLE council_members (
    council_id     TEXT COLLATE "C" NOT NULL REFERENCES councils (id),
    participant_id TEXT COLLATE "C" NOT NULL REFERENCES participants (id),
    PRIMARY KEY (council_id, participant_id)
);
CREATE INDEX council_members_by_participant ON council_members (participant_id);

CREATE TABLE enrol_codes (
    code_hash      BYTEA  NOT NULL PRIMARY KEY,
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    participant_id TEXT COLLATE "C" NOT NULL REFERENCES participants (id),
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX enrol_codes_by_expiry ON enrol_codes (expires_at);
CREATE INDEX enrol_codes_by_participant ON enrol_codes (participant_id);

CREATE TABLE agents (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    participant_id TEXT COLLATE "C" NOT NULL REFERENCES participants (id),
    token_hash     BYTEA  NOT NULL UNIQUE,
    version        TEXT   NOT NULL,
    os             TEXT   NOT NULL,
    arch           TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    last_seen_at   BIGINT NOT NULL DEFAULT 0,
    revoked_at     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX agents_by_participant ON agents (participant_id, created_at, id);

CREATE TABLE reports (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id           TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    agent_id         TEXT COLLATE "C" NOT NULL REFERENCES agents (id),
    participant_id   TEXT COLLATE "C" NOT NULL REFERENCES participants (id),
    case_code        TEXT COLLATE "C" NOT NULL,
    trigger_kind     TEXT   NOT NULL,
    started_at       BIGINT NOT NULL, -- agent's clock
    checked_at       BIGINT NOT NULL, -- started_at on the server's clock, as well as is known
    received_at      BIGINT NOT NULL, -- server's clock
    verdict          TEXT   NOT NULL,
    primary_code     TEXT   NOT NULL, -- '' when there is no primary cause
    primary_severity TEXT   NOT NULL,
    primary_area     TEXT   NOT NULL,
    document         BYTEA  NOT NULL  -- the report's JSON, zstd
);
-- The document is already compressed.
ALTER TABLE reports ALTER COLUMN document SET STORAGE EXTERNAL;
CREATE INDEX reports_by_participant ON reports (participant_id, checked_at, id);
CREATE INDEX reports_by_case ON reports (org_id, case_code, checked_at, id);
CREATE INDEX reports_by_receipt ON reports (org_id, received_at);
CREATE INDEX reports_by_agent ON reports (agent_id);

-- The list of participants reads this table and never the reports.
CREATE TABLE latest (
    participant_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES participants (id),
    org_id           TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    blocked          BOOLEAN NOT NULL DEFAULT FALSE,         -- as in participants
    report_id        TEXT COLLATE "C" REFERENCES reports (id), -- the last check; NULL before the first
    last_verdict     TEXT    NOT NULL DEFAULT '',
    checked_at       BIGINT  NOT NULL DEFAULT 0,
    received_at      BIGINT  NOT NULL DEFAULT 0,
    case_code        TEXT COLLATE "C" NOT NULL DEFAULT '',
    full_report_id   TEXT COLLATE "C" REFERENCES reports (id), -- the last that heard the microphone
    full_verdict     TEXT    NOT NULL DEFAULT '',
    full_checked_at  BIGINT  NOT NULL DEFAULT 0,
    full_received_at BIGINT  NOT NULL DEFAULT 0,
    verdict          TEXT    NOT NULL DEFAULT '',            -- what both say together
    verdict_rank     BIGINT  NOT NULL DEFAULT 9,             -- worst first; 9 is never checked
    counts_at        BIGINT  NOT NULL DEFAULT 0,             -- the older of the checks that verdict rests on
    enrolled         BOOLEAN NOT NULL DEFAULT FALSE,
    last_seen_at     BIGINT  NOT NULL DEFAULT 0,
    revision         BIGINT  NOT NULL DEFAULT 0              -- of the last change of this row
);
CREATE INDEX latest_by_urgency ON latest (org_id, verdict_rank, counts_at, participant_id, blocked);
CREATE INDEX latest_by_recent ON latest (org_id, checked_at, participant_id);
CREATE INDEX latest_by_revision ON latest (org_id, revision);
CREATE INDEX latest_by_report ON latest (report_id);
CREATE INDEX latest_by_full_report ON latest (full_report_id);

CREATE TABLE staff (
    name          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id        TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    role          TEXT   NOT NULL DEFAULT 'administrator'
        CHECK (role IN ('support', 'lead', 'administrator', 'auditor')),
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    staff_name TEXT COLLATE "C" NOT NULL REFERENCES staff (name),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_staff ON sessions (staff_name);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE devices (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    staff_name TEXT COLLATE "C" NOT NULL REFERENCES staff (name),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX devices_by_staff ON devices (staff_name);
CREATE INDEX devices_by_expiry ON devices (expires_at);

CREATE TABLE one_time_logins (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    staff_name TEXT COLLATE "C" NOT NULL REFERENCES staff (name),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX one_time_logins_by_staff ON one_time_logins (staff_name);
CREATE INDEX one_time_logins_by_expiry ON one_time_logins (expires_at);
