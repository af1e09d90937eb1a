package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddOwnPageCode implements store.OwnPages.
func (s *Store) AddOwnPageCode(ctx context.Context, agentID string, code store.Hash, expires time.Time) error {
	err := s.write.inTx(ctx, func(tx runner) error {
		var found int
		err := tx.row(ctx, `SELECT 1 FROM agents a JOIN participants p ON p.id = a.participant_id
			WHERE a.id = ? AND a.org_id = ? AND a.revoked_at = 0 AND NOT p.blocked`+s.write.lockAgents, agentID, s.org).Scan(&found)
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM own_pages WHERE agent_id = ? AND opened = 0`, agentID); err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO own_pages (secret_hash, org_id, agent_id, opened, expires_at) VALUES (?, ?, ?, 0, ?)`, code[:], s.org, agentID, millis(expires))
		return err
	})
	if err != nil {
		return fmt.Errorf("add a code of a person's own page: %w", err)
	}
	return nil
}

// OpenOwnPage implements store.OwnPages.
func (s *Store) OpenOwnPage(ctx context.Context, code, visit store.Hash, now, expires time.Time) (participantID string, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		err := oneRow(tx.exec(ctx, `UPDATE own_pages SET secret_hash = ?, opened = 1, expires_at = ? WHERE secret_hash = ? AND org_id = ? AND opened = 0 AND expires_at > ?`,
			visit[:], millis(expires), code[:], s.org, millis(now)))
		if err != nil {
			return err
		}
		participantID, err = s.ownPage(ctx, tx, visit, now)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("open a person's own page: %w", err)
	}
	return participantID, nil
}

// OwnPage implements store.OwnPages.
func (s *Store) OwnPage(ctx context.Context, visit store.Hash, now time.Time) (string, error) {
	id, err := s.ownPage(ctx, s.read, visit, now)
	if err != nil {
		return "", fmt.Errorf("a person's own page: %w", err)
	}
	return id, nil
}

func (s *Store) ownPage(ctx context.Context, r runner, visit store.Hash, now time.Time) (participantID string, err error) {
	err = r.row(ctx, `SELECT p.id FROM own_pages o JOIN agents a ON a.id = o.agent_id JOIN participants p ON p.id = a.participant_id
		WHERE o.secret_hash = ? AND o.org_id = ? AND o.opened = 1 AND o.expires_at > ? AND a.revoked_at = 0 AND NOT p.blocked`, visit[:], s.org, millis(now)).Scan(&participantID)
	return participantID, err
}

// CloseOwnPage implements store.OwnPages.
func (s *Store) CloseOwnPage(ctx context.Context, visit store.Hash) error {
	if _, err := s.write.exec(ctx, `DELETE FROM own_pages WHERE secret_hash = ? AND org_id = ? AND opened = 1`, visit[:], s.org); err != nil {
		return fmt.Errorf("close a person's own page: %w", err)
	}
	return nil
}
