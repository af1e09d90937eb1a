package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddStaff implements store.Staff.
func (s *Store) AddStaff(ctx context.Context, m store.StaffMember) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO staff (name, password_hash, created_at) VALUES (?, ?, ?)`,
		m.Name, m.PasswordHash, millis(m.CreatedAt))
	if isTaken(err) {
		return fmt.Errorf("user %s: %w", m.Name, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	return nil
}

// StaffMember implements store.Staff.
func (s *Store) StaffMember(ctx context.Context, name string) (store.StaffMember, error) {
	m, err := scanStaff(s.read.QueryRowContext(ctx, `SELECT name, password_hash, created_at FROM staff WHERE name = ?`, name))
	if err != nil {
		return m, fmt.Errorf("user: %w", notFound(err))
	}
	return m, nil
}

// StaffMembers implements store.Staff.
func (s *Store) StaffMembers(ctx context.Context) ([]store.StaffMember, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, password_hash, created_at FROM staff ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.StaffMember
	for rows.Next() {
		m, err := scanStaff(rows)
		if err != nil {
			return nil, fmt.Errorf("list users: %w", err)
		}
		list = append(list, m)
	}
	return list, rows.Err()
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
	return s.inTx(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE staff SET password_hash = ? WHERE name = ?`, passwordHash, name)
		if err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		if err := oneRow(done, "user"); err != nil {
			return err
		}
		for _, table := range []string{"sessions", "one_time_logins"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE staff_name = ?`, name); err != nil {
				return fmt.Errorf("end %s of user: %w", table, err)
			}
		}
		return nil
	})
}

// AddSession implements store.Logins.
func (s *Store) AddSession(ctx context.Context, n store.Session) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO sessions (token_hash, staff_name, created_at, expires_at) VALUES (?, ?, ?, ?)`,
		n.TokenHash[:], n.StaffName, millis(n.CreatedAt), millis(n.ExpiresAt))
	if err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	return nil
}

// Session implements store.Logins.
func (s *Store) Session(ctx context.Context, tokenHash store.Hash) (store.Session, error) {
	n := store.Session{TokenHash: tokenHash}
	var created, expires int64
	err := s.read.QueryRowContext(ctx, `SELECT staff_name, created_at, expires_at FROM sessions WHERE token_hash = ?`, tokenHash[:]).
		Scan(&n.StaffName, &created, &expires)
	if err != nil {
		return store.Session{}, fmt.Errorf("session: %w", notFound(err))
	}
	n.CreatedAt, n.ExpiresAt = fromMillis(created), fromMillis(expires)
	return n, nil
}

// AddDevice implements store.Logins.
func (s *Store) AddDevice(ctx context.Context, d store.Device) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO devices (token_hash, staff_name, created_at, expires_at) VALUES (?, ?, ?, ?)`,
		d.TokenHash[:], d.StaffName, millis(d.CreatedAt), millis(d.ExpiresAt))
	if err != nil {
		return fmt.Errorf("remember device: %w", err)
	}
	return nil
}

// Device implements store.Logins.
func (s *Store) Device(ctx context.Context, tokenHash store.Hash) (store.Device, error) {
	d := store.Device{TokenHash: tokenHash}
	var created, expires int64
	err := s.read.QueryRowContext(ctx, `SELECT staff_name, created_at, expires_at FROM devices WHERE token_hash = ?`, tokenHash[:]).
		Scan(&d.StaffName, &created, &expires)
	if err != nil {
		return store.Device{}, fmt.Errorf("device: %w", notFound(err))
	}
	d.CreatedAt, d.ExpiresAt = fromMillis(created), fromMillis(expires)
	return d, nil
}

// DeleteSession implements store.Logins.
func (s *Store) DeleteSession(ctx context.Context, tokenHash store.Hash) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM sessions WHERE token_hash = ?`, tokenHash[:]); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// AddOneTimeLogin implements store.Logins.
func (s *Store) AddOneTimeLogin(ctx context.Context, l store.OneTimeLogin) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO one_time_logins (token_hash, staff_name, created_at, expires_at) VALUES (?, ?, ?, ?)`,
		l.TokenHash[:], l.StaffName, millis(l.CreatedAt), millis(l.ExpiresAt))
	if err != nil {
		return fmt.Errorf("add one-time login: %w", err)
	}
	return nil
}

// UseOneTimeLogin implements store.Logins.
func (s *Store) UseOneTimeLogin(ctx context.Context, tokenHash store.Hash, now time.Time) (string, error) {
	var name string
	err := s.write.QueryRowContext(ctx,
		`UPDATE one_time_logins SET used_at = ? WHERE token_hash = ? AND used_at = 0 AND expires_at > ? RETURNING staff_name`,
		millis(now), tokenHash[:], millis(now)).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("one-time login: %w", notFound(err))
	}
	return name, nil
}
