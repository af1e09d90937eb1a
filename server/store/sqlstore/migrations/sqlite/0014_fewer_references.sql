-- A reference needs an index on the referring side, and each report changed a page in three
-- of these indexes. Agents are deleted only with their participant, after its reports, and
-- reports only if no row of latest refers to them. Without the references, the tables do not
-- need these indexes.
--
-- The text of a table may be changed as long as its rows are stored as before:
-- https://www.sqlite.org/lang_altertable.html#otheralter. The first statement also makes
-- other connections read the texts again.

-- +goose Up
DROP INDEX reports_by_agent;
DROP INDEX latest_by_report;
DROP INDEX latest_by_full_report;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES agents (id)', '') WHERE type = 'table' AND name = 'reports';
UPDATE sqlite_schema SET sql = replace(sql, ' REFERENCES reports (id)', '') WHERE type = 'table' AND name = 'latest';
PRAGMA writable_schema = RESET;
