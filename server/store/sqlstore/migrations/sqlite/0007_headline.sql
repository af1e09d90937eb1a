-- The headline of a check in the list depends on what the check omitted
-- (diagnose.HeadlineKey). It is stored when the report arrives, and '' for earlier reports,
-- whose headline is derived from their documents.

-- +goose Up
ALTER TABLE reports ADD COLUMN headline TEXT NOT NULL DEFAULT '';
