-- The periods of council sessions and of people without a council. In a database with data they apply 30 days
-- after this migration (begins_at). people_without_council is since when a person has been in no council, or the last
-- contact of their computers if that is later.

-- +goose Up
ALTER TABLE retention_runs ADD COLUMN begins_at BIGINT NOT NULL DEFAULT 0;
INSERT INTO retention_runs (org_id, data_class, ran_at, deleted_at, deleted, begins_at)
    SELECT o.id, c.data_class, 0, 0, 0, (extract(epoch FROM now())::BIGINT + 30 * 86400) * 1000
    FROM organisations o, (SELECT 'council_sessions' AS data_class UNION ALL SELECT 'people') c
    WHERE EXISTS (SELECT 1 FROM participants p WHERE p.org_id = o.id) OR EXISTS (SELECT 1 FROM councils k WHERE k.org_id = o.id);

CREATE TABLE people_without_council (
    participant_id TEXT COLLATE "C" PRIMARY KEY REFERENCES participants (id),
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    since          BIGINT NOT NULL
);
CREATE INDEX people_without_council_by_time ON people_without_council (org_id, since, participant_id);
