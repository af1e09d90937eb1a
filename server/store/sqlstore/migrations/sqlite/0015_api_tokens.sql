-- Tokens with which other programs read through the API.

-- +goose Up
CREATE TABLE api_tokens (
    id         TEXT    NOT NULL PRIMARY KEY,
    org_id     TEXT    NOT NULL REFERENCES organisations (id),
    name       TEXT    NOT NULL,
    token_hash BLOB    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL, -- with spaces between
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL, -- 0 if it was never used
    UNIQUE (org_id, name)
);
