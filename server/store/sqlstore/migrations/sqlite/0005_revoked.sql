-- When an agent's token was ended by staff; 0 means never, or enrolled again since.

-- +goose Up
ALTER TABLE agents ADD COLUMN revoked_at INTEGER NOT NULL DEFAULT 0;
