-- A reference needs an index on the referring side, and each report changed a page in three
-- of these indexes. Agents are deleted only with their participant, after its reports, and
-- reports only if no row of latest refers to them. Without the references, the tables do not
-- need these indexes.

-- +goose Up
DROP INDEX reports_by_agent;
DROP INDEX latest_by_report;
DROP INDEX latest_by_full_report;
ALTER TABLE reports DROP CONSTRAINT reports_agent_id_fkey;
ALTER TABLE latest DROP CONSTRAINT latest_report_id_fkey;
ALTER TABLE latest DROP CONSTRAINT latest_full_report_id_fkey;
