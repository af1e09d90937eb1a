-- Tokens of agents besides agents.token_hash: the next one, which is valid but has not been
-- used, and former ones, which are kept so that an old copy of an agent is recognised.

-- +goose Up
CREATE TABLE agent_tokens (
    token_hash  BLOB    NOT NULL PRIMARY KEY,
    org_id      TEXT    NOT NULL REFERENCES organisations (id),
    agent_id    TEXT    NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    replaced_at INTEGER NOT NULL -- 0 for the next one
) WITHOUT ROWID;
CREATE INDEX agent_tokens_by_agent ON agent_tokens (agent_id, replaced_at);

-- When staff asked the agent for a new token; 0 if it has one since.
ALTER TABLE agents ADD COLUMN renewal_asked_at INTEGER NOT NULL DEFAULT 0;
