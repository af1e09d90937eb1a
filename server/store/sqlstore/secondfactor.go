package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// SetNextSecret implements store.SecondFactors.
func (s *Store) SetNextSecret(ctx context.Context, name, sealed string) error {
	if err := oneRow(s.write.exec(ctx, `UPDATE staff SET sealed_next_secret = ? WHERE name = ? AND org_id = ?`, sealed, name, s.org)); err != nil {
		return fmt.Errorf("set up second factor of user %s: %w", name, err)
	}
	return nil
}

// ConfirmSecret implements store.SecondFactors.
func (s *Store) ConfirmSecret(ctx context.Context, name, sealed string, recovery []store.Hash, now, expires time.Time) error {
	return s.changeStaff(ctx, "confirm second factor", name, func(tx runner) error {
		err := oneRow(tx.exec(ctx, `UPDATE staff SET sealed_secret = sealed_next_secret, sealed_next_secret = ''
			WHERE name = ? AND org_id = ? AND sealed_next_secret = ? AND sealed_next_secret <> ''`, name, s.org, sealed))
		if err != nil {
			return err
		}
		if err := s.endSignIns(ctx, tx, name, "recovery_codes"); err != nil {
			return err
		}
		for _, code := range recovery {
			if err := s.addToken(ctx, tx, "recovery_codes", code, name, now, expires); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveSecret implements store.SecondFactors.
func (s *Store) RemoveSecret(ctx context.Context, name string) error {
	return s.changeStaff(ctx, "remove second factor", name, func(tx runner) error {
		if err := oneRow(tx.exec(ctx, `UPDATE staff SET sealed_secret = '', sealed_next_secret = '' WHERE name = ? AND org_id = ?`, name, s.org)); err != nil {
			return err
		}
		return s.endSignIns(ctx, tx, name, "recovery_codes")
	})
}

// AddUsedCode implements store.SecondFactors.
func (s *Store) AddUsedCode(ctx context.Context, c store.UsedCode) error {
	err := s.addToken(ctx, s.write, "used_codes", c.Hash, c.StaffName, c.UsedAt, c.ExpiresAt)
	if s.write.taken(err) {
		return fmt.Errorf("code of user %s: %w", c.StaffName, store.ErrExists)
	}
	return err
}

// UseRecoveryCode implements store.SecondFactors.
func (s *Store) UseRecoveryCode(ctx context.Context, name string, code store.Hash) error {
	if err := oneRow(s.write.exec(ctx, `DELETE FROM recovery_codes WHERE token_hash = ? AND staff_name = ? AND org_id = ?`, code[:], name, s.org)); err != nil {
		return fmt.Errorf("recovery code: %w", err)
	}
	return nil
}

// CountRecoveryCodes implements store.SecondFactors.
func (s *Store) CountRecoveryCodes(ctx context.Context, name string) (n int, err error) {
	if err := s.read.row(ctx, `SELECT count(*) FROM recovery_codes WHERE staff_name = ? AND org_id = ?`, name, s.org).Scan(&n); err != nil {
		return 0, fmt.Errorf("count recovery codes: %w", err)
	}
	return n, nil
}

// AddLoginChallenge implements store.SecondFactors.
func (s *Store) AddLoginChallenge(ctx context.Context, c store.LoginChallenge) error {
	return s.withPassword(ctx, "add login challenge", c.StaffName, c.PasswordHash, c.Subject, func(tx runner) error {
		return s.addToken(ctx, tx, "login_challenges", c.TokenHash, c.StaffName, c.CreatedAt, c.ExpiresAt)
	})
}

// LoginChallenge implements store.SecondFactors.
func (s *Store) LoginChallenge(ctx context.Context, tokenHash store.Hash, now time.Time) (store.LoginChallenge, error) {
	c := store.LoginChallenge{TokenHash: tokenHash}
	var created, expires int64
	err := s.read.row(ctx, `SELECT staff_name, created_at, expires_at FROM login_challenges WHERE token_hash = ? AND org_id = ? AND expires_at > ?`,
		tokenHash[:], s.org, millis(now)).Scan(&c.StaffName, &created, &expires)
	if err != nil {
		return store.LoginChallenge{}, fmt.Errorf("login challenge: %w", err)
	}
	c.CreatedAt, c.ExpiresAt = fromMillis(created), fromMillis(expires)
	return c, nil
}

// UseLoginChallenge implements store.SecondFactors.
func (s *Store) UseLoginChallenge(ctx context.Context, tokenHash store.Hash) error {
	if err := oneRow(s.write.exec(ctx, `DELETE FROM login_challenges WHERE token_hash = ? AND org_id = ?`, tokenHash[:], s.org)); err != nil {
		return fmt.Errorf("login challenge: %w", err)
	}
	return nil
}
