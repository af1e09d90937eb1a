package web

import (
	"context"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// overdueAfter is the age of the last deletion from which the page says so. It is hourly, but starts six hours
// after the program.
const overdueAfter = 24 * time.Hour

// retentionRow says what is deleted after how long, and what was deleted last.
type retentionRow struct {
	What, Keep string
	Ran        *when // nil for never
	Overdue    bool
	Deleted    *when // nil for never
	Count      string
	Begins     *when // nil if the period applies
}

// retention returns a row for each class of data.
func (s *site) retention(ctx context.Context, v view) (rows []retentionRow, err error) {
	runs, err := s.Store.RetentionRuns(ctx)
	if err != nil {
		return nil, err
	}
	last := map[store.DataClass]store.RetentionRun{}
	for _, run := range runs {
		last[run.Class] = run
	}
	for _, class := range store.DataClasses() {
		period, deletes := s.Keep[class]
		if !deletes {
			rows = append(rows, retentionRow{What: v.T("retention." + string(class)), Keep: v.T("retention.for_ever")})
			continue
		}
		run := last[class]
		row := retentionRow{What: v.T("retention." + string(class)), Keep: v.T("retention.at_once"), Ran: v.when(run.RanAt), Deleted: v.when(run.DeletedAt), Count: v.entries(run.Deleted),
			Overdue: !run.RanAt.IsZero() && v.now.Sub(run.RanAt) > overdueAfter}
		if run.BeginsAt.After(v.now) {
			row.Begins = v.when(run.BeginsAt)
		}
		if days := int(period / (24 * time.Hour)); days > 0 {
			row.Keep = v.T("retention.days", "n", strconv.Itoa(days))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// entries returns a number of entries in words.
func (v view) entries(n int) string {
	if n == 1 {
		return v.T("retention.one")
	}
	return v.T("retention.count", "n", strconv.Itoa(n))
}

// copyRow is a copy of the database beside it.
type copyRow struct {
	Name string
	Made *when // nil if unknown
	Age  string
}

// databaseCopies returns the copies of the database beside that of this collector, and whether they
// are known.
func (s *site) databaseCopies(ctx context.Context, v view) (rows []copyRow, known bool) {
	copies, err := s.Copies()
	if err != nil {
		s.Log.ErrorContext(ctx, "look for copies of the database", "err", err)
	}
	for _, c := range copies {
		row := copyRow{Name: c.Name, Made: v.when(c.MadeAt)}
		switch days := daysBetween(c.MadeAt.In(v.zone), v.now.In(v.zone)); {
		case c.MadeAt.IsZero():
		case days > 1:
			row.Age = v.T("retention.copy_days", "n", strconv.Itoa(days))
		case days == 1:
			row.Age = v.T("retention.copy_day")
		default:
			row.Age = v.T("retention.copy_today")
		}
		rows = append(rows, row)
	}
	return rows, err == nil
}

// daysBetween returns the number of midnights between two times in their zones.
func daysBetween(from, to time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(to).Sub(day(from)) / (24 * time.Hour))
}
