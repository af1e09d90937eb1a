-- Accounts of staff that sign in with a provider of OpenID Connect: who they are there. Both are ''
-- for an account that does not.

-- +goose Up
ALTER TABLE staff ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX staff_by_subject ON staff (org_id, issuer, subject) WHERE subject <> '';
