-- Browsers in which a member of staff has signed in before. Each has its own
-- budget of wrong passwords, so that nobody else can lock it out.

-- +goose Up
CREATE TABLE devices (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    staff_name TEXT    NOT NULL REFERENCES staff (name),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX devices_by_staff ON devices (staff_name);
CREATE INDEX devices_by_expiry ON devices (expires_at);
