-- What a check left out decides what the list says of it (diagnose.HeadlineKey). It is
-- kept when the report arrives; '' for reports of before, whose documents tell.

-- +goose Up
ALTER TABLE reports ADD COLUMN headline TEXT NOT NULL DEFAULT '';
