package sqlstore

import (
	"context"
	"fmt"

	"github.com/tonprobe/tonprobe/server/store"
)

// AddParticipant implements store.Participants.
func (s *Store) AddParticipant(ctx context.Context, p store.Participant) error {
	return s.write.inTx(ctx, func(tx runner) error { return s.addParticipant(ctx, tx, p) })
}

func (s *Store) addParticipant(ctx context.Context, tx runner, p store.Participant) error {
	words, phones := searchKeys(p.Name, p.Phone)
	_, err := tx.exec(ctx, `
		INSERT INTO participants (id, org_id, name, name_key, search_key, phone, phone_key, created_at, blocked)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, s.org, p.Name, store.NameKey(p.Name), words, p.Phone, phones, millis(p.CreatedAt), p.Blocked)
	if s.write.taken(err) {
		return fmt.Errorf("participant %s: %w", p.ID, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add participant: %w", err)
	}
	if _, err := tx.exec(ctx, `INSERT INTO latest (participant_id, org_id, blocked) VALUES (?, ?, ?)`, p.ID, s.org, p.Blocked); err != nil {
		return fmt.Errorf("add state of participant: %w", err)
	}
	if err := keepSearchParts(ctx, tx, s.org, p.ID, words, phones); err != nil {
		return err
	}
	return s.stateChanged(ctx, tx, p.ID)
}

const participantColumns = `p.id, p.name, p.phone, p.created_at, p.blocked`

func scanParticipant(row scanner) (store.Participant, error) {
	var p store.Participant
	var created int64
	err := row.Scan(&p.ID, &p.Name, &p.Phone, &created, &p.Blocked)
	p.CreatedAt = fromMillis(created)
	return p, err
}

// Participant implements store.Participants.
func (s *Store) Participant(ctx context.Context, id string) (store.Participant, error) {
	p, err := scanParticipant(s.read.row(ctx, `SELECT `+participantColumns+` FROM participants p WHERE p.id = ? AND p.org_id = ?`, id, s.org))
	if err != nil {
		return p, fmt.Errorf("participant: %w", err)
	}
	return p, nil
}

// SetBlocked implements store.Participants.
func (s *Store) SetBlocked(ctx context.Context, id string, blocked bool) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := oneRow(tx.exec(ctx, `UPDATE latest SET blocked = ? WHERE participant_id = ? AND org_id = ?`, blocked, id, s.org)); err != nil {
			return fmt.Errorf("block participant: %w", err)
		}
		if err := oneRow(tx.exec(ctx, `UPDATE participants SET blocked = ? WHERE id = ?`, blocked, id)); err != nil {
			return fmt.Errorf("block participant: %w", err)
		}
		return s.stateChanged(ctx, tx, id)
	})
}

// EditParticipant implements store.Participants.
func (s *Store) EditParticipant(ctx context.Context, id, name, phone string) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockState(ctx, tx, id); err != nil {
			return fmt.Errorf("edit participant: %w", err)
		}
		words, phones := searchKeys(name, phone)
		_, err := tx.exec(ctx, `UPDATE participants SET name = ?, name_key = ?, search_key = ?, phone = ?, phone_key = ? WHERE id = ?`,
			name, store.NameKey(name), words, phone, phones, id)
		if err != nil {
			return fmt.Errorf("edit participant: %w", err)
		}
		if err := keepSearchParts(ctx, tx, s.org, id, words, phones); err != nil {
			return err
		}
		return s.stateChanged(ctx, tx, id)
	})
}

// lockState locks a participant's row of latest. ErrNotFound means that there is none
// in this organisation.
func (s *Store) lockState(ctx context.Context, tx runner, participantID string) error {
	var found int
	return tx.row(ctx, `SELECT 1 FROM latest l WHERE l.participant_id = ? AND l.org_id = ?`+s.write.lockLatest, participantID, s.org).Scan(&found)
}
