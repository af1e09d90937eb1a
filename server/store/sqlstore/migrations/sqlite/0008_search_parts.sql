-- The keys of a search: the ends of the words of each name and of each phone number, so
-- that any part of them is the beginning of a row, which an index finds.

-- +goose Up
CREATE TABLE search_parts (
    org_id         TEXT    NOT NULL REFERENCES organisations (id),
    kind           TEXT    NOT NULL CHECK (kind IN ('name', 'phone')),
    part           TEXT    NOT NULL, -- the end of a word, or its first letters
    place          INTEGER NOT NULL, -- letters of the word before it
    participant_id TEXT    NOT NULL REFERENCES participants (id) ON DELETE CASCADE,
    PRIMARY KEY (org_id, kind, part, place, participant_id)
) WITHOUT ROWID;
CREATE INDEX search_parts_by_participant ON search_parts (participant_id);

-- The second half of a case code.
CREATE INDEX reports_by_case_end ON reports (org_id, substr(case_code, 5), participant_id);
