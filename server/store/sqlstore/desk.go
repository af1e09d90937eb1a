package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tonprobe/tonprobe/server/store"
)

// maxWorked limits the open and the taken cases of which the list keeps one of each person.
const maxWorked = 2000

// notAtDesk is the condition that a participant has no case that is taken, none that is open and on which
// somebody has worked since a time, and none that was closed after the check r.
const notAtDesk = ` NOT EXISTS (SELECT 1 FROM cases x WHERE x.participant_id = l.participant_id
	AND (x.state = 'taken' OR x.state = 'open' AND x.since >= ? OR x.state = 'closed' AND x.since >= r.checked_at))`

// deciding joins the check that decides the verdict of a row of latest.
const deciding = ` FROM latest l JOIN reports r ON r.id = l.decides_report_id`

// Desk implements store.Cases.
func (s *Store) Desk(ctx context.Context, q store.DeskQuery) (d store.Desk, err error) {
	limit := pageSize(q.Limit)
	taken, err := s.worked(ctx, store.CaseTaken, 0, maxWorked)
	if err != nil {
		return d, err
	}
	d.Mine = slices.DeleteFunc(slices.Clone(taken), func(c store.DeskCase) bool { return c.By != q.By })
	d.Mine = store.OnePerPerson(d.Mine, nil)
	taken = store.OnePerPerson(taken, nil)
	busy := map[string]bool{}
	for _, c := range taken {
		busy[c.ParticipantID] = true
	}
	open, err := s.worked(ctx, store.CaseOpen, millis(q.FreshSince), maxWorked)
	if err != nil {
		return d, err
	}
	open = store.OnePerPerson(open, busy)
	d.Counts.Taken, d.Counts.Open = len(taken), len(open)
	for _, verdict := range store.DeskVerdicts() {
		some, n, err := s.untouched(ctx, store.Rank(verdict), q, limit)
		if err != nil {
			return d, err
		}
		open = append(open, some...)
		d.Counts.Open += n
	}
	closed, err := s.worked(ctx, store.CaseClosed, millis(q.ClosedSince), maxWorked)
	if err != nil {
		return d, err
	}
	closed = store.OnePerPerson(closed, nil)
	d.Counts.Closed = len(closed)
	store.ByWaiting.Sort(taken)
	store.ByWaiting.Sort(d.Mine)
	cmp.Or(q.Order, store.ByWorst).Sort(open)
	d.Counts.Mine = len(d.Mine)
	open = store.OnePerPerson(open, busy) // something may have changed between the queries
	for _, l := range []struct {
		list  *[]store.DeskCase
		found []store.DeskCase
	}{{&d.Open, open}, {&d.Taken, taken}, {&d.Mine, d.Mine}, {&d.Closed, closed}} {
		*l.list = l.found[:min(len(l.found), limit)]
	}
	if err := s.addPeople(ctx, d.Open, d.Taken, d.Mine, d.Closed); err != nil {
		return d, err
	}
	return d, nil
}

// worked returns the cases with a state that staff have worked on since a time, the last changed
// first.
func (s *Store) worked(ctx context.Context, state store.CaseState, since int64, limit int) ([]store.DeskCase, error) {
	scan := func(row scanner) (c store.DeskCase, err error) {
		var since int64
		var last nullSummary
		if err = row.Scan(append([]any{&c.State, &c.By, &since, &c.Cause}, last.into()...)...); err != nil {
			return c, err
		}
		c.Since = fromMillis(since)
		return c.About(*last.summary()), nil
	}
	list, err := collect(ctx, s.read, scan, `SELECT c.state, c.staff_name, c.since, c.true_code, `+summaryColumns+`
		FROM cases c JOIN reports r ON r.id = c.report_id
		WHERE c.org_id = ? AND c.state = ? AND c.since >= ? ORDER BY c.since DESC, c.id DESC LIMIT ?`, s.org, string(state), max(1, since), limit)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}
	return list, nil
}

// untouched returns the problems with a rank that nobody works on, the oldest first, and the
// number of all.
func (s *Store) untouched(ctx context.Context, rank int, q store.DeskQuery, limit int) (list []store.DeskCase, n int, err error) {
	where := deciding + ` WHERE l.org_id = ? AND l.verdict_rank = ? AND l.counts_at >= ? AND NOT l.blocked AND` + notAtDesk
	args := []any{s.org, rank, millis(q.FreshSince), millis(q.FreshSince)}
	if err := s.read.row(ctx, `SELECT count(*)`+where, args...).Scan(&n); err != nil {
		return nil, 0, fmt.Errorf("count cases: %w", err)
	}
	scan := func(row scanner) (store.DeskCase, error) {
		r, err := scanSummary(row)
		return store.DeskCase{Case: store.Case{State: store.CaseOpen}}.About(r), err
	}
	list, err = collect(ctx, s.read, scan, `SELECT `+summaryColumns+where+` ORDER BY l.counts_at, l.participant_id LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list cases: %w", err)
	}
	return list, n, nil
}

// addPeople completes the cases.
func (s *Store) addPeople(ctx context.Context, lists ...[]store.DeskCase) error {
	var ids []string
	for _, list := range lists {
		for _, c := range list {
			ids = append(ids, c.ParticipantID)
		}
	}
	people := map[string]store.ParticipantState{}
	for chunk := range padded(ids) {
		some, err := collect(ctx, s.read, scanState,
			"SELECT"+stateColumns+stateTables+" WHERE l.participant_id IN ("+marks(len(chunk))+") AND "+rowOfOrganisation, append(chunk, s.org)...)
		if err != nil {
			return fmt.Errorf("people with a case: %w", err)
		}
		for _, r := range some {
			people[r.ID] = r.ParticipantState
		}
	}
	for _, list := range lists {
		for i, c := range list {
			list[i].Person = people[c.ParticipantID]
		}
	}
	return nil
}
