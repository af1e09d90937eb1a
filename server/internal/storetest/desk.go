package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// desk: each person with a case is listed once, in the part that it belongs to.
func desk(t *testing.T, s store.Store) {
	ctx := t.Context()
	agents, people := map[string]string{}, map[string]string{}
	check := func(name string, verdict report.Verdict, minute int) string {
		t.Helper()
		if agents[name] == "" {
			people[name], agents[name] = person(t, s, name)
		}
		r := newReport("K7P-3QX", verdict, evening.Add(time.Duration(minute)*time.Minute))
		_, err := s.SaveReports(ctx, agents[name], []store.NewReport{r})
		must(t, err)
		return r.Report.ID
	}
	work := func(id string, minute int, by string, kind store.CaseEntryKind, from string) {
		t.Helper()
		e := store.CaseEntry{At: evening.Add(time.Duration(minute) * time.Minute), By: by, Kind: kind, From: from}
		switch kind {
		case store.CaseWasClosed:
			e.Cause = store.CauseNone
		case store.CaseNoted:
			e.Text = "ruft zurück"
		}
		_, err := s.AddCaseEntry(ctx, id, e)
		must(t, err)
	}
	q := store.DeskQuery{FreshSince: evening.Add(-time.Hour), ClosedSince: evening.Add(-6 * time.Hour), By: "Eva"}
	wants := func(what, open, takenBy, mine, closedOnes string) {
		t.Helper()
		d, err := s.Desk(ctx, q)
		must(t, err)
		names := func(list []store.DeskCase) string {
			var all []string
			for _, c := range list {
				one := c.Person.Name
				if c.State == store.CaseTaken {
					one += "/" + c.By
				}
				if c.Person.ID != c.ParticipantID || c.Check.ID != c.ReportID || c.Code != "K7P-3QX" {
					t.Errorf("%s: got case %+v of %+v; want the check and the person of the case", what, c.Case, c.Check)
				}
				all = append(all, one)
			}
			return strings.Join(all, " ")
		}
		for _, c := range []struct {
			list  []store.DeskCase
			count int
			want  string
		}{{d.Open, d.Counts.Open, open}, {d.Taken, d.Counts.Taken, takenBy}, {d.Mine, d.Counts.Mine, mine}, {d.Closed, d.Counts.Closed, closedOnes}} {
			if got := names(c.list); got != c.want || c.count != len(strings.Fields(c.want)) {
				t.Errorf("%s: got %q, count %d; want %q", what, got, c.count, c.want)
			}
		}
	}
	wants("nothing", "", "", "", "")

	check("Limited", report.Limited, 0)
	red := check("Red", report.NotReady, 2)
	older := check("Older", report.NotReady, 1)
	check("Ready", report.Ready, 1)
	check("Unclear", report.Unknown, 1)
	check("Yesterday", report.NotReady, -24*60)
	check("Blocked", report.NotReady, 1)
	must(t, s.SetBlocked(ctx, people["Blocked"], true))
	wants("problems", "Older Red Limited", "", "", "")
	q.Order = store.ByWaiting
	wants("longest waiting first", "Limited Older Red", "", "", "")
	q.Order = store.ByWorst

	work(older, 3, "Eva", store.CaseWasTaken, "")
	work(red, 4, "Max", store.CaseWasTaken, "")
	wants("taken", "Limited", "Older/Eva Red/Max", "Older/Eva", "")

	// A retest that still finds a problem is not a second case of the person.
	again := check("Older", report.NotReady, 5)
	wants("after a retest", "Limited", "Older/Eva Red/Max", "Older/Eva", "")
	work(again, 6, "Max", store.CaseWasTaken, "")
	wants("two have taken one each", "Limited", "Red/Max Older/Max", "Older/Eva", "")
	work(again, 7, "Max", store.CaseReleased, "")
	work(older, 8, "Eva", store.CaseWasClosed, "")
	// The case that was released is still open, as somebody worked on it.
	wants("one is closed", "Older Limited", "Red/Max", "", "Older")
	work(again, 9, "Eva", store.CaseWasClosed, "")
	wants("both are closed", "Limited", "Red/Max", "", "Older")
	later := check("Older", report.NotReady, 10)
	wants("a later check", "Older Limited", "Red/Max", "", "Older")
	work(later, 11, "Eva", store.CaseWasClosed, "")

	// A background check without a problem does not revoke what the full one found.
	quiet := inBackground(report.Ready, evening.Add(12*time.Minute))
	_, err := s.SaveReports(ctx, agents["Limited"], []store.NewReport{quiet})
	must(t, err)
	wants("a background check", "Limited", "Red/Max", "", "Older")

	// A note keeps the case of somebody who is ready now, but not for ever.
	noted := check("Noted", report.NotReady, 12)
	work(noted, 13, "Max", store.CaseNoted, "")
	check("Noted", report.Ready, 14)
	wants("a note", "Noted Limited", "Red/Max", "", "Older")
	q.FreshSince = evening.Add(20 * time.Minute)
	wants("later in the evening", "", "Red/Max", "", "Older")
	q.ClosedSince = evening.Add(20 * time.Minute)
	wants("the next day", "", "Red/Max", "", "")

	q.FreshSince, q.Limit = evening.Add(-time.Hour), 1
	d, err := s.Desk(ctx, q)
	must(t, err)
	if len(d.Open) != 1 || d.Counts.Open != 2 {
		t.Errorf("with a limit of 1: got %d open cases, count %d; want 1, 2", len(d.Open), d.Counts.Open)
	}
	must(t, s.DeleteParticipant(ctx, people["Red"], evening))
	d, err = s.Desk(ctx, q)
	must(t, err)
	if slices.ContainsFunc(d.Taken, func(c store.DeskCase) bool { return c.ParticipantID == people["Red"] }) || d.Counts.Taken != 0 {
		t.Errorf("the case of a deleted person: got %+v, count %d; want none", d.Taken, d.Counts.Taken)
	}
}
