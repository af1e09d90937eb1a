package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// formerTokensKept is how long a former token is recognised, from the use of the next one.
const formerTokensKept = 400 * 24 * time.Hour

// AddToken implements store.Tokens.
func (s *Store) AddToken(ctx context.Context, agentID string, current, next store.Hash) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockAgent(ctx, tx, agentID, current); err != nil {
			return fmt.Errorf("add a token: %w", err)
		}
		if _, err := tx.exec(ctx, `DELETE FROM agent_tokens WHERE agent_id = ? AND replaced_at = 0`, agentID); err != nil {
			return fmt.Errorf("remove the unused token: %w", err)
		}
		if _, err := tx.exec(ctx, `INSERT INTO agent_tokens (token_hash, org_id, agent_id, replaced_at) VALUES (?, ?, ?, 0)`, next[:], s.org, agentID); err != nil {
			return fmt.Errorf("add a token: %w", err)
		}
		return nil
	})
}

// lockAgent locks the row of an agent. ErrNotFound means that it has another token.
func (s *Store) lockAgent(ctx context.Context, tx runner, agentID string, current store.Hash) error {
	var found int
	return tx.row(ctx, `SELECT 1 FROM agents a WHERE a.id = ? AND a.org_id = ? AND a.token_hash = ?`+s.write.lockAgents, agentID, s.org, current[:]).Scan(&found)
}

// UseToken implements store.Tokens.
func (s *Store) UseToken(ctx context.Context, agentID string, next store.Hash, now time.Time) error {
	return s.write.inTx(ctx, func(tx runner) error {
		var former []byte
		if err := tx.row(ctx, `SELECT a.token_hash FROM agents a WHERE a.id = ? AND a.org_id = ?`+s.write.lockAgents, agentID, s.org).Scan(&former); err != nil {
			return fmt.Errorf("use a token: %w", err)
		}
		if err := oneRow(tx.exec(ctx, `DELETE FROM agent_tokens WHERE token_hash = ? AND agent_id = ? AND replaced_at = 0`, next[:], agentID)); err != nil {
			return fmt.Errorf("use a token: %w", err)
		}
		if _, err := tx.exec(ctx, `UPDATE agents SET token_hash = ?, renewal_asked_at = 0 WHERE id = ?`, next[:], agentID); err != nil {
			return fmt.Errorf("use a token: %w", err)
		}
		if _, err := tx.exec(ctx, `DELETE FROM agent_tokens WHERE agent_id = ? AND replaced_at > 0 AND replaced_at < ?`, agentID, millis(now.Add(-formerTokensKept))); err != nil {
			return fmt.Errorf("remove former tokens: %w", err)
		}
		if _, err := tx.exec(ctx, `INSERT INTO agent_tokens (token_hash, org_id, agent_id, replaced_at) VALUES (?, ?, ?, ?)`, former, s.org, agentID, millis(now)); err != nil {
			return fmt.Errorf("keep the former token: %w", err)
		}
		return nil
	})
}

// AgentByOtherToken implements store.Tokens.
func (s *Store) AgentByOtherToken(ctx context.Context, tokenHash store.Hash) (store.OtherToken, error) {
	var o store.OtherToken
	var since, replaced int64
	var err error
	p := &o.Participant
	o.Agent, err = scanAgent(s.read.row(ctx, `
		SELECT `+agentColumns+`, `+participantColumns+`, t.replaced_at
		FROM agent_tokens t JOIN agents a ON a.id = t.agent_id JOIN participants p ON p.id = a.participant_id
		WHERE t.token_hash = ? AND t.org_id = ?`, tokenHash[:], s.org),
		&p.ID, &p.Name, &p.Phone, &since, &p.Blocked, &replaced)
	if err != nil {
		return o, fmt.Errorf("agent of another token: %w", err)
	}
	p.CreatedAt, o.ReplacedAt = fromMillis(since), fromMillis(replaced)
	return o, nil
}

// AskForRenewal implements store.Tokens.
func (s *Store) AskForRenewal(ctx context.Context, agentID string, now time.Time) error {
	err := oneRow(s.write.exec(ctx, `UPDATE agents SET renewal_asked_at = ? WHERE id = ? AND org_id = ? AND revoked_at = 0`, millis(now), agentID, s.org))
	if err != nil {
		return fmt.Errorf("ask agent %s for a new token: %w", agentID, err)
	}
	return nil
}

// RevokeAgent implements store.Enrolment.
func (s *Store) RevokeAgent(ctx context.Context, agentID string, now time.Time) error {
	h := unknownHash()
	err := s.write.inTx(ctx, func(tx runner) error {
		err := oneRow(tx.exec(ctx, `UPDATE agents SET token_hash = ?, revoked_at = ?, renewal_asked_at = 0 WHERE id = ? AND org_id = ?`, h[:], millis(now), agentID, s.org))
		return errors.Join(err, forgetTokens(ctx, tx, agentID))
	})
	if err != nil {
		return fmt.Errorf("revoke agent %s: %w", agentID, err)
	}
	return nil
}

// forgetTokens removes all tokens of an agent but the current one.
func forgetTokens(ctx context.Context, tx runner, agentID string) error {
	if _, err := tx.exec(ctx, `DELETE FROM agent_tokens WHERE agent_id = ?`, agentID); err != nil {
		return fmt.Errorf("remove the other tokens: %w", err)
	}
	return nil
}
