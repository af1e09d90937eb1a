package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/server/store"
)

// errDryRun undoes the transaction of an import.
var errDryRun = errors.New("dry run")

// ApplyImport implements store.Imports.
func (s *Store) ApplyImport(ctx context.Context, i store.Import) ([]store.ImportResult, error) {
	for _, c := range i.Councils {
		if err := c.Check(); err != nil {
			return nil, err
		}
	}
	for _, c := range i.Sessions {
		if err := store.CheckImport(c.Source, c.Sessions); err != nil {
			return nil, err
		}
	}
	// All transactions lock councils, and then participants, in the same order.
	members, sessions := slices.Clone(i.Members), slices.Clone(i.Sessions)
	slices.SortFunc(members, func(a, b store.MemberChange) int { return strings.Compare(a.CouncilID, b.CouncilID) })
	var results []store.ImportResult
	err := s.write.inTx(ctx, func(tx runner) error {
		results = nil
		for _, p := range i.Participants {
			if err := s.addParticipant(ctx, tx, p); err != nil {
				return err
			}
		}
		for _, c := range i.Codes {
			if err := s.addEnrolCode(ctx, tx, c); err != nil {
				return err
			}
		}
		for _, c := range i.Councils {
			if err := s.addCouncil(ctx, tx, c); err != nil {
				return err
			}
		}
		for _, m := range members {
			if err := s.changeMembers(ctx, tx, m); err != nil {
				return err
			}
		}
		for _, c := range sessions {
			r, err := s.upsertSessions(ctx, tx, c, i.Now)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		if err := s.addSources(ctx, tx, i.Sources); err != nil {
			return err
		}
		for _, e := range i.Audit {
			if err := s.insertAuditEntry(ctx, tx, e); err != nil {
				return err
			}
		}
		if i.DryRun {
			return errDryRun
		}
		if len(i.Councils)+len(i.Members) > 0 {
			return s.rollChanged(ctx, tx)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return nil, fmt.Errorf("import: %w", err)
	}
	return results, nil
}

// changeMembers adds members to a council and removes others.
func (s *Store) changeMembers(ctx context.Context, tx runner, m store.MemberChange) error {
	if err := s.lockCouncil(ctx, tx, m.CouncilID); err != nil {
		return fmt.Errorf("council: %w", err)
	}
	for _, id := range m.Remove {
		if _, err := tx.exec(ctx, `DELETE FROM council_members WHERE council_id = ? AND participant_id = ?`, m.CouncilID, id); err != nil {
			return fmt.Errorf("remove member: %w", err)
		}
	}
	for _, id := range slices.Sorted(slices.Values(m.Add)) {
		if err := s.addMember(ctx, tx, m.CouncilID, id); err != nil {
			return err
		}
	}
	return s.checkMembers(ctx, tx, m.CouncilID)
}
