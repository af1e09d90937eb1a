package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// age: a check counts for some time; then the participant is old, and is listed after
// those who were checked recently.
func age(t *testing.T, s store.Store) {
	since := evening.Add(-24 * time.Hour)
	add := func(name string, reports ...store.NewReport) {
		t.Helper()
		_, agent := person(t, s, name)
		for _, r := range reports {
			_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
			must(t, err)
		}
	}
	days := func(n int) time.Time { return evening.AddDate(0, 0, -n) }
	add("ready tonight", newReport("", report.Ready, evening))
	add("bad tonight", newReport("", report.NotReady, evening))
	add("limited tonight", newReport("", report.Limited, evening))
	add("bad nine days ago", newReport("", report.NotReady, days(9)))
	add("ready nine days ago", newReport("", report.Ready, days(9)))
	add("heard nine days ago, background tonight", newReport("", report.Ready, days(9)), inBackground(report.Ready, evening))
	add("heard nine days ago, fault tonight", newReport("", report.Ready, days(9)), inBackground(report.NotReady, evening))
	add("never")
	blocked, _ := person(t, s, "blocked")
	must(t, s.SetBlocked(t.Context(), blocked, true))

	counts, err := s.CountStates(t.Context(), since)
	must(t, err)
	if counts.Fresh[report.Ready] != 1 || counts.Fresh[report.NotReady] != 2 || counts.Fresh[report.Limited] != 1 || counts.Old != 3 || counts.Never != 1 || counts.Blocked != 1 {
		t.Errorf("got counts %+v; want 1 ready, 2 not ready and 1 limited, 3 old, 1 never checked, 1 blocked", counts)
	}
	all := func(q store.StateQuery) (names []string) {
		t.Helper()
		for q.Limit = 2; ; { // so that pages end inside and between the parts
			page, err := s.ParticipantStates(t.Context(), q)
			must(t, err)
			for _, p := range page.States {
				names = append(names, p.Name)
				if fresh := p.Fresh(since); fresh != slices.Contains([]string{"ready tonight", "bad tonight", "limited tonight", "heard nine days ago, fault tonight"}, p.Name) {
					t.Errorf("%s: got fresh %v, want %v", p.Name, fresh, !fresh)
				}
			}
			if q.After = page.Next; q.After == "" {
				return names
			}
		}
	}
	for name, c := range map[string]struct {
		q    store.StateQuery
		want int
	}{
		"ready":        {store.StateQuery{Verdict: report.Ready, FreshSince: since}, 1},
		"ready by age": {store.StateQuery{Verdict: report.Ready}, 3},
		"old":          {store.StateQuery{Old: true, FreshSince: since, Order: store.ByUrgency}, 3},
		"not blocked":  {store.StateQuery{Blocked: store.BlockedNot}, 8},
		"blocked":      {store.StateQuery{Blocked: store.BlockedOnly}, 1},
		"all":          {store.StateQuery{Order: store.ByUrgency, FreshSince: since}, 9},
		"all by name":  {store.StateQuery{FreshSince: since}, 9},
	} {
		if got := all(c.q); len(got) != c.want {
			t.Errorf("%s: got %q, want %d", name, got, c.want)
		}
	}
	for _, o := range []store.Order{store.ByName, store.ByRecent, store.ByUrgency} {
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: o, FreshSince: since})
		must(t, err)
		inOrder(t, page.States, o, since)
	}
	order := all(store.StateQuery{Order: store.ByUrgency, FreshSince: since, Blocked: store.BlockedNot})
	place := func(name string) int { return slices.Index(order, name) }
	if !slices.Equal(order[2:4], []string{"limited tonight", "ready tonight"}) || place("bad tonight") > 1 || place("bad nine days ago") != 4 {
		t.Errorf("by urgency: got %q, want the bad ones first, then limited, ready, and the old ones", order)
	}
}

// clockAhead: reports received while the server's clock was years ahead do not
// remain the newest until that time.
func clockAhead(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	ahead := newReport("", report.NotReady, evening.AddDate(5, 0, 0))
	background := inBackground(report.Ready, evening.AddDate(5, 0, 1))
	right := newReport("", report.Ready, evening)
	late := newReport("", report.NotReady, evening.Add(-time.Hour)) // delayed in the spool
	late.ReceivedAt = evening.Add(time.Minute)
	for _, r := range []store.NewReport{ahead, background, right, late} {
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
	}
	state, err := s.ParticipantState(t.Context(), p)
	must(t, err)
	if state.Last.ID != right.Report.ID || state.Verdict != report.Ready || state.Full.ReportID != right.Report.ID {
		t.Errorf("got last %+v, full %+v, verdict %s; want ID %v, ReportID %v, %s", state.Last, state.Full, state.Verdict, right.Report.ID, right.Report.ID, report.Ready)
	}
	if !state.LastSeenAt.Equal(late.ReceivedAt) {
		t.Errorf("got last seen %v, want %v", state.LastSeenAt, late.ReceivedAt)
	}
	must(t, s.TouchAgent(t.Context(), agent, evening.Add(time.Hour)))
	state, err = s.ParticipantState(t.Context(), p)
	must(t, err)
	if !state.LastSeenAt.Equal(evening.Add(time.Hour)) {
		t.Errorf("got last seen %v after a touch, want %v", state.LastSeenAt, evening.Add(time.Hour))
	}
	// Whatever time a report contains: the first of a participant is the latest.
	for _, at := range []time.Time{time.Unix(0, 0), time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)} {
		p, agent := person(t, s, "B")
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport("", report.Ready, at)})
		must(t, err)
		state, err := s.ParticipantState(t.Context(), p)
		must(t, err)
		if state.Last == nil || state.Verdict != report.Ready {
			t.Errorf("%v: got %+v; want Last set, Verdict %v", at, state, report.Ready)
		}
	}
}

// fullAndBackground: a background check adds faults, but does not remove any.
func fullAndBackground(t *testing.T, s store.Store) {
	at := func(minute int) time.Time { return evening.Add(time.Duration(minute) * time.Minute) }
	full := func(v report.Verdict, minute int) store.NewReport { return newReport("", v, at(minute)) }
	background := func(v report.Verdict, minute int) store.NewReport { return inBackground(v, at(minute)) }
	for name, c := range map[string]struct {
		reports   []store.NewReport
		known     report.Verdict
		fullCheck report.Verdict
	}{
		"full alone":                     {[]store.NewReport{full(report.Ready, 1)}, report.Ready, report.Ready},
		"background alone":               {[]store.NewReport{background(report.Ready, 1)}, report.Unknown, ""},
		"background after ready":         {[]store.NewReport{full(report.Ready, 1), background(report.Ready, 2)}, report.Ready, report.Ready},
		"background finds a fault":       {[]store.NewReport{full(report.Ready, 1), background(report.NotReady, 2)}, report.NotReady, report.Ready},
		"background cannot tell":         {[]store.NewReport{full(report.Ready, 1), background(report.Unknown, 2)}, report.Unknown, report.Ready},
		"background after muted":         {[]store.NewReport{full(report.NotReady, 1), background(report.Ready, 2)}, report.NotReady, report.NotReady},
		"full after all":                 {[]store.NewReport{full(report.NotReady, 1), background(report.NotReady, 2), full(report.Ready, 3)}, report.Ready, report.Ready},
		"an older full check comes late": {[]store.NewReport{full(report.Ready, 3), background(report.Ready, 4), full(report.NotReady, 1)}, report.Ready, report.Ready},
		"an older background comes late": {[]store.NewReport{full(report.Ready, 3), background(report.NotReady, 1)}, report.Ready, report.Ready},
	} {
		id, agent := person(t, s, name)
		for i, r := range c.reports {
			r.ReceivedAt = at(10 + i) // in this order, whatever the time of the check
			_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
			must(t, err)
		}
		p, err := s.ParticipantState(t.Context(), id)
		must(t, err)
		want := "ready"
		if p.Last.Trigger == report.TriggerSchedule {
			want += "_load_only" // these reports contain nothing else
		} else {
			want += "_microphone_only"
		}
		if p.Last.Verdict == report.Ready && p.Last.Headline != want {
			t.Errorf("%s: got headline %q, want %q", name, p.Last.Headline, want)
		}
		if p.Verdict != c.known || (p.Full == nil) != (c.fullCheck == "") || p.Full != nil && p.Full.Verdict != c.fullCheck {
			t.Errorf("%s: got known %s, full %+v; want %s, full %q", name, p.Verdict, p.Full, c.known, c.fullCheck)
		}
		if page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: name, Verdict: c.known}); err != nil || len(page.States) == 0 {
			t.Errorf("%s: not in the list %s: %v", name, c.known, err)
		}
	}
}
