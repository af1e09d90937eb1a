-- Who was erased, as keyed hashes of ids and tokens, so that neither a delivery nor a restored
-- backup brings them back. Neither table contains personal data.

-- +goose Up
CREATE TABLE erasure_keys (
    erasure_key BYTEA NOT NULL PRIMARY KEY
);
-- Two random UUIDs have 244 random bits.
INSERT INTO erasure_keys (erasure_key) VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

CREATE TABLE tombstones (
    org_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    hash   BYTEA NOT NULL,
    PRIMARY KEY (org_id, hash)
);

-- Remarks of staff, which may name anybody.
CREATE INDEX disturbance_people_remarks ON disturbance_people (record_id) WHERE substr(text, 1, 16) = '{"role":"remark"';

-- Entries are still not changed, but lose the id of a participant who is erased.
DROP TRIGGER audit_log_is_not_changed ON audit_log;
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
    FOR EACH ROW WHEN (NOT (NEW.id = OLD.id AND NEW.org_id = OLD.org_id AND NEW.at = OLD.at AND NEW.staff_name = OLD.staff_name
        AND NEW.role = OLD.role AND NEW.kind = OLD.kind AND NEW.subject = OLD.subject AND NEW.network = OLD.network
        AND OLD.participant_id <> '' AND substr(OLD.participant_id, 1, 7) <> 'erased:'
        AND substr(NEW.participant_id, 1, 7) = 'erased:' AND NEW.report_id = ''))
    EXECUTE FUNCTION audit_log_is_not_changed();
