package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

const stateColumns = `
	p.id, p.name, p.phone, p.created_at, p.blocked, p.name_key,
	l.enrolled, l.last_seen_at, l.verdict, l.counts_at, ` + columnsOfKnown + `,
` + summaryColumns

const stateTables = `
	FROM latest l
	JOIN participants p ON p.id = l.participant_id
	LEFT JOIN reports r ON r.id = l.report_id`

// stateRow is a row with the key it was sorted by.
type stateRow struct {
	store.ParticipantState
	nameKey             string
	checkedAt, countsAt int64
	part                int
}

// stateOrder is a sort order of the list. Its key is made of plain columns, all in
// the same direction, so that an index serves it from any row on.
type stateOrder struct {
	table   string // whose index it is
	columns []string
	down    bool
	cursor  func(stateRow) cursor
	args    func(cursor) []any
}

func orderOf(o store.Order) (stateOrder, error) {
	switch o {
	case store.ByName:
		return stateOrder{
			table: "p", columns: []string{"p.name_key", "p.id"},
			cursor: func(r stateRow) cursor { return cursor{Text: r.nameKey, ID: r.ID} },
			args:   func(c cursor) []any { return []any{c.Text, c.ID} },
		}, nil
	case store.ByRecent:
		return stateOrder{
			table: "l", columns: []string{"l.checked_at", "l.participant_id"}, down: true,
			cursor: func(r stateRow) cursor { return cursor{At: r.checkedAt, ID: r.ID} },
			args:   func(c cursor) []any { return []any{c.At, c.ID} },
		}, nil
	case store.ByUrgency: // within a part; see partsOf
		return stateOrder{
			table: "l", columns: []string{"l.counts_at", "l.participant_id"}, down: true,
			cursor: func(r stateRow) cursor { return cursor{At: r.countsAt, ID: r.ID} },
			args:   func(c cursor) []any { return []any{c.At, c.ID} },
		}, nil
	}
	return stateOrder{}, fmt.Errorf("order %q is unknown", o)
}

// after is the condition that selects the rows after a given one in this order.
func (o stateOrder) after() string {
	sign := " > "
	if o.down {
		sign = " < "
	}
	return "(" + strings.Join(o.columns, ", ") + ")" + sign + "(?, ?)"
}

func (o stateOrder) by() string {
	if o.down {
		return strings.Join(o.columns, " DESC, ") + " DESC"
	}
	return strings.Join(o.columns, ", ")
}

// compare returns the order of two rows by their cursors.
func (o stateOrder) compare(a, b cursor) int {
	if a.Part != b.Part {
		return cmp.Compare(a.Part, b.Part)
	}
	c := cmp.Or(strings.Compare(a.Text, b.Text), cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID))
	if o.down {
		return -c
	}
	return c
}

// partsOf returns the conditions for the parts of a list, in order. By urgency, the fresh
// rows come first and then the others, each with one part per rank, worst first: one
// ORDER BY over all of them would sort all rows for each page.
func partsOf(q store.StateQuery) (parts []match) {
	if q.Order != store.ByUrgency {
		return []match{{condition: "TRUE", holds: func(stateRow) bool { return true }}}
	}
	since := millis(q.FreshSince)
	ranked := func(rank int, condition string, holds func(countsAt int64) bool, args ...any) match {
		return match{condition: "l.verdict_rank = ?" + condition, args: append([]any{rank}, args...),
			holds: func(r stateRow) bool { return store.Rank(r.Verdict) == rank && holds(r.countsAt) }}
	}
	ranks := func(condition string, holds func(countsAt int64) bool, args ...any) {
		for _, rank := range store.Ranks() {
			if rank != store.RankNever && (q.Verdict == "" || store.Rank(q.Verdict) == rank) {
				parts = append(parts, ranked(rank, condition, holds, args...))
			}
		}
	}
	always := func(int64) bool { return true }
	never := ranked(store.RankNever, "", always)
	switch {
	case q.Never:
		return []match{never}
	case since == 0:
		ranks("", always)
	default:
		if !q.Old {
			ranks(" AND l.counts_at >= ?", func(at int64) bool { return at >= since }, since)
		}
		if q.Verdict == "" {
			ranks(" AND l.counts_at < ?", func(at int64) bool { return at < since }, since)
		}
	}
	if !q.Old && q.Verdict == "" {
		parts = append(parts, never)
	}
	return parts
}

// ParticipantStates implements store.Participants.
func (s *Store) ParticipantStates(ctx context.Context, q store.StateQuery) (store.StatePage, error) {
	q.Order = cmp.Or(q.Order, store.ByName)
	order, err := orderOf(q.Order)
	if err != nil {
		return store.StatePage{}, err
	}
	parts := partsOf(q)
	var after *cursor
	if q.After != "" {
		c, err := parseCursor(q.After, string(q.Order))
		if err != nil {
			return store.StatePage{}, err
		}
		after = &c
	}
	found := match{condition: "TRUE"}
	if search := strings.TrimSpace(q.Search); search != "" {
		if found, err = s.match(ctx, search); err != nil || found.nobody {
			return store.StatePage{}, err
		}
	}
	limit := pageSize(q.Limit)
	var rows []stateRow
	if len(found.ids) > 0 {
		rows, err = s.rowsOfIDs(ctx, q, order, parts, after, found.ids, limit+1)
	} else {
		rows, err = s.rowsInOrder(ctx, q, order, parts, after, found, limit+1)
	}
	if err != nil {
		return store.StatePage{}, fmt.Errorf("list participants: %w", err)
	}
	var page store.StatePage
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next := order.cursor(last)
		next.List, next.Part = string(q.Order), last.part
		page.Next = next.String()
	}
	for _, r := range rows {
		page.States = append(page.States, r.ParticipantState)
	}
	return page, nil
}

// rowsInOrder reads the first rows of a list after a cursor, each part by its index.
func (s *Store) rowsInOrder(ctx context.Context, q store.StateQuery, order stateOrder, parts []match, after *cursor, found match, limit int) (rows []stateRow, err error) {
	for i, p := range parts {
		if after != nil && i < after.Part {
			continue
		}
		statement, args := s.statesOf(q, order, p, found)
		if after != nil && i == after.Part {
			statement += " AND " + order.after()
			args = append(args, order.args(*after)...)
		}
		some, err := collect(ctx, s.read, scanState, statement+" ORDER BY "+order.by()+" LIMIT ?", append(args, limit-len(rows))...)
		if err != nil {
			return nil, err
		}
		for k := range some {
			some[k].part = i
		}
		if rows = append(rows, some...); len(rows) >= limit {
			break
		}
	}
	return rows, nil
}

// rowsOfIDs reads the rows of these participants that are in a list after a cursor. It
// sorts their keys here, and reads only the first limit rows as a whole. A database that is
// given the ids and the order might read the whole list in order, because it does not know
// that there are few ids.
func (s *Store) rowsOfIDs(ctx context.Context, q store.StateQuery, order stateOrder, parts []match, after *cursor, ids []string, limit int) ([]stateRow, error) {
	var places []cursor
	for chunk := range padded(ids) {
		some, err := collect(ctx, s.read, scanKeys, `
			SELECT p.id, p.blocked, p.name_key, l.verdict, l.counts_at, l.checked_at
			FROM latest l JOIN participants p ON p.id = l.participant_id
			WHERE l.participant_id IN (`+marks(len(chunk))+`) AND `+rowOfOrganisation, append(chunk, s.org)...)
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			at := order.cursor(r)
			at.Part = slices.IndexFunc(parts, func(p match) bool { return p.holds(r) })
			if at.Part >= 0 && r.in(q) && (after == nil || order.compare(at, *after) > 0) {
				places = append(places, at)
			}
		}
	}
	slices.SortFunc(places, order.compare)
	places = places[:min(len(places), limit)]
	var first []string
	part := map[string]int{}
	for _, at := range places {
		first, part[at.ID] = append(first, at.ID), at.Part
	}
	var rows []stateRow
	for chunk := range padded(first) {
		some, err := collect(ctx, s.read, scanState,
			"SELECT"+stateColumns+stateTables+" WHERE l.participant_id IN ("+marks(len(chunk))+") AND "+rowOfOrganisation, append(chunk, s.org)...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	for i := range rows {
		rows[i].part = part[rows[i].ID]
	}
	place := func(r stateRow) cursor {
		at := order.cursor(r)
		at.Part = r.part
		return at
	}
	slices.SortFunc(rows, func(a, b stateRow) int { return order.compare(place(a), place(b)) })
	return rows, nil
}

// rowOfOrganisation limits rows that are read by their ids to the organisation. It is no
// condition for an index: with many ids, SQLite would rather read all rows of the
// organisation by one, which takes twenty times as long for ten thousand.
const rowOfOrganisation = "l.org_id || '' = ?"

// scanKeys scans what decides whether a row is in a list, and where.
func scanKeys(row scanner) (r stateRow, err error) {
	var verdict string
	err = row.Scan(&r.ID, &r.Blocked, &r.nameKey, &verdict, &r.countsAt, &r.checkedAt)
	r.Verdict = report.Verdict(verdict)
	return r, err
}

// in reports whether a row meets the conditions of a list, like the query of statesOf.
func (r stateRow) in(q store.StateQuery) bool {
	since, never := millis(q.FreshSince), store.Rank(r.Verdict) == store.RankNever
	switch {
	case q.Verdict != "" && (r.Verdict != q.Verdict || r.countsAt < since),
		q.Old && (never || r.countsAt >= since),
		q.Never && !never,
		q.Blocked == store.BlockedNot && r.Blocked,
		q.Blocked == store.BlockedOnly && !r.Blocked:
		return false
	}
	return true
}

// statesOf is the query of one part of a list, without its order.
func (s *Store) statesOf(q store.StateQuery, order stateOrder, of, found match) (statement string, args []any) {
	where := []string{order.table + ".org_id = ?", of.condition, found.condition}
	args = slices.Concat([]any{s.org}, of.args, found.args)
	since := millis(q.FreshSince)
	if q.Verdict != "" {
		where, args = append(where, "l.verdict = ?", "l.counts_at >= ?"), append(args, string(q.Verdict), since)
	}
	if q.Old {
		where, args = append(where, "l.verdict_rank <> ?", "l.counts_at < ?"), append(args, store.RankNever, since)
	}
	if q.Never {
		where, args = append(where, "l.verdict_rank = ?"), append(args, store.RankNever)
	}
	switch q.Blocked {
	case store.BlockedNot:
		where = append(where, "NOT l.blocked")
	case store.BlockedOnly:
		where = append(where, "l.blocked")
	}
	return "SELECT" + stateColumns + stateTables + " WHERE " + strings.Join(where, " AND "), args
}

// ParticipantState implements store.Participants.
func (s *Store) ParticipantState(ctx context.Context, id string) (store.ParticipantState, error) {
	r, err := scanState(s.read.row(ctx, "SELECT"+stateColumns+stateTables+" WHERE l.participant_id = ? AND l.org_id = ?", id, s.org))
	if err != nil {
		return store.ParticipantState{}, fmt.Errorf("participant: %w", err)
	}
	return r.ParticipantState, nil
}

// CountStates implements store.Participants. It reads nothing but one index.
func (s *Store) CountStates(ctx context.Context, freshSince time.Time) (store.StateCounts, error) {
	type group struct{ rank, blocked, fresh, n int }
	// Grouped by a column of the index only, so that the database need not sort.
	groups, err := collect(ctx, s.read, func(row scanner) (g group, err error) {
		return g, row.Scan(&g.rank, &g.blocked, &g.fresh, &g.n)
	}, `
		SELECT l.verdict_rank, count(*) FILTER (WHERE l.blocked), count(*) FILTER (WHERE NOT l.blocked AND l.counts_at >= ?), count(*)
		FROM latest l WHERE l.org_id = ? GROUP BY l.verdict_rank`, millis(freshSince), s.org)
	counts := store.StateCounts{Fresh: map[report.Verdict]int{}}
	if err != nil {
		return counts, fmt.Errorf("count participants: %w", err)
	}
	for _, g := range groups {
		counts.Blocked += g.blocked
		if g.rank == store.RankNever {
			counts.Never += g.n - g.blocked
			continue
		}
		if g.fresh > 0 {
			counts.Fresh[store.VerdictOf(g.rank)] += g.fresh
		}
		counts.Old += g.n - g.blocked - g.fresh
	}
	return counts, nil
}

func scanState(row scanner) (stateRow, error) {
	var r stateRow
	var created, seen int64
	var verdict string
	var known knownColumns
	var last nullSummary
	into := []any{&r.ID, &r.Name, &r.Phone, &created, &r.Blocked, &r.nameKey, &r.Enrolled, &seen, &verdict, &r.countsAt}
	into = append(append(into, known.into()...), last.into()...)
	if err := row.Scan(into...); err != nil {
		return r, err
	}
	r.checkedAt = known.checked
	r.CreatedAt, r.LastSeenAt = fromMillis(created), fromMillis(seen)
	r.Last, r.Verdict = last.summary(), report.Verdict(verdict)
	if full := known.known().Full; full != nil {
		r.Full = &store.FullCheck{ReportID: full.ReportID, Verdict: full.Verdict, CheckedAt: full.CheckedAt}
	}
	return r, nil
}
