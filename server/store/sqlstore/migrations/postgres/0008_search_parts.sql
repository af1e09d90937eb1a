-- The keys of a search: the ends of the words of each name and of each phone number, so
-- that any part of them is the beginning of a row, which an index finds.

-- +goose Up
CREATE TABLE search_parts (
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('name', 'phone')),
    part           TEXT COLLATE "C" NOT NULL, -- the end of a word, or its first letters
    place          BIGINT NOT NULL,           -- letters of the word before it
    participant_id TEXT COLLATE "C" NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
    PRIMARY KEY (org_id, kind, part, place, participant_id)
);
CREATE INDEX search_parts_by_participant ON search_parts (participant_id);

-- The second half of a case code.
CREATE INDEX reports_by_case_end ON reports (org_id, substr(case_code, 5), participant_id);

-- The agent of a report already belongs to the organisation. The check of this reference
-- locked the row of the organisation for each report, and other transactions update the
-- revision in that row.
ALTER TABLE reports DROP CONSTRAINT reports_org_id_fkey;
