package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddEnrolCode implements store.Enrolment.
func (s *Store) AddEnrolCode(ctx context.Context, c store.EnrolCode) error {
	_, err := s.write.ExecContext(ctx,
		`INSERT INTO enrol_codes (code_hash, participant_id, created_at, expires_at) VALUES (?, ?, ?, ?)`,
		c.Hash[:], c.ParticipantID, millis(c.CreatedAt), millis(c.ExpiresAt))
	if isTaken(err) {
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
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var err error
		p, err = scanParticipant(tx.QueryRowContext(ctx, `
			SELECT p.id, p.name, p.phone, p.created_at, p.blocked
			FROM enrol_codes c JOIN participants p ON p.id = c.participant_id
			WHERE c.code_hash = ? AND c.used_at = 0 AND c.expires_at > ? AND NOT p.blocked`, codeHash[:], millis(now)))
		if err != nil {
			return fmt.Errorf("enrolment code: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE enrol_codes SET used_at = ? WHERE code_hash = ?`, millis(now), codeHash[:]); err != nil {
			return fmt.Errorf("use enrolment code: %w", err)
		}
		if err := putAgent(ctx, tx, p.ID, a, now); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE latest SET enrolled = 1, last_seen_at = max(last_seen_at, ?) WHERE participant_id = ?`, millis(now), p.ID)
		if err != nil {
			return fmt.Errorf("mark participant as enrolled: %w", err)
		}
		return nil
	})
	return p, err
}

func putAgent(ctx context.Context, tx *sql.Tx, participantID string, a store.NewAgent, now time.Time) error {
	var owner string
	err := tx.QueryRowContext(ctx, `SELECT participant_id FROM agents WHERE id = ?`, a.ID).Scan(&owner)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `
			INSERT INTO agents (id, participant_id, token_hash, version, os, arch, created_at, last_seen_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			a.ID, participantID, a.TokenHash[:], a.Version, a.OS, a.Arch, millis(now), millis(now))
	case err != nil:
	case owner != participantID:
		return fmt.Errorf("agent %s: %w", a.ID, store.ErrExists)
	default:
		_, err = tx.ExecContext(ctx,
			`UPDATE agents SET token_hash = ?, version = ?, os = ?, arch = ?, last_seen_at = ?, revoked_at = 0 WHERE id = ?`,
			a.TokenHash[:], a.Version, a.OS, a.Arch, millis(now), a.ID)
	}
	if err != nil {
		return fmt.Errorf("keep agent %s: %w", a.ID, err)
	}
	return nil
}

const agentColumns = `a.id, a.participant_id, a.version, a.os, a.arch, a.created_at, a.last_seen_at, a.revoked_at`

// AgentByToken implements store.Enrolment. The hash is compared by the index:
// its timing tells about the hash of a random token, and nothing of the token.
func (s *Store) AgentByToken(ctx context.Context, tokenHash store.Hash) (store.Agent, store.Participant, error) {
	var a store.Agent
	var p store.Participant
	var created, seen, revoked, since int64
	err := s.read.QueryRowContext(ctx, `
		SELECT `+agentColumns+`, p.id, p.name, p.phone, p.created_at, p.blocked
		FROM agents a JOIN participants p ON p.id = a.participant_id WHERE a.token_hash = ?`, tokenHash[:]).
		Scan(&a.ID, &a.ParticipantID, &a.Version, &a.OS, &a.Arch, &created, &seen, &revoked,
			&p.ID, &p.Name, &p.Phone, &since, &p.Blocked)
	if err != nil {
		return a, p, fmt.Errorf("agent of token: %w", notFound(err))
	}
	a.CreatedAt, a.LastSeenAt, a.RevokedAt, p.CreatedAt = fromMillis(created), fromMillis(seen), fromMillis(revoked), fromMillis(since)
	return a, p, nil
}

// Agents implements store.Enrolment.
func (s *Store) Agents(ctx context.Context, participantID string) ([]store.Agent, error) {
	rows, err := s.read.QueryContext(ctx,
		`SELECT `+agentColumns+` FROM agents a WHERE a.participant_id = ? ORDER BY a.created_at, a.id`, participantID)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Agent
	for rows.Next() {
		var a store.Agent
		var created, seen, revoked int64
		if err := rows.Scan(&a.ID, &a.ParticipantID, &a.Version, &a.OS, &a.Arch, &created, &seen, &revoked); err != nil {
			return nil, fmt.Errorf("list agents: %w", err)
		}
		a.CreatedAt, a.LastSeenAt, a.RevokedAt = fromMillis(created), fromMillis(seen), fromMillis(revoked)
		list = append(list, a)
	}
	return list, rows.Err()
}

// RevokeAgent implements store.Enrolment. The new hash is random, so that no
// token belongs to it.
func (s *Store) RevokeAgent(ctx context.Context, agentID string, now time.Time) error {
	r, err := s.write.ExecContext(ctx, `UPDATE agents SET token_hash = randomblob(32), revoked_at = ? WHERE id = ?`, millis(now), agentID)
	if err != nil {
		return fmt.Errorf("revoke agent: %w", err)
	}
	return oneRow(r, "agent "+agentID)
}

// TouchAgent implements store.Enrolment.
func (s *Store) TouchAgent(ctx context.Context, agentID string, seen time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return touch(ctx, tx, agentID, seen) })
}

// seenLater keeps the later of two times that overlapping requests bring, and
// takes the new one where the old one is of a clock that was ahead. Its
// parameters are the new time, that with the slack, and the new time again.
const seenLater = `last_seen_at = CASE WHEN last_seen_at BETWEEN ? AND ? THEN last_seen_at ELSE ? END`

func touch(ctx context.Context, tx *sql.Tx, agentID string, seen time.Time) error {
	at, latest := millis(seen), millis(seen.Add(clockSlack))
	done, err := tx.ExecContext(ctx, `UPDATE agents SET `+seenLater+` WHERE id = ?`, at, latest, at, agentID)
	if err != nil {
		return fmt.Errorf("touch agent %s: %w", agentID, err)
	}
	if err := oneRow(done, "agent "+agentID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE latest SET `+seenLater+`
		WHERE participant_id = (SELECT participant_id FROM agents WHERE id = ?)`, at, latest, at, agentID)
	if err != nil {
		return fmt.Errorf("touch participant of agent %s: %w", agentID, err)
	}
	return nil
}
