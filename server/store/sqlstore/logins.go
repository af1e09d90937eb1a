package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// addToken stores a secret of a member of staff in one of several similar tables.
func (s *Store) addToken(ctx context.Context, r runner, table string, hash store.Hash, staffName string, created, expires time.Time) error {
	_, err := r.exec(ctx, `INSERT INTO `+table+` (token_hash, org_id, staff_name, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
		hash[:], s.org, staffName, millis(created), millis(expires))
	if err != nil {
		return fmt.Errorf("add to %s: %w", table, err)
	}
	return nil
}

// withPassword adds what belongs to a login that began with a password, or at a provider.
func (s *Store) withPassword(ctx context.Context, what, name, passwordHash, subject string, add func(tx runner) error) error {
	return s.changeStaff(ctx, what, name, func(tx runner) error {
		// This locks the row. Whatever ends the sessions of a member changes the row first. So it either
		// comes before this statement, which then finds no row, or after it, and ends this login too.
		err := oneRow(tx.exec(ctx, `UPDATE staff SET name = name WHERE name = ? AND org_id = ? AND password_hash = ? AND subject = ? AND disabled_at = 0`,
			name, s.org, passwordHash, subject))
		if err != nil {
			return err
		}
		return add(tx)
	})
}

// AddSession implements store.Logins.
func (s *Store) AddSession(ctx context.Context, n store.Session) error {
	return s.withPassword(ctx, "add session", n.StaffName, n.PasswordHash, n.Subject, func(tx runner) error {
		_, err := tx.exec(ctx, `INSERT INTO sessions (token_hash, org_id, staff_name, browser, network, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			n.TokenHash[:], s.org, n.StaffName, n.Browser, n.Network, millis(n.CreatedAt), millis(n.ExpiresAt))
		return err
	})
}

const loginColumns = `s.token_hash, s.staff_name, m.role, s.browser, s.network, s.created_at, s.expires_at
	FROM sessions s JOIN staff m ON m.org_id = s.org_id AND m.name = s.staff_name WHERE m.disabled_at = 0`

func scanLogin(row scanner) (store.Session, error) {
	var n store.Session
	var hash []byte
	var created, expires int64
	err := row.Scan(&hash, &n.StaffName, &n.Role, &n.Browser, &n.Network, &created, &expires)
	copy(n.TokenHash[:], hash)
	n.CreatedAt, n.ExpiresAt = fromMillis(created), fromMillis(expires)
	return n, err
}

// Session implements store.Logins.
func (s *Store) Session(ctx context.Context, tokenHash store.Hash) (store.Session, error) {
	n, err := scanLogin(s.read.row(ctx, `SELECT `+loginColumns+` AND s.token_hash = ? AND s.org_id = ?`, tokenHash[:], s.org))
	if err != nil {
		return store.Session{}, fmt.Errorf("session: %w", err)
	}
	return n, nil
}

// StaffSessions implements store.Logins.
func (s *Store) StaffSessions(ctx context.Context, staffName string, now time.Time) ([]store.Session, error) {
	list, err := collect(ctx, s.read, scanLogin, `SELECT `+loginColumns+` AND s.staff_name = ? AND s.org_id = ? AND s.expires_at > ? ORDER BY s.created_at DESC`,
		staffName, s.org, millis(now))
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// DeleteSession implements store.Logins.
func (s *Store) DeleteSession(ctx context.Context, tokenHash store.Hash) error {
	if _, err := s.write.exec(ctx, `DELETE FROM sessions WHERE token_hash = ? AND org_id = ?`, tokenHash[:], s.org); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndStaffSession implements store.Logins.
func (s *Store) EndStaffSession(ctx context.Context, staffName string, tokenHash store.Hash) error {
	if err := oneRow(s.write.exec(ctx, `DELETE FROM sessions WHERE token_hash = ? AND staff_name = ? AND org_id = ?`, tokenHash[:], staffName, s.org)); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndStaffSessions implements store.Logins.
func (s *Store) EndStaffSessions(ctx context.Context, staffName string, except store.Hash) error {
	if _, err := s.write.exec(ctx, `DELETE FROM sessions WHERE staff_name = ? AND org_id = ? AND token_hash <> ?`, staffName, s.org, except[:]); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// AddDevice implements store.Logins.
func (s *Store) AddDevice(ctx context.Context, d store.Device) error {
	return s.withPassword(ctx, "add known browser", d.StaffName, d.PasswordHash, d.Subject, func(tx runner) error {
		return s.addToken(ctx, tx, "devices", d.TokenHash, d.StaffName, d.CreatedAt, d.ExpiresAt)
	})
}

// Device implements store.Logins.
func (s *Store) Device(ctx context.Context, tokenHash store.Hash) (store.Device, error) {
	d := store.Device{TokenHash: tokenHash}
	var created, expires int64
	err := s.read.row(ctx, `SELECT staff_name, created_at, expires_at FROM devices WHERE token_hash = ? AND org_id = ?`, tokenHash[:], s.org).
		Scan(&d.StaffName, &created, &expires)
	if err != nil {
		return store.Device{}, fmt.Errorf("known browser: %w", err)
	}
	d.CreatedAt, d.ExpiresAt = fromMillis(created), fromMillis(expires)
	return d, nil
}

// AddOneTimeLogin implements store.Logins.
func (s *Store) AddOneTimeLogin(ctx context.Context, l store.OneTimeLogin) error {
	return s.addToken(ctx, s.write, "one_time_logins", l.TokenHash, l.StaffName, l.CreatedAt, l.ExpiresAt)
}

// UseOneTimeLogin implements store.Logins.
func (s *Store) UseOneTimeLogin(ctx context.Context, tokenHash store.Hash, now time.Time) (m store.StaffMember, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		var name string
		err := tx.row(ctx,
			`UPDATE one_time_logins SET used_at = ? WHERE token_hash = ? AND org_id = ? AND used_at = 0 AND expires_at > ? RETURNING staff_name`,
			millis(now), tokenHash[:], s.org, millis(now)).Scan(&name)
		if err != nil {
			return err
		}
		m, err = scanStaff(tx.row(ctx, `SELECT `+staffColumns+` FROM staff WHERE name = ? AND org_id = ?`, name, s.org))
		return err
	})
	if err != nil {
		return store.StaffMember{}, fmt.Errorf("one-time login: %w", err)
	}
	return m, nil
}
