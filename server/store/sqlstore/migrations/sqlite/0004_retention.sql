-- Reports are deleted by their age. Foreign keys need an index on the referring
-- side, or each deletion would scan the whole table.

-- +goose Up
CREATE INDEX reports_by_receipt ON reports (received_at);
CREATE INDEX reports_by_agent ON reports (agent_id);
CREATE INDEX latest_by_report ON latest (report_id);
CREATE INDEX latest_by_full_report ON latest (full_report_id);
CREATE INDEX enrol_codes_by_participant ON enrol_codes (participant_id);
