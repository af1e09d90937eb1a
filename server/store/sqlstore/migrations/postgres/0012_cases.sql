-- The work of staff on a report, which is a case: who has taken it, the notes, and the actual
-- cause. A case has a row from its first entry on.
--
-- When its report or its participant is deleted, everything in a case that refers to a person
-- is deleted. Of a closed case, the two causes and the day remain for the statistics of the
-- named causes.

-- +goose Up
CREATE TABLE cases (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    report_id      TEXT COLLATE "C" UNIQUE REFERENCES reports (id) ON DELETE CASCADE, -- NULL once the report is gone
    participant_id TEXT COLLATE "C" REFERENCES participants (id) ON DELETE CASCADE,   -- likewise
    state          TEXT    NOT NULL CHECK (state IN ('open', 'taken', 'closed')),
    staff_name     TEXT    NOT NULL, -- who has taken or closed it; '' if nobody. Staff may be gone since
    since          BIGINT  NOT NULL, -- of the state
    named_code     TEXT COLLATE "C" NOT NULL, -- the primary cause of the report; '' for none
    true_code      TEXT COLLATE "C" NOT NULL, -- '' until it is closed
    closed_at      BIGINT  NOT NULL  -- 0 until it is closed
);
CREATE INDEX cases_by_participant ON cases (participant_id, since, id);
CREATE INDEX cases_by_cause ON cases (org_id, named_code, true_code, closed_at);

CREATE TABLE case_entries (
    case_id    TEXT COLLATE "C" NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    number     BIGINT  NOT NULL,
    at         BIGINT  NOT NULL,
    staff_name TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('note', 'taken', 'released', 'closed', 'reopened')),
    text       TEXT    NOT NULL,
    cause      TEXT    NOT NULL, -- of 'closed'
    PRIMARY KEY (case_id, number)
);
