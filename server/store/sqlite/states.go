package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

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
}

// ParticipantStates implements store.Participants.
func (s *Store) ParticipantStates(ctx context.Context, q store.StateQuery) (store.StatePage, error) {
	order, err := orderOf(q.Order)
	if err != nil {
		return store.StatePage{}, err
	}
	where, args := stateFilter(q)
	if q.After != "" {
		name := q.Order
		if name == "" {
			name = store.ByName
		}
		c, err := parseCursor(q.After, string(name), order.nums)
		if err != nil {
			return store.StatePage{}, err
		}
		key := order.args(c)
		where = append(where, "("+order.columns+") > ("+strings.Repeat("?, ", len(key)-1)+"?)")
		args = append(args, key...)
	}
	limit := pageSize(q.Limit)
	statement := "SELECT" + stateColumns + stateTables
	if len(where) > 0 {
		statement += " WHERE " + strings.Join(where, " AND ")
	}
	rows, err := s.states(ctx, statement+" ORDER BY "+order.columns+" LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return store.StatePage{}, fmt.Errorf("list participants: %w", err)
	}
	var page store.StatePage
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = order.cursor(rows[limit-1]).String()
	}
	for _, r := range rows {
		page.States = append(page.States, r.ParticipantState)
	}
	return page, nil
}

func stateFilter(q store.StateQuery) (where []string, args []any) {
	if search := strings.TrimSpace(q.Search); search != "" {
		match := `p.name_key LIKE ? ESCAPE '\'`
		args = append(args, containing(search))
		// Some names read as a code as well ("Meyers"), so both are searched.
		if code, ok := report.NormalizeCase(search); ok {
			match = "(" + match + " OR p.id IN (SELECT participant_id FROM reports WHERE case_code = ?))"
			args = append(args, code)
		}
		where = append(where, match)
	}
	if q.Verdict != "" {
		where = append(where, "l.verdict = ?")
		args = append(args, string(q.Verdict))
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
func (s *Store) CountStates(ctx context.Context) (map[string]int, error) {
	rows, err := s.read.QueryContext(ctx,
		`SELECT l.verdict, count(*) FROM latest l JOIN participants p ON p.id = l.participant_id WHERE NOT p.blocked GROUP BY l.verdict`)
	if err != nil {
		return nil, fmt.Errorf("count participants: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int{}
	for rows.Next() {
		var verdict string
		var n int
		if err := rows.Scan(&verdict, &n); err != nil {
			return nil, fmt.Errorf("count participants: %w", err)
		}
		counts[verdict] = n
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
