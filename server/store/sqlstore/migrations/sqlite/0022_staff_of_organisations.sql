-- The name of a member of staff is unique in an organisation, not over all of them. SQLite
-- changes no key of a table, so the tables are made again. References follow the last ALTER TABLE.

-- +goose Up
CREATE TABLE staff_of_organisation (
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    org_id        TEXT    NOT NULL REFERENCES organisations (id),
    role          TEXT    NOT NULL DEFAULT 'administrator'
        CHECK (role IN ('support', 'lead', 'administrator', 'auditor')),
    disabled_at   INTEGER NOT NULL DEFAULT 0, -- 0 if it is in use
    sealed_secret TEXT    NOT NULL DEFAULT '',
    sealed_next_secret TEXT NOT NULL DEFAULT '', -- being set up
    issuer        TEXT    NOT NULL DEFAULT '',
    subject       TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (org_id, name)
);
INSERT INTO staff_of_organisation (name, password_hash, created_at, org_id, role, disabled_at, sealed_secret, sealed_next_secret, issuer, subject)
SELECT name, password_hash, created_at, org_id, role, disabled_at, sealed_secret, sealed_next_secret, issuer, subject FROM staff;

CREATE TABLE new_sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    browser    TEXT NOT NULL DEFAULT '',
    network    TEXT NOT NULL DEFAULT '',
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_sessions (token_hash, org_id, staff_name, created_at, expires_at, browser, network)
SELECT token_hash, org_id, staff_name, created_at, expires_at, browser, network FROM sessions;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;
CREATE INDEX sessions_by_staff ON sessions (org_id, staff_name, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE new_devices (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_devices (token_hash, org_id, staff_name, created_at, expires_at)
SELECT token_hash, org_id, staff_name, created_at, expires_at FROM devices;
DROP TABLE devices;
ALTER TABLE new_devices RENAME TO devices;
CREATE INDEX devices_by_staff ON devices (org_id, staff_name);
CREATE INDEX devices_by_expiry ON devices (expires_at);

CREATE TABLE new_one_time_logins (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_one_time_logins (token_hash, org_id, staff_name, created_at, expires_at, used_at)
SELECT token_hash, org_id, staff_name, created_at, expires_at, used_at FROM one_time_logins;
DROP TABLE one_time_logins;
ALTER TABLE new_one_time_logins RENAME TO one_time_logins;
CREATE INDEX one_time_logins_by_staff ON one_time_logins (org_id, staff_name);
CREATE INDEX one_time_logins_by_expiry ON one_time_logins (expires_at);

CREATE TABLE new_staff_invitations (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_staff_invitations (token_hash, org_id, staff_name, created_at, expires_at)
SELECT token_hash, org_id, staff_name, created_at, expires_at FROM staff_invitations;
DROP TABLE staff_invitations;
ALTER TABLE new_staff_invitations RENAME TO staff_invitations;
CREATE INDEX staff_invitations_by_staff ON staff_invitations (org_id, staff_name);
CREATE INDEX staff_invitations_by_expiry ON staff_invitations (expires_at);

CREATE TABLE new_login_challenges (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_login_challenges (token_hash, org_id, staff_name, created_at, expires_at)
SELECT token_hash, org_id, staff_name, created_at, expires_at FROM login_challenges;
DROP TABLE login_challenges;
ALTER TABLE new_login_challenges RENAME TO login_challenges;
CREATE INDEX login_challenges_by_staff ON login_challenges (org_id, staff_name);
CREATE INDEX login_challenges_by_expiry ON login_challenges (expires_at);

CREATE TABLE new_used_codes (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_used_codes (token_hash, org_id, staff_name, created_at, expires_at)
SELECT token_hash, org_id, staff_name, created_at, expires_at FROM used_codes;
DROP TABLE used_codes;
ALTER TABLE new_used_codes RENAME TO used_codes;
CREATE INDEX used_codes_by_staff ON used_codes (org_id, staff_name);
CREATE INDEX used_codes_by_expiry ON used_codes (expires_at);

CREATE TABLE new_recovery_codes (
    token_hash BLOB NOT NULL PRIMARY KEY,
    org_id     TEXT NOT NULL REFERENCES organisations (id),
    staff_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, staff_name) REFERENCES staff_of_organisation (org_id, name)
);
INSERT INTO new_recovery_codes (token_hash, org_id, staff_name, created_at, expires_at)
SELECT token_hash, org_id, staff_name, created_at, expires_at FROM recovery_codes;
DROP TABLE recovery_codes;
ALTER TABLE new_recovery_codes RENAME TO recovery_codes;
CREATE INDEX recovery_codes_by_staff ON recovery_codes (org_id, staff_name);

DROP TABLE staff;
ALTER TABLE staff_of_organisation RENAME TO staff;
CREATE UNIQUE INDEX staff_by_subject ON staff (org_id, issuer, subject) WHERE subject <> '';
