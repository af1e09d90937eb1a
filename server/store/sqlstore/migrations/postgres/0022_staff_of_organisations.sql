-- The name of a member of staff is unique in an organisation, not over all of them.

-- +goose Up
ALTER TABLE sessions          DROP CONSTRAINT sessions_staff_name_fkey;
ALTER TABLE devices           DROP CONSTRAINT devices_staff_name_fkey;
ALTER TABLE one_time_logins   DROP CONSTRAINT one_time_logins_staff_name_fkey;
ALTER TABLE staff_invitations DROP CONSTRAINT staff_invitations_staff_name_fkey;
ALTER TABLE login_challenges  DROP CONSTRAINT login_challenges_staff_name_fkey;
ALTER TABLE used_codes        DROP CONSTRAINT used_codes_staff_name_fkey;
ALTER TABLE recovery_codes    DROP CONSTRAINT recovery_codes_staff_name_fkey;

ALTER TABLE staff DROP CONSTRAINT staff_pkey;
ALTER TABLE staff ADD PRIMARY KEY (org_id, name);

ALTER TABLE sessions          ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);
ALTER TABLE devices           ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);
ALTER TABLE one_time_logins   ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);
ALTER TABLE staff_invitations ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);
ALTER TABLE login_challenges  ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);
ALTER TABLE used_codes        ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);
ALTER TABLE recovery_codes    ADD FOREIGN KEY (org_id, staff_name) REFERENCES staff (org_id, name);

DROP INDEX sessions_by_staff;
DROP INDEX devices_by_staff;
DROP INDEX one_time_logins_by_staff;
DROP INDEX staff_invitations_by_staff;
DROP INDEX login_challenges_by_staff;
DROP INDEX used_codes_by_staff;
DROP INDEX recovery_codes_by_staff;
CREATE INDEX sessions_by_staff          ON sessions (org_id, staff_name, created_at);
CREATE INDEX devices_by_staff           ON devices (org_id, staff_name);
CREATE INDEX one_time_logins_by_staff   ON one_time_logins (org_id, staff_name);
CREATE INDEX staff_invitations_by_staff ON staff_invitations (org_id, staff_name);
CREATE INDEX login_challenges_by_staff  ON login_challenges (org_id, staff_name);
CREATE INDEX used_codes_by_staff        ON used_codes (org_id, staff_name);
CREATE INDEX recovery_codes_by_staff    ON recovery_codes (org_id, staff_name);
