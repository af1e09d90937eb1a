package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// NotePeopleWithoutCouncil implements store.Retention.
func (s *Store) NotePeopleWithoutCouncil(ctx context.Context, now time.Time) error {
	return s.write.inTx(ctx, func(tx runner) error {
		// Without any council, belonging to none says nothing about a person.
		_, err := tx.exec(ctx, `DELETE FROM people_without_council WHERE org_id = ? AND (
			EXISTS (SELECT 1 FROM council_members m WHERE m.participant_id = people_without_council.participant_id)
			OR NOT EXISTS (SELECT 1 FROM councils c WHERE c.org_id = ?))`, s.org, s.org)
		if err != nil {
			return fmt.Errorf("people who joined a council: %w", err)
		}
		_, err = tx.exec(ctx, `INSERT INTO people_without_council (participant_id, org_id, since)
			SELECT p.id, p.org_id, ? FROM participants p WHERE p.org_id = ? AND EXISTS (SELECT 1 FROM councils c WHERE c.org_id = ?)
			AND NOT EXISTS (SELECT 1 FROM council_members m WHERE m.participant_id = p.id)
			AND NOT EXISTS (SELECT 1 FROM people_without_council w WHERE w.participant_id = p.id)`+s.write.shareParticipants+`
			ON CONFLICT (participant_id) DO NOTHING`, millis(now), s.org, s.org)
		if err != nil {
			return fmt.Errorf("people without a council: %w", err)
		}
		for _, used := range []string{ // by the person: a computer that nobody uses reports too
			`SELECT max(l.full_received_at) FROM latest l WHERE l.participant_id = people_without_council.participant_id AND l.full_received_at > people_without_council.since`,
			`SELECT max(e.used_at) FROM enrol_codes e WHERE e.participant_id = people_without_council.participant_id AND e.used_at > people_without_council.since`,
			// used codes are deleted when they expire
			`SELECT max(a.created_at) FROM agents a WHERE a.participant_id = people_without_council.participant_id AND a.created_at > people_without_council.since`,
		} {
			if _, err := tx.exec(ctx, `UPDATE people_without_council SET since = COALESCE((`+used+`), since) WHERE org_id = ? AND (`+used+`) IS NOT NULL`, s.org); err != nil {
				return fmt.Errorf("use by people without a council: %w", err)
			}
		}
		return nil
	})
}

// DeletePeopleWithoutCouncil implements store.Retention.
func (s *Store) DeletePeopleWithoutCouncil(ctx context.Context, now, before time.Time, limit int) (deleted int, err error) {
	const unneeded = `w.org_id = ? AND w.since < ?
		AND NOT EXISTS (SELECT 1 FROM council_members m WHERE m.participant_id = w.participant_id)
		AND NOT EXISTS (SELECT 1 FROM disturbance_people d WHERE d.participant_id = w.participant_id)
		AND NOT EXISTS (SELECT 1 FROM participants p WHERE p.id = w.participant_id AND p.blocked)
		AND NOT EXISTS (SELECT 1 FROM enrol_codes e WHERE e.participant_id = w.participant_id AND e.used_at = 0 AND e.expires_at > ?)
		AND NOT EXISTS (SELECT 1 FROM enrol_codes u WHERE u.participant_id = w.participant_id AND u.used_at >= ?)
		AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.participant_id = w.participant_id AND a.created_at >= ?)
		AND NOT EXISTS (SELECT 1 FROM latest l WHERE l.participant_id = w.participant_id AND l.full_received_at >= ?)`
	conditions := []any{s.org, millis(before), millis(now), millis(before), millis(before), millis(before)}
	ids, err := collect(ctx, s.read, func(row scanner) (id string, err error) { return id, row.Scan(&id) },
		`SELECT w.participant_id FROM people_without_council w WHERE `+unneeded+` ORDER BY w.since, w.participant_id LIMIT ?`,
		append(conditions, limit)...)
	if err != nil {
		return 0, fmt.Errorf("look for people without a council: %w", err)
	}
	var failed []error
	for _, id := range ids {
		err := s.write.inTx(ctx, func(tx runner) error {
			keys, err := erasureKeys(ctx, tx)
			if err != nil {
				return err
			}
			if err := s.lockState(ctx, tx, id); err != nil { // whoever joins a council locks it too
				return err
			}
			var one int
			if err := tx.row(ctx, `SELECT 1 FROM people_without_council w WHERE w.participant_id = ? AND `+unneeded, append([]any{id}, conditions...)...).Scan(&one); err != nil {
				return err
			}
			return s.erase(ctx, tx, keys[0], id, now, noName)
		})
		if errors.Is(err, store.ErrNotFound) { // erased, or a member again
			continue
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("delete a person without a council: %w", err))
			if ctx.Err() != nil || errors.Is(err, store.ErrUnavailable) {
				break
			}
			continue
		}
		deleted++
	}
	if deleted > 0 {
		s.scrub(ctx)
	}
	return deleted, errors.Join(failed...)
}

// PersonMarks implements store.Retention.
func (s *Store) PersonMarks(ctx context.Context, participantID string) (m store.PersonMarks, err error) {
	var since int64
	err = s.read.row(ctx, `SELECT COALESCE((SELECT w.since FROM people_without_council w WHERE w.participant_id = p.id
		AND NOT EXISTS (SELECT 1 FROM council_members m WHERE m.participant_id = w.participant_id)
		AND EXISTS (SELECT 1 FROM councils c WHERE c.org_id = w.org_id)), 0)
		FROM participants p WHERE p.id = ? AND p.org_id = ?`, participantID, s.org).Scan(&since)
	if err != nil {
		return m, fmt.Errorf("marks of a participant: %w", err)
	}
	m.WithoutCouncilSince = fromMillis(since)
	m.Sources, err = collect(ctx, s.read, scanHash, `SELECT hash FROM participant_sources WHERE participant_id = ? AND org_id = ? ORDER BY hash`, participantID, s.org)
	if err != nil {
		return m, fmt.Errorf("sources of a participant: %w", err)
	}
	return m, nil
}
