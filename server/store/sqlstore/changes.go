package sqlstore

import (
	"context"
	"fmt"

	"github.com/tonprobe/tonprobe/server/store"
)

// StateRevision implements store.Participants.
func (s *Store) StateRevision(ctx context.Context) (int64, error) {
	revision, _, err := s.revisions(ctx)
	return revision, err
}

func (s *Store) revisions(ctx context.Context) (newest, deletion int64, err error) {
	err = s.read.row(ctx, `SELECT revision, deleted_revision FROM organisations WHERE id = ?`, s.org).Scan(&newest, &deletion)
	if err != nil {
		return 0, 0, fmt.Errorf("revision of the list: %w", err)
	}
	return newest, deletion, nil
}

// ChangedStates implements store.Participants. The revision is read first: what
// changes between the two queries has a later one, and is found again.
func (s *Store) ChangedStates(ctx context.Context, since int64, limit int) (store.StateChanges, error) {
	newest, deletion, err := s.revisions(ctx)
	if err != nil {
		return store.StateChanges{}, err
	}
	c := store.StateChanges{Revision: newest}
	switch {
	case newest == since:
		return c, nil
	case since > newest || deletion > since: // of another database, or not visible in a row
		c.Whole = true
		return c, nil
	}
	rows, err := collect(ctx, s.read, scanState,
		"SELECT"+stateColumns+stateTables+" WHERE l.org_id = ? AND l.revision > ? ORDER BY l.revision LIMIT ?", s.org, since, limit+1)
	if err != nil {
		return store.StateChanges{}, fmt.Errorf("list changed participants: %w", err)
	}
	if len(rows) > limit {
		c.Whole = true
		return c, nil
	}
	for _, r := range rows {
		c.States = append(c.States, r.ParticipantState)
	}
	return c, nil
}
