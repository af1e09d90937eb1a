-- Accounts of staff can be disabled, and begin with an invitation. Sessions have what tells
-- them apart in a list. Existing members keep their role, which is administrator.

-- +goose Up
ALTER TABLE staff ADD COLUMN disabled_at INTEGER NOT NULL DEFAULT 0; -- 0 if it is in use
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN network TEXT NOT NULL DEFAULT '';

CREATE TABLE staff_invitations (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX staff_invitations_by_staff ON staff_invitations (staff_name);
CREATE INDEX staff_invitations_by_expiry ON staff_invitations (expires_at);
