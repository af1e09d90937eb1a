package web

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// comparison shows values of the same participant side by side: of the last good check, of the case
// and of the check that the page shows.
type comparison struct {
	Columns []compared
	Groups  []comparedGroup
	Left    int // rows that are not shown
}

// Span returns the number of columns of the table.
func (c comparison) Span() int { return 1 + len(c.Columns) }

// compared is a check as a column.
type compared struct {
	Title   string
	State   state
	Checked *when
	Case    string
}

type comparedGroup struct {
	Name string
	Rows []comparedRow
}

// comparedRow is a value that is not the same in all columns, or that supports the primary cause.
type comparedRow struct {
	Name     string
	Evidence bool
	Values   []figure
}

// maxComparedRows limits the rows, so that the page stays short.
const maxComparedRows = 40

// comparison returns the comparison of a case with the check that the page shows and with the last
// good one before the case; nil if there is nothing to compare. newest is set if shown is the newest check.
func (s *site) comparison(ctx context.Context, v view, participantID string, about time.Time, subject, shown *store.StoredReport, newest bool) (*comparison, error) {
	var columns []*store.StoredReport
	var titles []string
	add := func(r *store.StoredReport, title string) {
		if r != nil && !slices.ContainsFunc(columns, func(c *store.StoredReport) bool { return c.ID == r.ID }) {
			columns, titles = append(columns, r), append(titles, title)
		}
	}
	good, err := s.Store.LastGoodReport(ctx, participantID, about)
	switch {
	case err == nil:
		add(&good, v.T("compare.good"))
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	if subject != nil && shown != nil && subject.ID != shown.ID {
		add(subject, v.T("compare.case"))
	}
	last := v.T("compare.case") // an earlier check that was opened
	if newest {
		last = v.T("compare.now")
	}
	add(shown, last)
	if len(columns) < 2 {
		return nil, nil
	}
	c := &comparison{}
	var reports []*report.Report
	for i, stored := range columns {
		r, err := v.terms.Probes().Decode(stored.Document)
		if err != nil {
			return nil, nil // written by a newer version
		}
		reports = append(reports, r)
		c.Columns = append(c.Columns, compared{Title: titles[i], State: v.result(stored.ReportSummary), Checked: v.when(stored.CheckedAt), Case: clean(stored.Case, 12)})
	}
	c.Groups = v.comparedGroups(reports)
	for i, left := 0, maxComparedRows; i < len(c.Groups); i++ {
		if n := len(c.Groups[i].Rows); n > left {
			c.Left += n - left
			c.Groups[i].Rows = c.Groups[i].Rows[:left]
		}
		left -= len(c.Groups[i].Rows)
	}
	c.Groups = slices.DeleteFunc(c.Groups, func(g comparedGroup) bool { return len(g.Rows) == 0 })
	return c, nil
}

// comparedGroups returns the values of reports by probe, those with evidence first.
func (v view) comparedGroups(reports []*report.Report) (groups []comparedGroup) {
	var probes []string
	proof := map[string]bool{} // probe and name of a value
	for _, r := range slices.Backward(reports) {
		for _, p := range r.Probes {
			if !slices.Contains(probes, p.Name) {
				probes = append(probes, p.Name)
			}
		}
		if primary, ok := r.Primary(); ok {
			for _, e := range primary.Evidence {
				proof[e.Probe+" "+v.terms.Field(e.Probe, e.Field)] = true
			}
		}
	}
	for _, probe := range probes {
		g := comparedGroup{Name: v.probe(probe)}
		var names []string
		values := make([]map[string]figure, len(reports))
		with := 0 // reports that contain the probe
		for i, r := range reports {
			values[i] = map[string]figure{}
			p, ok := r.Probe(probe)
			if !ok {
				continue
			}
			with++
			for n, f := range v.terms.Figures(p, report.Dashboard) {
				key := f.Name
				if _, twice := values[i][key]; twice {
					key += " " + strconv.Itoa(n)
				}
				if !slices.Contains(names, key) {
					names = append(names, key)
				}
				values[i][key] = figure{Name: f.Name, Value: clean(f.Value, maxValueRunes), Unknown: f.Unknown || f.Value == ""}
			}
		}
		for _, name := range names {
			row := comparedRow{Name: clean(name, maxValueRunes), Evidence: proof[probe+" "+name]}
			differ := false
			for i := range reports {
				f, measured := values[i][name]
				if !measured || f.Unknown {
					f = figure{Value: v.terms.Value(nil, ""), Unknown: true}
				}
				row.Values = append(row.Values, f)
				differ = differ || f.Value != row.Values[0].Value
			}
			if differ && with > 1 || row.Evidence {
				g.Rows = append(g.Rows, row)
			}
		}
		slices.SortStableFunc(g.Rows, func(a, b comparedRow) int { return before(a.Evidence, b.Evidence) })
		if len(g.Rows) > 0 {
			groups = append(groups, g)
		}
	}
	slices.SortStableFunc(groups, func(a, b comparedGroup) int { return before(a.Rows[0].Evidence, b.Rows[0].Evidence) })
	return groups
}

// before sorts true before false.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// untested is something that a check did not measure.
type untested struct {
	Name   string
	Why    string // "" if only the values are missing
	Values []string
}

// untested returns what a check did not measure.
func (v view) untested(r *report.Report) (list []untested) {
	absent, noConference := diagnose.Missing(r)
	for _, name := range absent {
		list = append(list, untested{Name: v.probe(name), Why: v.T("untested.absent")})
	}
	if noConference {
		list = append(list, untested{Name: v.T("untested.conference"), Why: v.T("untested.absent")})
	}
	for _, p := range r.Probes {
		one := untested{Name: v.probe(p.Name)}
		switch standing := diagnose.Standing(p); standing {
		case report.StatusUnknown, report.StatusSkipped:
			one.Why = v.status(standing).Word
			if note := v.note(p.Error); note != "" {
				one.Why += ". " + note
			}
		default:
			for _, f := range v.terms.Figures(p, report.Dashboard) {
				if name := clean(f.Name, maxValueRunes); f.Unknown && !slices.Contains(one.Values, name) {
					one.Values = append(one.Values, name)
				}
			}
		}
		if one.Why != "" || len(one.Values) > 0 {
			list = append(list, one)
		}
	}
	return list
}
