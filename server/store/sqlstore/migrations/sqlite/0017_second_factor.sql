-- A second factor of staff: its secret, encrypted with a key that is not in the database, the
-- codes that were used, and the codes for a lost device. A login whose password was right waits
-- in login_challenges.

-- +goose Up
ALTER TABLE staff ADD COLUMN sealed_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN sealed_next_secret TEXT NOT NULL DEFAULT ''; -- being set up

CREATE TABLE login_challenges (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX login_challenges_by_staff ON login_challenges (staff_name);
CREATE INDEX login_challenges_by_expiry ON login_challenges (expires_at);

CREATE TABLE used_codes (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX used_codes_by_staff ON used_codes (staff_name);
CREATE INDEX used_codes_by_expiry ON used_codes (expires_at);

CREATE TABLE recovery_codes (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX recovery_codes_by_staff ON recovery_codes (staff_name);
