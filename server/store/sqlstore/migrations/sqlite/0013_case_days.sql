-- Case codes are random, so each report changed another page of their index. These indexes
-- begin with the day on which the report was received, so that only the pages of one day
-- change.

-- +goose Up
DROP INDEX reports_by_case;
CREATE INDEX reports_by_case ON reports (org_id, received_at / 86400000, case_code);
DROP INDEX reports_by_case_end;
CREATE INDEX reports_by_case_end ON reports (org_id, received_at / 86400000, substr(case_code, 5));
