package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddStaff implements store.Staff.
func (s *Store) AddStaff(ctx context.Context, m store.StaffMember) error {
	_, err := s.write.exec(ctx, `INSERT INTO staff (name, org_id, role, password_hash, created_at, issuer, subject) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		m.Name, s.org, string(m.Role), m.PasswordHash, millis(m.CreatedAt), m.Issuer, m.Subject)
	if s.write.taken(err) {
		return fmt.Errorf("user %s: %w", m.Name, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	return nil
}

const staffColumns = `name, role, password_hash, created_at, disabled_at, sealed_secret, sealed_next_secret, issuer, subject`

// StaffMember implements store.Staff.
func (s *Store) StaffMember(ctx context.Context, name string) (store.StaffMember, error) {
	m, err := scanStaff(s.read.row(ctx, `SELECT `+staffColumns+` FROM staff WHERE name = ? AND org_id = ?`, name, s.org))
	if err != nil {
		return m, fmt.Errorf("user: %w", err)
	}
	return m, nil
}

// StaffBySubject implements store.Staff.
func (s *Store) StaffBySubject(ctx context.Context, issuer, subject string) (store.StaffMember, error) {
	m, err := scanStaff(s.read.row(ctx, `SELECT `+staffColumns+` FROM staff WHERE org_id = ? AND issuer = ? AND subject = ? AND subject <> ''`, s.org, issuer, subject))
	if err != nil {
		return m, fmt.Errorf("user of the provider: %w", err)
	}
	return m, nil
}

// BindStaff implements store.Staff.
func (s *Store) BindStaff(ctx context.Context, name, issuer, subject string) (m store.StaffMember, err error) {
	err = s.changeStaff(ctx, "bind account", name, func(tx runner) error {
		m, err = scanStaff(tx.row(ctx, `UPDATE staff SET issuer = ?, subject = ?
			WHERE name = ? AND org_id = ? AND password_hash = '' AND subject = '' AND disabled_at = 0 RETURNING `+staffColumns, issuer, subject, name, s.org))
		if err != nil {
			return err
		}
		return s.endSignIns(ctx, tx, name, signIns()...)
	})
	return m, err
}

// StaffMembers implements store.Staff.
func (s *Store) StaffMembers(ctx context.Context) ([]store.StaffMember, error) {
	list, err := collect(ctx, s.read, scanStaff, `SELECT `+staffColumns+` FROM staff WHERE org_id = ? ORDER BY name`, s.org)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}

func scanStaff(row scanner) (store.StaffMember, error) {
	var m store.StaffMember
	var created, disabled int64
	err := row.Scan(&m.Name, &m.Role, &m.PasswordHash, &created, &disabled, &m.SealedSecret, &m.SealedNextSecret, &m.Issuer, &m.Subject)
	m.CreatedAt, m.DisabledAt = fromMillis(created), fromMillis(disabled)
	return m, err
}

// signIns returns the tables with what signs a member in.
func signIns() []string {
	return []string{"sessions", "one_time_logins", "staff_invitations", "login_challenges"}
}

// changeStaff changes one member in a transaction.
func (s *Store) changeStaff(ctx context.Context, what, name string, change func(tx runner) error) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := change(tx); err != nil {
			return fmt.Errorf("%s of user %s: %w", what, name, err)
		}
		return nil
	})
}

// endSignIns deletes a member's rows of these tables.
func (s *Store) endSignIns(ctx context.Context, tx runner, name string, tables ...string) error {
	for _, table := range tables {
		if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE org_id = ? AND staff_name = ?`, s.org, name); err != nil {
			return fmt.Errorf("end %s: %w", table, err)
		}
	}
	return nil
}

// SetStaffPassword implements store.Staff.
func (s *Store) SetStaffPassword(ctx context.Context, name, passwordHash string) error {
	return s.changeStaff(ctx, "set password", name, func(tx runner) error {
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET password_hash = ? WHERE name = ? AND org_id = ?`, passwordHash, name, s.org)); err != nil {
			return err
		}
		return s.endSignIns(ctx, tx, name, signIns()...)
	})
}

// ReplaceStaffPassword implements store.Staff.
func (s *Store) ReplaceStaffPassword(ctx context.Context, name, old, passwordHash string) error {
	return s.changeStaff(ctx, "replace password", name, func(tx runner) error {
		err := oneRow(tx.exec(ctx, `UPDATE staff SET password_hash = ? WHERE name = ? AND org_id = ? AND password_hash = ? AND disabled_at = 0`,
			passwordHash, name, s.org, old))
		if err != nil {
			return err
		}
		return s.endSignIns(ctx, tx, name, signIns()...)
	})
}

// SetStaffRole implements store.Staff.
func (s *Store) SetStaffRole(ctx context.Context, name string, role store.Role, canSignIn store.CanSignIn) error {
	return s.changeStaff(ctx, "set role", name, func(tx runner) error {
		if role != store.RoleAdministrator {
			if err := s.keepAdministrator(ctx, tx, name, canSignIn); err != nil {
				return err
			}
		}
		return oneRow(tx.exec(ctx, `UPDATE staff SET role = ? WHERE name = ? AND org_id = ?`, string(role), name, s.org))
	})
}

// keepAdministrator returns store.ErrLastAdministrator if a member is an administrator, and no other one
// can sign in. It locks the accounts of all administrators, so of two changes
// at the same time the second one sees the first.
func (s *Store) keepAdministrator(ctx context.Context, tx runner, name string, canSignIn store.CanSignIn) error {
	if canSignIn == nil {
		return nil
	}
	all, err := collect(ctx, tx, scanStaff, `SELECT `+staffColumns+` FROM staff WHERE org_id = ? AND role = ? ORDER BY name`+s.write.lockStaff,
		s.org, string(store.RoleAdministrator))
	if err != nil {
		return err
	}
	is, other := false, false
	for _, m := range all {
		is = is || m.Name == name
		other = other || m.Name != name && m.DisabledAt.IsZero() && canSignIn(m)
	}
	if is && !other {
		return store.ErrLastAdministrator
	}
	return nil
}

// DisableStaff implements store.Staff.
func (s *Store) DisableStaff(ctx context.Context, name string, now time.Time, canSignIn store.CanSignIn) error {
	return s.changeStaff(ctx, "disable account", name, func(tx runner) error {
		if err := s.keepAdministrator(ctx, tx, name, canSignIn); err != nil {
			return err
		}
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET disabled_at = ? WHERE name = ? AND org_id = ?`, millis(now), name, s.org)); err != nil {
			return err
		}
		return s.endSignIns(ctx, tx, name, signIns()...)
	})
}

// EnableStaff implements store.Staff.
func (s *Store) EnableStaff(ctx context.Context, name string) error {
	if err := oneRow(s.write.exec(ctx, `UPDATE staff SET disabled_at = 0 WHERE name = ? AND org_id = ?`, name, s.org)); err != nil {
		return fmt.Errorf("enable account of user %s: %w", name, err)
	}
	return nil
}

// DeleteStaff implements store.Staff.
func (s *Store) DeleteStaff(ctx context.Context, name string, canSignIn store.CanSignIn) error {
	return s.changeStaff(ctx, "delete account", name, func(tx runner) error {
		if err := s.keepAdministrator(ctx, tx, name, canSignIn); err != nil {
			return err
		}
		// The row is locked, so that nothing is added that refers to it.
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET disabled_at = disabled_at WHERE name = ? AND org_id = ? AND disabled_at <> 0`, name, s.org)); err != nil {
			return err
		}
		if err := s.endSignIns(ctx, tx, name, append(signIns(), "devices", "recovery_codes", "used_codes")...); err != nil {
			return err
		}
		return oneRow(tx.exec(ctx, `DELETE FROM staff WHERE name = ? AND org_id = ?`, name, s.org))
	})
}

// ResetStaff implements store.Staff.
func (s *Store) ResetStaff(ctx context.Context, name string) error {
	return s.changeStaff(ctx, "reset account", name, func(tx runner) error {
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET password_hash = '', sealed_secret = '', sealed_next_secret = '', issuer = '', subject = '' WHERE name = ? AND org_id = ?`, name, s.org)); err != nil {
			return err
		}
		return s.endSignIns(ctx, tx, name, append(signIns(), "devices", "recovery_codes")...)
	})
}

// AddStaffInvitation implements store.Staff.
func (s *Store) AddStaffInvitation(ctx context.Context, i store.StaffInvitation) error {
	return s.changeStaff(ctx, "add invitation", i.StaffName, func(tx runner) error {
		// The row is locked, so that of two invitations at the same time one replaces the other.
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET name = name WHERE name = ? AND org_id = ? AND disabled_at = 0`, i.StaffName, s.org)); err != nil {
			return err
		}
		if err := s.endSignIns(ctx, tx, i.StaffName, "staff_invitations"); err != nil {
			return err
		}
		return s.addToken(ctx, tx, "staff_invitations", i.TokenHash, i.StaffName, i.CreatedAt, i.ExpiresAt)
	})
}

// StaffInvitation implements store.Staff.
func (s *Store) StaffInvitation(ctx context.Context, tokenHash store.Hash, now time.Time) (store.StaffMember, error) {
	m, err := scanStaff(s.read.row(ctx, `SELECT `+staffColumns+` FROM staff WHERE org_id = ? AND disabled_at = 0
		AND name = (SELECT staff_name FROM staff_invitations WHERE token_hash = ? AND org_id = ? AND expires_at > ?)`, s.org, tokenHash[:], s.org, millis(now)))
	if err != nil {
		return m, fmt.Errorf("invitation: %w", err)
	}
	return m, nil
}

// AcceptStaffInvitation implements store.Staff.
func (s *Store) AcceptStaffInvitation(ctx context.Context, tokenHash store.Hash, passwordHash string, now time.Time) (m store.StaffMember, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		var name string
		err := tx.row(ctx, `DELETE FROM staff_invitations WHERE token_hash = ? AND org_id = ? AND expires_at > ? RETURNING staff_name`,
			tokenHash[:], s.org, millis(now)).Scan(&name)
		if err != nil {
			return fmt.Errorf("invitation: %w", err)
		}
		m, err = scanStaff(tx.row(ctx, `UPDATE staff SET password_hash = ? WHERE name = ? AND org_id = ? AND disabled_at = 0 RETURNING `+staffColumns,
			passwordHash, name, s.org))
		if err != nil {
			return fmt.Errorf("accept invitation: %w", err)
		}
		return s.endSignIns(ctx, tx, name, signIns()...)
	})
	return m, err
}
