package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

const stateColumns = `
	p.id, p.name, p.phone, p.created_at, p.blocked, p.name_key,
	l.enrolled, l.last_seen_at, l.verdict_rank, l.checked_at,
	l.verdict, l.full_report_id, l.full_verdict, l.full_checked_at,
` + summaryColumns

const stateTables = `
	FROM participants p
	JOIN latest l ON l.participant_id = p.id
	LEFT JOIN reports r ON r.id = l.report_id`

// stateOrder is one way to sort the list: the columns of its key, each
// ascending, and how a row's key goes into a cursor and out of it.
type stateOrder struct {
	columns string
	nums    int
	cursor  func(stateRow) cursor
	args    func(cursor) []any
}

func orderOf(o store.Order) (stateOrder, error) {
	switch o {
	case store.ByName, "":
		return stateOrder{
			columns: "p.name_key, p.id",
			cursor:  func(r stateRow) cursor { return cursor{List: "name", Text: r.nameKey, ID: r.ID} },
			args:    func(c cursor) []any { return []any{c.Text, c.ID} },
		}, nil
	case store.ByRecent:
		return stateOrder{
			columns: "-l.checked_at, l.participant_id", nums: 1,
			cursor: func(r stateRow) cursor { return cursor{List: "recent", Nums: []int64{-r.checkedAt}, ID: r.ID} },
			args:   func(c cursor) []any { return []any{c.Nums[0], c.ID} },
		}, nil
	case store.ByUrgency:
		return stateOrder{
			columns: "l.verdict_rank, -l.checked_at, l.participant_id", nums: 2,
			cursor: func(r stateRow) cursor {
				return cursor{List: "urgency", Nums: []int64{r.rank, -r.checkedAt}, ID: r.ID}
			},
			args: func(c cursor) []any { return []any{c.Nums[0], c.Nums[1], c.ID} },
		}, nil
	}
	return stateOrder{}, fmt.Errorf("order %q is unknown", o)
}

// stateRow is a row with the key it was sorted by.
type stateRow struct {
	store.ParticipantState
	nameKey         string
	rank, checkedAt int64
	part            int
}

// freshCheck is the condition under which a check counts. Its parameter is the
// time since when, twice.
const freshCheck = `(l.checked_at >= ? AND (l.verdict <> 'ready' OR l.full_checked_at >= ?))`

// ParticipantStates implements store.Participants.
//
// The list by urgency has two parts, the fresh ones and the others. Each is read
// along its index; one ORDER BY over both would sort all rows for each page.
func (s *Store) ParticipantStates(ctx context.Context, q store.StateQuery) (store.StatePage, error) {
	order, err := orderOf(q.Order)
	if err != nil {
		return store.StatePage{}, err
	}
	var after *cursor
	if q.After != "" {
		name := cmp.Or(q.Order, store.ByName)
		c, err := parseCursor(q.After, string(name), order.nums)
		if err != nil {
			return store.StatePage{}, err
		}
		after = &c
	}
	limit := pageSize(q.Limit)
	since := millis(q.FreshSince)
	parts := []part{{}}
	if q.Order == store.ByUrgency && since > 0 && q.Verdict == "" && !q.Old {
		parts = []part{{freshCheck, []any{since, since}}, {"NOT " + freshCheck, []any{since, since}}}
	}
	var rows []stateRow
	for i, p := range parts {
		where, args := stateFilter(q)
		if p.condition != "" {
			where, args = append(where, p.condition), append(args, p.args...)
		}
		if after != nil && i < after.Part {
			continue
		}
		if after != nil && i == after.Part {
			key := order.args(*after)
			where = append(where, "("+order.columns+") > ("+strings.Repeat("?, ", len(key)-1)+"?)")
			args = append(args, key...)
		}
		statement := "SELECT" + stateColumns + stateTables
		if len(where) > 0 {
			statement += " WHERE " + strings.Join(where, " AND ")
		}
		found, err := s.states(ctx, statement+" ORDER BY "+order.columns+" LIMIT ?", append(args, limit+1-len(rows))...)
		if err != nil {
			return store.StatePage{}, fmt.Errorf("list participants: %w", err)
		}
		for k := range found {
			found[k].part = i
		}
		if rows = append(rows, found...); len(rows) > limit {
			break
		}
	}
	var page store.StatePage
	if len(rows) > limit {
		rows = rows[:limit]
		last := order.cursor(rows[limit-1])
		last.Part = rows[limit-1].part
		page.Next = last.String()
	}
	for _, r := range rows {
		page.States = append(page.States, r.ParticipantState)
	}
	return page, nil
}

// part is a part of a list, and the condition for being in it.
type part struct {
	condition string
	args      []any
}

func stateFilter(q store.StateQuery) (where []string, args []any) {
	if search := strings.TrimSpace(q.Search); search != "" {
		match, values := searched(search)
		where, args = append(where, match), append(args, values...)
	}
	since := millis(q.FreshSince)
	if q.Verdict != "" {
		where, args = append(where, "l.verdict = ?"), append(args, string(q.Verdict))
		if since > 0 {
			where, args = append(where, freshCheck), append(args, since, since)
		}
	}
	if q.Old {
		where, args = append(where, "l.report_id IS NOT NULL AND NOT "+freshCheck), append(args, since, since)
	}
	if q.Never {
		where = append(where, "l.report_id IS NULL")
	}
	switch q.Blocked {
	case store.BlockedNot:
		where = append(where, "NOT p.blocked")
	case store.BlockedOnly:
		where = append(where, "p.blocked")
	}
	return where, args
}

// ParticipantState implements store.Participants.
func (s *Store) ParticipantState(ctx context.Context, id string) (store.ParticipantState, error) {
	rows, err := s.states(ctx, "SELECT"+stateColumns+stateTables+" WHERE p.id = ?", id)
	if err != nil {
		return store.ParticipantState{}, fmt.Errorf("participant: %w", err)
	}
	if len(rows) == 0 {
		return store.ParticipantState{}, fmt.Errorf("participant: %w", store.ErrNotFound)
	}
	return rows[0].ParticipantState, nil
}

// CountStates implements store.Participants.
func (s *Store) CountStates(ctx context.Context, freshSince time.Time) (store.StateCounts, error) {
	counts := store.StateCounts{Fresh: map[report.Verdict]int{}}
	since := millis(freshSince)
	rows, err := s.read.QueryContext(ctx, `
		SELECT p.blocked, l.report_id IS NOT NULL, `+freshCheck+` AS fresh, l.verdict, count(*)
		FROM latest l JOIN participants p ON p.id = l.participant_id GROUP BY 1, 2, 3, 4`, since, since)
	if err != nil {
		return counts, fmt.Errorf("count participants: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var blocked, checked, fresh bool
		var verdict string
		var n int
		if err := rows.Scan(&blocked, &checked, &fresh, &verdict, &n); err != nil {
			return counts, fmt.Errorf("count participants: %w", err)
		}
		switch {
		case blocked:
			counts.Blocked += n
		case !checked:
			counts.Never += n
		case fresh:
			counts.Fresh[report.Verdict(verdict)] += n
		default:
			counts.Old += n
		}
	}
	return counts, rows.Err()
}

func (s *Store) states(ctx context.Context, statement string, args ...any) ([]stateRow, error) {
	rows, err := s.read.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []stateRow
	for rows.Next() {
		r, err := scanState(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func scanState(row scanner) (stateRow, error) {
	var r stateRow
	var created, seen int64
	var last nullSummary
	var verdict, fullVerdict string
	var fullID sql.NullString
	var fullAt int64
	into := []any{&r.ID, &r.Name, &r.Phone, &created, &r.Blocked, &r.nameKey,
		&r.Enrolled, &seen, &r.rank, &r.checkedAt, &verdict, &fullID, &fullVerdict, &fullAt}
	if err := row.Scan(append(into, last.into()...)...); err != nil {
		return r, err
	}
	r.CreatedAt, r.LastSeenAt = fromMillis(created), fromMillis(seen)
	r.Last, r.Verdict = last.summary(), report.Verdict(verdict)
	if fullID.Valid {
		r.Full = &store.FullCheck{ReportID: fullID.String, Verdict: report.Verdict(fullVerdict), CheckedAt: fromMillis(fullAt)}
	}
	return r, nil
}
