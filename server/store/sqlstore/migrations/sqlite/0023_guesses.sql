-- The limits of wrong passwords and codes, which all collectors share. Only failed attempts are
-- stored: a bucket is a limit and a fingerprint of its key, such as an address, and expires_at is
-- when all its attempts are available again; an empty bucket fills in full_ms.

-- +goose Up
CREATE TABLE guesses (
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    bucket     TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    full_ms    INTEGER NOT NULL,
    PRIMARY KEY (org_id, bucket)
);
CREATE INDEX guesses_by_expiry ON guesses (org_id, expires_at);
