-- A reference needs an index on the side that refers, and three of these indexes changed a
-- page of their own with each report. Agents are deleted only with their participant,
-- after its reports; reports only if no row of latest names them. Without their
-- references, the tables need no indexes for that.
--
-- The text of a table may be changed as long as its rows are stored as before:
-- https://www.sqlite.org/lang_altertable.html#otheralter. The first statement also tells
-- other connections to read the texts again.

-- +goose Up
DROP INDEX reports_by_agent;
DROP INDEX latest_by_report;
DROP INDEX latest_by_full_report;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES agents (id)', '') WHERE type = 'table' AND name = 'reports';
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES reports (id)', '') WHERE type = 'table' AND name = 'latest';
PRAGMA writable_schema = RESET;
