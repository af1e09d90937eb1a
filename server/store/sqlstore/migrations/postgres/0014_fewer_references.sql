-- A reference needs an index on the side that refers, and three of these indexes changed a
-- page of their own with each report. Agents are deleted only with their participant,
-- after its reports; reports only if no row of latest names them. Without their
-- references, the tables need no indexes for that.

-- +goose Up
DROP INDEX reports_by_agent;
DROP INDEX latest_by_report;
DROP INDEX latest_by_full_report;
ALTER TABLE reports DROP CONSTRAINT reports_agent_id_fkey;
ALTER TABLE latest DROP CONSTRAINT latest_report_id_fkey;
ALTER TABLE latest DROP CONSTRAINT latest_full_report_id_fkey;
