-- What staff did, and whose pages they read. Nothing refers to staff or participants, because
-- entries outlive both.

-- +goose Up
CREATE TABLE audit_log (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- UUIDv7
    org_id         TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    at             BIGINT NOT NULL,
    staff_name     TEXT COLLATE "C" NOT NULL, -- '' for a command
    role           TEXT NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    participant_id TEXT COLLATE "C" NOT NULL, -- '' for none
    report_id      TEXT COLLATE "C" NOT NULL, -- '' for none
    subject        TEXT NOT NULL,
    network        TEXT NOT NULL
);
CREATE INDEX audit_log_by_time ON audit_log (org_id, at, id);
CREATE INDEX audit_log_by_staff ON audit_log (org_id, staff_name, at, id);
CREATE INDEX audit_log_by_kind ON audit_log (org_id, kind, at, id);
CREATE INDEX audit_log_by_participant ON audit_log (org_id, participant_id, at, id);

-- +goose StatementBegin
CREATE FUNCTION audit_log_is_not_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit log are not changed';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_not_changed();
