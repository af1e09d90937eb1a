-- Tokens with which other programs read through the API.

-- +goose Up
CREATE TABLE api_tokens (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id     TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    name       TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA  NOT NULL UNIQUE,
    scopes     TEXT   NOT NULL, -- with spaces between
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL, -- 0 if it was never used
    UNIQUE (org_id, name)
);
