package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddParticipant implements store.Participants.
func (s *Store) AddParticipant(ctx context.Context, p store.Participant) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO participants (id, name, name_key, phone, created_at, blocked) VALUES (?, ?, ?, ?, ?, ?)`,
			p.ID, p.Name, nameKey(p.Name), p.Phone, millis(p.CreatedAt), p.Blocked)
		if isTaken(err) {
			return fmt.Errorf("participant %s: %w", p.ID, store.ErrExists)
		}
		if err != nil {
			return fmt.Errorf("add participant: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO latest (participant_id) VALUES (?)`, p.ID); err != nil {
			return fmt.Errorf("add state of participant: %w", err)
		}
		return nil
	})
}

// Participant implements store.Participants.
func (s *Store) Participant(ctx context.Context, id string) (store.Participant, error) {
	p, err := scanParticipant(s.read.QueryRowContext(ctx,
		`SELECT id, name, phone, created_at, blocked FROM participants WHERE id = ?`, id))
	if err != nil {
		return p, fmt.Errorf("participant: %w", err)
	}
	return p, nil
}

// SetBlocked implements store.Participants.
func (s *Store) SetBlocked(ctx context.Context, id string, blocked bool) error {
	r, err := s.write.ExecContext(ctx, `UPDATE participants SET blocked = ? WHERE id = ?`, blocked, id)
	if err != nil {
		return fmt.Errorf("block participant: %w", err)
	}
	return oneRow(r, "participant")
}

// EditParticipant implements store.Participants.
func (s *Store) EditParticipant(ctx context.Context, id, name, phone string) error {
	r, err := s.write.ExecContext(ctx, `UPDATE participants SET name = ?, name_key = ?, phone = ? WHERE id = ?`, name, nameKey(name), phone, id)
	if err != nil {
		return fmt.Errorf("edit participant: %w", err)
	}
	return oneRow(r, "participant")
}

// DeleteParticipant implements store.Participants.
func (s *Store) DeleteParticipant(ctx context.Context, id string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		// What refers to others comes first.
		for _, table := range []string{"latest", "reports", "enrol_codes", "agents"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE participant_id = ?`, id); err != nil {
				return fmt.Errorf("delete %s of participant: %w", table, err)
			}
		}
		r, err := tx.ExecContext(ctx, `DELETE FROM participants WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("delete participant: %w", err)
		}
		return oneRow(r, "participant")
	})
}

type scanner interface{ Scan(dest ...any) error }

func scanParticipant(row scanner) (store.Participant, error) {
	var p store.Participant
	var created int64
	err := row.Scan(&p.ID, &p.Name, &p.Phone, &created, &p.Blocked)
	p.CreatedAt = fromMillis(created)
	return p, notFound(err)
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}

// oneRow is ErrNotFound when a statement that should have met a row met none.
func oneRow(r sql.Result, what string) error {
	n, err := r.RowsAffected()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", what, store.ErrNotFound)
	}
	return nil
}
