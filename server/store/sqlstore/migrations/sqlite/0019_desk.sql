-- The list of cases reads the taken ones and those of today.

-- +goose Up
CREATE INDEX cases_by_state ON cases (org_id, state, since, id);
