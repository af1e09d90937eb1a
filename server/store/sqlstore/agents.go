package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddEnrolCode implements store.Enrolment.
func (s *Store) AddEnrolCode(ctx context.Context, c store.EnrolCode) error {
	return s.addEnrolCode(ctx, s.write, c)
}

func (s *Store) addEnrolCode(ctx context.Context, r runner, c store.EnrolCode) error {
	err := oneRow(r.exec(ctx, `
		INSERT INTO enrol_codes (code_hash, org_id, participant_id, created_at, expires_at)
		SELECT ?, p.org_id, p.id, ?, ? FROM participants p WHERE p.id = ? AND p.org_id = ?`,
		c.Hash[:], millis(c.CreatedAt), millis(c.ExpiresAt), c.ParticipantID, s.org))
	if s.write.taken(err) {
		return fmt.Errorf("enrolment code: %w", store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add enrolment code: %w", err)
	}
	return nil
}

// Enrol implements store.Enrolment.
func (s *Store) Enrol(ctx context.Context, codeHash store.Hash, a store.NewAgent, now time.Time) (store.Participant, error) {
	var p store.Participant
	err := s.write.inTx(ctx, func(tx runner) error {
		var id string
		// One statement finds and redeems the code, so that of two concurrent requests
		// with it one finds none. An agent that was seen last when it used the code has
		// never used its token.
		err := tx.row(ctx, `
			UPDATE enrol_codes SET used_at = ? WHERE code_hash = ? AND org_id = ? AND expires_at > ? AND (used_at = 0 OR used_at > ? AND EXISTS (
				SELECT 1 FROM agents a WHERE a.id = ? AND a.participant_id = enrol_codes.participant_id AND a.last_seen_at = enrol_codes.used_at AND a.revoked_at = 0))
			RETURNING participant_id`,
			millis(now), codeHash[:], s.org, millis(now), millis(now.Add(-store.LostAnswer)), a.ID).Scan(&id)
		if err != nil {
			return fmt.Errorf("enrolment code: %w", err)
		}
		if err := s.lockState(ctx, tx, id); err != nil {
			return fmt.Errorf("enrolment code: %w", err)
		}
		p, err = scanParticipant(tx.row(ctx, `SELECT `+participantColumns+` FROM participants p WHERE p.id = ? AND NOT p.blocked`, id))
		if err != nil {
			return fmt.Errorf("enrolment code: %w", err)
		}
		if err := s.putAgent(ctx, tx, p.ID, a, now); err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE latest SET enrolled = TRUE, last_seen_at = CASE WHEN last_seen_at < ? THEN ? ELSE last_seen_at END WHERE participant_id = ?`,
			millis(now), millis(now), p.ID)
		if err != nil {
			return fmt.Errorf("mark participant as enrolled: %w", err)
		}
		return s.stateChanged(ctx, tx, p.ID)
	})
	if err != nil {
		return store.Participant{}, err
	}
	return p, nil
}

func (s *Store) putAgent(ctx context.Context, tx runner, participantID string, a store.NewAgent, now time.Time) error {
	var owner string
	if _, erased, err := s.tombstone(ctx, tx, store.TombstoneAgent, a.ID); err != nil || erased {
		return errors.Join(err, fmt.Errorf("agent %s: %w", a.ID, store.ErrExists))
	}
	// In all organisations, because ids are globally unique.
	err := tx.row(ctx, `SELECT participant_id FROM agents WHERE id = ?`, a.ID).Scan(&owner)
	switch {
	case errors.Is(err, store.ErrNotFound):
		_, err = tx.exec(ctx, `
			INSERT INTO agents (id, org_id, participant_id, token_hash, version, os, arch, created_at, last_seen_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			a.ID, s.org, participantID, a.TokenHash[:], a.Version, a.OS, a.Arch, millis(now), millis(now))
		if s.write.taken(err) { // another request was faster
			err = store.ErrExists
		}
	case err != nil:
	case owner != participantID:
		err = store.ErrExists
	default:
		_, err = tx.exec(ctx,
			`UPDATE agents SET token_hash = ?, version = ?, os = ?, arch = ?, last_seen_at = ?, revoked_at = 0, renewal_asked_at = 0 WHERE id = ?`,
			a.TokenHash[:], a.Version, a.OS, a.Arch, millis(now), a.ID)
		if err == nil {
			err = forgetTokens(ctx, tx, a.ID)
		}
	}
	if err != nil {
		return fmt.Errorf("store agent %s: %w", a.ID, err)
	}
	return nil
}

const agentColumns = `a.id, a.participant_id, a.version, a.os, a.arch, a.created_at, a.last_seen_at, a.revoked_at, a.renewal_asked_at`

// scanAgent scans agentColumns, and further columns into more.
func scanAgent(row scanner, more ...any) (store.Agent, error) {
	var a store.Agent
	var created, seen, revoked, asked int64
	into := []any{&a.ID, &a.ParticipantID, &a.Version, &a.OS, &a.Arch, &created, &seen, &revoked, &asked}
	err := row.Scan(append(into, more...)...)
	a.CreatedAt, a.LastSeenAt, a.RevokedAt, a.RenewalAskedAt = fromMillis(created), fromMillis(seen), fromMillis(revoked), fromMillis(asked)
	return a, err
}

// AgentByToken implements store.Enrolment. The index compares the hash: timing reveals
// something about the hash of a random token, but nothing about the token.
func (s *Store) AgentByToken(ctx context.Context, tokenHash store.Hash) (store.Agent, store.Participant, error) {
	var p store.Participant
	var since int64
	a, err := scanAgent(s.read.row(ctx, `
		SELECT `+agentColumns+`, `+participantColumns+`
		FROM agents a JOIN participants p ON p.id = a.participant_id WHERE a.token_hash = ? AND a.org_id = ?`, tokenHash[:], s.org),
		&p.ID, &p.Name, &p.Phone, &since, &p.Blocked)
	if err != nil {
		return a, p, fmt.Errorf("agent of token: %w", err)
	}
	p.CreatedAt = fromMillis(since)
	return a, p, nil
}

// Agents implements store.Enrolment.
func (s *Store) Agents(ctx context.Context, participantID string) ([]store.Agent, error) {
	list, err := collect(ctx, s.read, func(row scanner) (store.Agent, error) { return scanAgent(row) },
		`SELECT `+agentColumns+` FROM agents a WHERE a.participant_id = ? AND a.org_id = ? ORDER BY a.created_at, a.id`, participantID, s.org)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	return list, nil
}

// TouchAgent implements store.Enrolment.
func (s *Store) TouchAgent(ctx context.Context, agentID string, seen time.Time) error {
	return s.write.inTx(ctx, func(tx runner) error {
		senders, err := lockSenders(ctx, tx, s.write.dialect, s.org, []string{agentID})
		if err != nil {
			return err
		}
		from, known := senders[agentID]
		if !known {
			return fmt.Errorf("touch agent %s: %w", agentID, store.ErrNotFound)
		}
		from.seen, from.state.seen = store.SeenAt(from.seen, seen), store.SeenAt(from.state.seen, seen)
		return keepSenders(ctx, tx, s.org, senders)
	})
}
