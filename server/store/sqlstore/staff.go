package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddStaff implements store.Staff.
func (s *Store) AddStaff(ctx context.Context, m store.StaffMember) error {
	_, err := s.write.exec(ctx, `INSERT INTO staff (name, org_id, password_hash, created_at) VALUES (?, ?, ?, ?)`,
		m.Name, s.org, m.PasswordHash, millis(m.CreatedAt))
	if s.write.taken(err) {
		return fmt.Errorf("user %s: %w", m.Name, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	return nil
}

// StaffMember implements store.Staff.
func (s *Store) StaffMember(ctx context.Context, name string) (store.StaffMember, error) {
	m, err := scanStaff(s.read.row(ctx, `SELECT name, password_hash, created_at FROM staff WHERE name = ? AND org_id = ?`, name, s.org))
	if err != nil {
		return m, fmt.Errorf("user: %w", err)
	}
	return m, nil
}

// StaffMembers implements store.Staff.
func (s *Store) StaffMembers(ctx context.Context) ([]store.StaffMember, error) {
	list, err := collect(ctx, s.read, scanStaff, `SELECT name, password_hash, created_at FROM staff WHERE org_id = ? ORDER BY name`, s.org)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}

func scanStaff(row scanner) (store.StaffMember, error) {
	var m store.StaffMember
	var created int64
	err := row.Scan(&m.Name, &m.PasswordHash, &created)
	m.CreatedAt = fromMillis(created)
	return m, err
}

// SetStaffPassword implements store.Staff.
func (s *Store) SetStaffPassword(ctx context.Context, name, passwordHash string) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET password_hash = ? WHERE name = ? AND org_id = ?`, passwordHash, name, s.org)); err != nil {
			return fmt.Errorf("set password of user: %w", err)
		}
		for _, table := range []string{"sessions", "one_time_logins"} {
			if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE staff_name = ?`, name); err != nil {
				return fmt.Errorf("end %s of user: %w", table, err)
			}
		}
		return nil
	})
}

// addToken stores a secret of a member of staff in one of three similar tables.
func (s *Store) addToken(ctx context.Context, table string, hash store.Hash, staffName string, created, expires time.Time) error {
	_, err := s.write.exec(ctx, `INSERT INTO `+table+` (token_hash, org_id, staff_name, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
		hash[:], s.org, staffName, millis(created), millis(expires))
	if err != nil {
		return fmt.Errorf("add to %s: %w", table, err)
	}
	return nil
}

// token reads what addToken has stored.
func (s *Store) token(ctx context.Context, table string, hash store.Hash) (staffName string, created, expires time.Time, err error) {
	var from, to int64
	err = s.read.row(ctx, `SELECT staff_name, created_at, expires_at FROM `+table+` WHERE token_hash = ? AND org_id = ?`, hash[:], s.org).
		Scan(&staffName, &from, &to)
	if err != nil {
		return "", created, expires, fmt.Errorf("look into %s: %w", table, err)
	}
	return staffName, fromMillis(from), fromMillis(to), nil
}

// AddSession implements store.Logins.
func (s *Store) AddSession(ctx context.Context, n store.Session) error {
	return s.addToken(ctx, "sessions", n.TokenHash, n.StaffName, n.CreatedAt, n.ExpiresAt)
}

// Session implements store.Logins.
func (s *Store) Session(ctx context.Context, tokenHash store.Hash) (store.Session, error) {
	name, created, expires, err := s.token(ctx, "sessions", tokenHash)
	if err != nil {
		return store.Session{}, err
	}
	return store.Session{TokenHash: tokenHash, StaffName: name, CreatedAt: created, ExpiresAt: expires}, nil
}

// DeleteSession implements store.Logins.
func (s *Store) DeleteSession(ctx context.Context, tokenHash store.Hash) error {
	if _, err := s.write.exec(ctx, `DELETE FROM sessions WHERE token_hash = ? AND org_id = ?`, tokenHash[:], s.org); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// AddDevice implements store.Logins.
func (s *Store) AddDevice(ctx context.Context, d store.Device) error {
	return s.addToken(ctx, "devices", d.TokenHash, d.StaffName, d.CreatedAt, d.ExpiresAt)
}

// Device implements store.Logins.
func (s *Store) Device(ctx context.Context, tokenHash store.Hash) (store.Device, error) {
	name, created, expires, err := s.token(ctx, "devices", tokenHash)
	if err != nil {
		return store.Device{}, err
	}
	return store.Device{TokenHash: tokenHash, StaffName: name, CreatedAt: created, ExpiresAt: expires}, nil
}

// AddOneTimeLogin implements store.Logins.
func (s *Store) AddOneTimeLogin(ctx context.Context, l store.OneTimeLogin) error {
	return s.addToken(ctx, "one_time_logins", l.TokenHash, l.StaffName, l.CreatedAt, l.ExpiresAt)
}

// UseOneTimeLogin implements store.Logins.
func (s *Store) UseOneTimeLogin(ctx context.Context, tokenHash store.Hash, now time.Time) (string, error) {
	var name string
	err := s.write.row(ctx,
		`UPDATE one_time_logins SET used_at = ? WHERE token_hash = ? AND org_id = ? AND used_at = 0 AND expires_at > ? RETURNING staff_name`,
		millis(now), tokenHash[:], s.org, millis(now)).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("one-time login: %w", err)
	}
	return name, nil
}
