-- Everything belongs to an organisation; there is one by default. Councils and roles
-- are added. The columns by which lists are sorted become plain ones, and the values
-- that lists show and sort by are computed when a report arrives.
--
-- SQLite adds no column that refers to another table and has a default (ALTER
-- TABLE, "ADD COLUMN" restrictions), so org_id refers to organisations in
-- PostgreSQL only.

-- +goose Up
CREATE TABLE organisations (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    -- revision counts the changes of the list of participants, and
    -- deleted_revision is that of the last deletion, which leaves no row behind.
    revision         INTEGER NOT NULL DEFAULT 0,
    deleted_revision INTEGER NOT NULL DEFAULT 0
);
INSERT INTO organisations (id, name, created_at) VALUES ('default', '', 0);

ALTER TABLE participants    ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE enrol_codes     ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE agents          ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE reports         ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE staff           ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE sessions        ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE devices         ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';
ALTER TABLE one_time_logins ADD COLUMN org_id TEXT NOT NULL DEFAULT 'default';

ALTER TABLE staff ADD COLUMN role TEXT NOT NULL DEFAULT 'administrator'
    CHECK (role IN ('support', 'lead', 'administrator', 'auditor'));

-- The forms that a search compares: the name with umlauts as one letter without dots,
-- the phone number as its digits with the national prefix.
ALTER TABLE participants ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN phone_key  TEXT NOT NULL DEFAULT '';
UPDATE participants SET
    search_key = replace(replace(replace(name_key, 'ae', 'a'), 'oe', 'o'), 'ue', 'u'),
    phone_key = replace(replace(replace(replace(replace(replace(phone, ' ', ''), '/', ''), '-', ''), '(', ''), ')', ''), '+49', '0');

DROP INDEX participants_by_name;
CREATE INDEX participants_by_name ON participants (org_id, name_key, id);
DROP INDEX reports_by_case;
CREATE INDEX reports_by_case ON reports (org_id, case_code, checked_at, id);
DROP INDEX reports_by_participant;
CREATE INDEX reports_by_participant ON reports (participant_id, checked_at, id);
DROP INDEX reports_by_receipt;
CREATE INDEX reports_by_receipt ON reports (org_id, received_at);
DROP INDEX agents_by_participant;
CREATE INDEX agents_by_participant ON agents (participant_id, created_at, id);
CREATE INDEX one_time_logins_by_staff ON one_time_logins (staff_name);

CREATE TABLE councils (
    id         TEXT    NOT NULL PRIMARY KEY,
    org_id     TEXT    NOT NULL REFERENCES organisations (id),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX councils_by_organisation ON councils (org_id, name, id);

CREATE TABLE council_members (
    council_id     TEXT NOT NULL REFERENCES councils (id),
    participant_id TEXT NOT NULL REFERENCES participants (id),
    PRIMARY KEY (council_id, participant_id)
);
CREATE INDEX council_members_by_participant ON council_members (participant_id);

-- The list of participants reads this table and never the reports.
CREATE TABLE latest_of_organisation (
    participant_id   TEXT    NOT NULL PRIMARY KEY REFERENCES participants (id),
    org_id           TEXT    NOT NULL REFERENCES organisations (id),
    blocked          INTEGER NOT NULL DEFAULT 0,             -- as in participants
    report_id        TEXT             REFERENCES reports (id), -- the last check; NULL before the first
    last_verdict     TEXT    NOT NULL DEFAULT '',
    checked_at       INTEGER NOT NULL DEFAULT 0,
    received_at      INTEGER NOT NULL DEFAULT 0,
    case_code        TEXT    NOT NULL DEFAULT '',
    full_report_id   TEXT             REFERENCES reports (id), -- the last that heard the microphone
    full_verdict     TEXT    NOT NULL DEFAULT '',
    full_checked_at  INTEGER NOT NULL DEFAULT 0,
    full_received_at INTEGER NOT NULL DEFAULT 0,
    verdict          TEXT    NOT NULL DEFAULT '',            -- what both say together
    verdict_rank     INTEGER NOT NULL DEFAULT 9,             -- worst first; 9 is never checked
    counts_at        INTEGER NOT NULL DEFAULT 0,             -- the older of the checks that verdict rests on
    enrolled         INTEGER NOT NULL DEFAULT 0,
    last_seen_at     INTEGER NOT NULL DEFAULT 0,
    revision         INTEGER NOT NULL DEFAULT 0              -- of the last change of this row
);
INSERT INTO latest_of_organisation (participant_id, org_id, blocked, report_id, last_verdict, checked_at, received_at,
    case_code, full_report_id, full_verdict, full_checked_at, full_received_at, verdict, verdict_rank, counts_at, enrolled, last_seen_at)
SELECT l.participant_id, 'default', p.blocked, l.report_id, coalesce(r.verdict, ''), l.checked_at, coalesce(r.received_at, 0),
    coalesce(r.case_code, ''), l.full_report_id, l.full_verdict, l.full_checked_at, coalesce(f.received_at, 0), l.verdict, l.verdict_rank,
    CASE l.verdict WHEN 'ready' THEN min(l.checked_at, l.full_checked_at) ELSE l.checked_at END, l.enrolled, l.last_seen_at
FROM latest l JOIN participants p ON p.id = l.participant_id
LEFT JOIN reports r ON r.id = l.report_id LEFT JOIN reports f ON f.id = l.full_report_id;
DROP TABLE latest;
ALTER TABLE latest_of_organisation RENAME TO latest;
CREATE INDEX latest_by_urgency ON latest (org_id, verdict_rank, counts_at, participant_id, blocked);
CREATE INDEX latest_by_recent ON latest (org_id, checked_at, participant_id);
CREATE INDEX latest_by_revision ON latest (org_id, revision);
CREATE INDEX latest_by_report ON latest (report_id);
CREATE INDEX latest_by_full_report ON latest (full_report_id);
