package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/tonprobe/tonprobe/server/store"
)

const councilColumns = `c.id, c.name, c.created_at`

func scanCouncil(row scanner) (store.Council, error) {
	var c store.Council
	var created int64
	err := row.Scan(&c.ID, &c.Name, &created)
	c.CreatedAt = fromMillis(created)
	return c, err
}

// AddCouncil implements store.Councils.
func (s *Store) AddCouncil(ctx context.Context, c store.Council) error {
	if err := c.Check(); err != nil {
		return err
	}
	return s.addCouncil(ctx, s.write, c)
}

func (s *Store) addCouncil(ctx context.Context, r runner, c store.Council) error {
	_, err := r.exec(ctx, `INSERT INTO councils (id, org_id, name, created_at) VALUES (?, ?, ?, ?)`, c.ID, s.org, c.Name, millis(c.CreatedAt))
	if s.write.taken(err) {
		return fmt.Errorf("council %q: %w", c.Name, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("add council: %w", err)
	}
	return nil
}

// Council implements store.Councils.
func (s *Store) Council(ctx context.Context, id string) (store.Council, error) {
	c, err := scanCouncil(s.read.row(ctx, `SELECT `+councilColumns+` FROM councils c WHERE c.id = ? AND c.org_id = ?`, id, s.org))
	if err != nil {
		return c, fmt.Errorf("council: %w", err)
	}
	return c, nil
}

// CouncilNamed implements store.Councils.
func (s *Store) CouncilNamed(ctx context.Context, name string) (store.Council, error) {
	c, err := scanCouncil(s.read.row(ctx, `SELECT `+councilColumns+` FROM councils c WHERE c.org_id = ? AND c.name = ?`, s.org, name))
	if err != nil {
		return c, fmt.Errorf("council: %w", err)
	}
	return c, nil
}

// CouncilOfSource implements store.Councils.
func (s *Store) CouncilOfSource(ctx context.Context, source string) (store.Council, error) {
	c, err := scanCouncil(s.read.row(ctx, `SELECT `+councilColumns+` FROM councils c WHERE c.id =
		(SELECT s.council_id FROM council_sessions s WHERE s.org_id = ? AND s.source = ? ORDER BY s.council_id LIMIT 1)`, s.org, source))
	if err != nil {
		return c, fmt.Errorf("council of a source: %w", err)
	}
	return c, nil
}

const councilList = "councils"

// CouncilPage implements store.Councils.
func (s *Store) CouncilPage(ctx context.Context, after string, limit int) (store.CouncilPage, error) {
	statement, args := `SELECT `+councilColumns+` FROM councils c WHERE c.org_id = ?`, []any{s.org}
	if after != "" {
		c, err := parseCursor(after, councilList)
		if err != nil {
			return store.CouncilPage{}, err
		}
		statement, args = statement+` AND c.name > ?`, append(args, c.Text)
	}
	limit = pageSize(limit)
	list, err := collect(ctx, s.read, scanCouncil, statement+` ORDER BY c.name LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return store.CouncilPage{}, fmt.Errorf("list councils: %w", err)
	}
	page := store.CouncilPage{Councils: list}
	if len(list) > limit {
		page.Councils = list[:limit]
		page.Next = cursor{List: councilList, Text: list[limit-1].Name}.String()
	}
	return page, nil
}

// RenameCouncil implements store.Councils.
func (s *Store) RenameCouncil(ctx context.Context, id, name string) error {
	if err := (store.Council{Name: name}).Check(); err != nil {
		return err
	}
	err := oneRow(s.write.exec(ctx, `UPDATE councils SET name = ? WHERE id = ? AND org_id = ?`, name, id, s.org))
	if s.write.taken(err) {
		return fmt.Errorf("council %q: %w", name, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("rename council: %w", err)
	}
	return nil
}

// RemoveCouncil implements store.Councils.
func (s *Store) RemoveCouncil(ctx context.Context, id string) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockCouncil(ctx, tx, id); err != nil {
			return fmt.Errorf("remove council: %w", err)
		}
		for _, table := range []string{"council_sessions", "council_members"} {
			if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE council_id = ?`, id); err != nil {
				return fmt.Errorf("remove %s of council: %w", table, err)
			}
		}
		if err := oneRow(tx.exec(ctx, `DELETE FROM councils WHERE id = ?`, id)); err != nil {
			return fmt.Errorf("remove council: %w", err)
		}
		return s.rollChanged(ctx, tx)
	})
}

// lockCouncil locks a council until the transaction ends. ErrNotFound means that there
// is none in this organisation.
func (s *Store) lockCouncil(ctx context.Context, tx runner, id string) error {
	return oneRow(tx.exec(ctx, `UPDATE councils SET id = id WHERE id = ? AND org_id = ?`, id, s.org))
}

// rollChanged makes open pages request their lists again: changes of members or sessions
// do not appear in any row of a participant.
func (s *Store) rollChanged(ctx context.Context, tx runner) error {
	revision, err := nextRevision(ctx, tx, s.org)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE organisations SET deleted_revision = ? WHERE id = ?`, revision, s.org); err != nil {
		return fmt.Errorf("note the change of a council: %w", err)
	}
	return nil
}

// AddCouncilMember implements store.Councils.
func (s *Store) AddCouncilMember(ctx context.Context, councilID, participantID string) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockCouncil(ctx, tx, councilID); err != nil {
			return fmt.Errorf("council: %w", err)
		}
		if err := s.addMember(ctx, tx, councilID, participantID); err != nil {
			return err
		}
		if err := s.checkMembers(ctx, tx, councilID); err != nil {
			return err
		}
		return s.rollChanged(ctx, tx)
	})
}

// checkMembers returns an *InputError if a council has too many members.
func (s *Store) checkMembers(ctx context.Context, tx runner, councilID string) error {
	var n int
	if err := tx.row(ctx, `SELECT count(*) FROM council_members m WHERE m.council_id = ?`, councilID).Scan(&n); err != nil {
		return fmt.Errorf("count members: %w", err)
	}
	if n > store.MaxCouncilMembers {
		return &store.InputError{Problem: fmt.Sprintf("a council has at most %d members", store.MaxCouncilMembers)}
	}
	return nil
}

// addMember adds a participant of this organisation to a council of it.
func (s *Store) addMember(ctx context.Context, tx runner, councilID, participantID string) error {
	if err := s.lockState(ctx, tx, participantID); err != nil {
		return fmt.Errorf("participant %.80q: %w", participantID, err)
	}
	_, err := tx.exec(ctx, `INSERT INTO council_members (council_id, participant_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, councilID, participantID)
	if err != nil {
		return fmt.Errorf("add member: %w", err)
	}
	// Otherwise a person who leaves again before the next NotePeopleWithoutCouncil would keep the time
	// since which they had been in no council before.
	if _, err := tx.exec(ctx, `DELETE FROM people_without_council WHERE participant_id = ?`, participantID); err != nil {
		return fmt.Errorf("note that a person has a council: %w", err)
	}
	return nil
}

// RemoveCouncilMember implements store.Councils.
func (s *Store) RemoveCouncilMember(ctx context.Context, councilID, participantID string) error {
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockCouncil(ctx, tx, councilID); err != nil {
			return fmt.Errorf("council: %w", err)
		}
		if err := oneRow(tx.exec(ctx, `DELETE FROM council_members WHERE council_id = ? AND participant_id = ?`, councilID, participantID)); err != nil {
			return fmt.Errorf("remove member: %w", err)
		}
		return s.rollChanged(ctx, tx)
	})
}

// SetCouncilMembers implements store.Councils.
func (s *Store) SetCouncilMembers(ctx context.Context, councilID string, participantIDs []string) error {
	ids := slices.Clone(participantIDs)
	slices.Sort(ids) // all transactions lock in the same order
	ids = slices.Compact(ids)
	if len(ids) > store.MaxCouncilMembers {
		return &store.InputError{Problem: fmt.Sprintf("a council has at most %d members", store.MaxCouncilMembers)}
	}
	return s.write.inTx(ctx, func(tx runner) error {
		if err := s.lockCouncil(ctx, tx, councilID); err != nil {
			return fmt.Errorf("council: %w", err)
		}
		if _, err := tx.exec(ctx, `DELETE FROM council_members WHERE council_id = ?`, councilID); err != nil {
			return fmt.Errorf("replace members: %w", err)
		}
		for _, id := range ids {
			if err := s.addMember(ctx, tx, councilID, id); err != nil {
				return err
			}
		}
		return s.rollChanged(ctx, tx)
	})
}

// CouncilMembers implements store.Councils.
func (s *Store) CouncilMembers(ctx context.Context, councilID string) ([]store.ParticipantState, int64, error) {
	revision, _, err := s.revisions(ctx)
	if err != nil {
		return nil, 0, err
	}
	if _, err := s.Council(ctx, councilID); err != nil {
		return nil, 0, err
	}
	rows, err := collect(ctx, s.read, scanState, `SELECT`+stateColumns+`
		FROM council_members m
		JOIN latest l ON l.participant_id = m.participant_id
		JOIN participants p ON p.id = l.participant_id
		LEFT JOIN reports r ON r.id = l.report_id
		WHERE m.council_id = ? AND l.org_id = ?`, councilID, s.org)
	if err != nil {
		return nil, 0, fmt.Errorf("list members: %w", err)
	}
	members := make([]store.ParticipantState, 0, len(rows))
	for _, r := range rows {
		members = append(members, r.ParticipantState)
	}
	return members, revision, nil
}

// CouncilMemberIDs implements store.Councils.
func (s *Store) CouncilMemberIDs(ctx context.Context, councilID string) ([]string, error) {
	scan := func(row scanner) (id string, err error) { return id, row.Scan(&id) }
	ids, err := collect(ctx, s.read, scan, `SELECT m.participant_id FROM council_members m JOIN councils c ON c.id = m.council_id
		WHERE m.council_id = ? AND c.org_id = ?`, councilID, s.org)
	if err != nil {
		return nil, fmt.Errorf("list ids of members: %w", err)
	}
	return ids, nil
}

// CouncilsOf implements store.Councils.
func (s *Store) CouncilsOf(ctx context.Context, participantID string) ([]store.Council, error) {
	list, err := collect(ctx, s.read, scanCouncil, `
		SELECT `+councilColumns+` FROM council_members m JOIN councils c ON c.id = m.council_id
		WHERE m.participant_id = ? AND c.org_id = ?`, participantID, s.org)
	if err != nil {
		return nil, fmt.Errorf("councils of a participant: %w", err)
	}
	slices.SortFunc(list, store.Council.Compare)
	return list, nil
}
