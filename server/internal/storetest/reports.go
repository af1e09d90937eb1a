package storetest

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func saveReports(t *testing.T, s store.Store) {
	_, agent := person(t, s, "A")
	_, thief := person(t, s, "B")
	r := newReport("K7P-3QX", report.NotReady, evening)
	save := func(agent string) store.SaveStatus {
		results, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		if len(results) != 1 || results[0].ID != r.Report.ID {
			t.Fatalf("got results %v; want 1 entry, [0].ID %v", results, r.Report.ID)
		}
		return results[0].Status
	}
	for i, want := range []store.SaveStatus{store.Stored, store.Duplicate, store.Duplicate} {
		if got := save(agent); got != want {
			t.Errorf("time %d: got %s, want %s", i, got, want)
		}
	}
	if got := save(thief); got != store.Foreign {
		t.Errorf("from another agent: got %s, want %s", got, store.Foreign)
	}
	got, err := s.Report(t.Context(), r.Report.ID)
	must(t, err)
	if !bytes.Equal(got.Document, r.Document) || got.Case != "K7P-3QX" || got.Primary.Code != "audio.os_muted" ||
		got.Headline != "not_ready_unheard" || got.AgentID != agent || !got.ReceivedAt.Equal(r.ReceivedAt) || !got.StartedAt.Equal(evening) {
		t.Errorf("got report %+v, want the saved one of agent %s", got, agent)
	}
	_, err = s.Report(t.Context(), "x")
	wantError(t, "unknown report", err, store.ErrNotFound)
	_, err = s.SaveReports(t.Context(), "x", []store.NewReport{r})
	wantError(t, "unknown agent", err, store.ErrNotFound)
}

func saveAllOrNothing(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	one, two := newReport("K7P-3QX", report.Ready, evening), newReport("K7P-3QY", report.Ready, evening)
	results, err := s.SaveReports(t.Context(), agent, []store.NewReport{one, two, one})
	must(t, err)
	if results[0].Status != store.Stored || results[1].Status != store.Stored || results[2].Status != store.Duplicate {
		t.Errorf("got results %v; want [0].Status %v, [1].Status %v, [2].Status %v", results, store.Stored, store.Stored, store.Duplicate)
	}
	page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p})
	must(t, err)
	if len(page.Reports) != 2 {
		t.Errorf("got %d reports, want 2", len(page.Reports))
	}
}

func savedExactlyOnce(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	reports := make([]store.NewReport, 20)
	for i := range reports {
		reports[i] = newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i)*time.Second))
	}
	var mu sync.Mutex
	stored := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, r := range reports {
				results, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if results[0].Status == store.Stored {
					stored[r.Report.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, r := range reports {
		if stored[r.Report.ID] != 1 {
			t.Errorf("report %s was stored %d times", r.Report.ID, stored[r.Report.ID])
		}
	}
	page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p})
	must(t, err)
	if len(page.Reports) != len(reports) {
		t.Errorf("got %d reports, want %d", len(page.Reports), len(reports))
	}
}

func latestState(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	newer := newReport("K7P-3QX", report.NotReady, evening.Add(time.Hour))
	older := newReport("K7P-3QY", report.Ready, evening)
	older.ReceivedAt = evening.Add(2 * time.Hour) // delayed in the spool, after the newer one
	for _, r := range []store.NewReport{newer, older} {
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
	}
	state, err := s.ParticipantState(t.Context(), p)
	must(t, err)
	if state.Last == nil || state.Last.ID != newer.Report.ID || state.Last.Verdict != report.NotReady || state.Last.Primary.Code != "audio.os_muted" {
		t.Errorf("got last check %+v, want %s", state.Last, newer.Report.ID)
	}
	if !state.LastSeenAt.Equal(older.ReceivedAt) {
		t.Errorf("got last seen %v, want the time of the last receipt", state.LastSeenAt)
	}
	person(t, s, "B")
	blocked, _ := person(t, s, "C")
	must(t, s.SetBlocked(t.Context(), blocked, true))
	counts, err := s.CountStates(t.Context(), time.Time{})
	must(t, err)
	if len(counts.Fresh) != 1 || counts.Fresh[report.NotReady] != 1 || counts.Never != 1 || counts.Blocked != 1 || counts.Old != 0 {
		t.Errorf("got counts %+v; want 1 not ready, 1 never checked, 1 blocked", counts)
	}
}

func historyByPage(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	var want []string
	for i := range 7 {
		r := newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i/2)*time.Second)) // several in one moment
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		want = append(want, r.Report.ID)
	}
	var got []string
	for after, pages := "", 0; ; pages++ {
		page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p, After: after, Limit: 3})
		must(t, err)
		for i, r := range page.Reports {
			if i > 0 && r.CheckedAt.After(page.Reports[i-1].CheckedAt) {
				t.Error("want the newest first")
			}
			got = append(got, r.ID)
		}
		if after = page.Next; after == "" {
			break
		}
		if pages > 3 {
			t.Fatal("the pages do not end")
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d reports in pages, want each of %d once", len(got), len(want))
	}
}

func caseCodeOfSeveral(t *testing.T, s store.Store) {
	var want []string
	for i, name := range []string{"A", "B", "C"} {
		_, agent := person(t, s, name)
		r := newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i)*time.Hour))
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		want = append([]string{r.Report.ID}, want...)
	}
	found, err := s.CaseReports(t.Context(), "K7P-3QX", 0)
	must(t, err)
	var got []string
	for _, r := range found {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want newest first: %v", got, want)
	}
	if none, err := s.CaseReports(t.Context(), "000-000", 0); err != nil || len(none) != 0 {
		t.Errorf("unknown code: got %v, error %v; want none", none, err)
	}
}

func receivedReports(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	var sent []store.NewReport
	for i := range 4 {
		r := newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i)*time.Second))
		r.ReceivedAt = evening.Add(time.Duration(i) * time.Minute)
		sent = append(sent, r)
	}
	_, err := s.SaveReports(t.Context(), agent, sent)
	must(t, err)
	for _, c := range []struct {
		since time.Time
		limit int
		want  []int // of sent
	}{
		{evening, 10, []int{3, 2, 1, 0}},
		{evening.Add(2 * time.Minute), 10, []int{3, 2}},
		{evening, 1, []int{3}},
		{evening.Add(time.Hour), 10, nil},
	} {
		var got, want []string
		must(t, s.ReceivedReports(t.Context(), c.since, c.limit, func(r store.StoredReport) {
			got = append(got, r.ID)
			if r.ParticipantID != p || len(r.Document) == 0 {
				t.Errorf("since %v: got a report of %s with %d bytes, want of %s with its document", c.since, r.ParticipantID, len(r.Document), p)
			}
		}))
		for _, i := range c.want {
			want = append(want, sent[i].Report.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("since %v, at most %d: got %v, want %v", c.since, c.limit, got, want)
		}
	}
}

func reportsBetween(t *testing.T, s store.Store) {
	anna, agent := person(t, s, "Anna")
	_, other := person(t, s, "Berta")
	var ids []string
	for i := range 5 {
		at := evening.Add(time.Duration(i) * time.Hour)
		r := newReport("", report.Ready, at)
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		ids = append(ids, r.Report.ID)
		_, err = s.SaveReports(t.Context(), other, []store.NewReport{newReport("", report.Ready, at)})
		must(t, err)
	}
	between := func(from, to time.Duration, limit int) (got []string) {
		t.Helper()
		must(t, s.ReportsBetween(t.Context(), anna, evening.Add(from), evening.Add(to), limit, func(r store.StoredReport) {
			if len(r.Document) == 0 {
				t.Errorf("%s has no document", r.ID)
			}
			got = append(got, r.ID)
		}))
		return got
	}
	if got, want := between(time.Hour, 3*time.Hour, 10), []string{ids[2], ids[1]}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := between(-time.Hour, 9*time.Hour, 2), []string{ids[4], ids[3]}; !slices.Equal(got, want) {
		t.Errorf("the newest two: got %q, want %q", got, want)
	}
	if got := between(9*time.Hour, 10*time.Hour, 2); len(got) != 0 {
		t.Errorf("of no check: got %q, want none", got)
	}
	var first []string
	must(t, s.FirstReportsBetween(t.Context(), anna, evening.Add(time.Hour), evening.Add(4*time.Hour), 2, func(r store.StoredReport) { first = append(first, r.ID) }))
	if want := []string{ids[1], ids[2]}; !slices.Equal(first, want) {
		t.Errorf("the oldest two: %q, want %q", first, want)
	}
}

// lastGoodReport: a check without a microphone, or with a problem, is not a good one.
func lastGoodReport(t *testing.T, s store.Store) {
	anna, agent := person(t, s, "Anna")
	save := func(n store.NewReport) string {
		t.Helper()
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{n})
		must(t, err)
		return n.Report.ID
	}
	whole := func(at time.Duration) string {
		r := newReport("", report.Ready, evening.Add(at))
		r.Report.Probes = append(r.Report.Probes, report.Result{Name: report.ProbeMediaVoice, Status: report.StatusOK})
		return save(r)
	}
	_, err := s.LastGoodReport(t.Context(), anna, evening)
	wantError(t, "of an unknown participant", err, store.ErrNotFound)
	first := whole(0)
	second := whole(time.Hour)
	save(inBackground(report.Ready, evening.Add(2*time.Hour)))
	save(newReport("", report.NotReady, evening.Add(3*time.Hour)))
	for before, want := range map[time.Duration]string{4 * time.Hour: second, time.Hour: first, time.Minute: first} {
		r, err := s.LastGoodReport(t.Context(), anna, evening.Add(before))
		must(t, err)
		if r.ID != want || !r.IsGood() || len(r.Document) == 0 {
			t.Errorf("before %s: got %+v, want %s", before, r.ReportSummary, want)
		}
	}
	_, err = s.LastGoodReport(t.Context(), anna, evening)
	wantError(t, "before the first", err, store.ErrNotFound)
	if r, err := s.LastGoodReport(t.Context(), anna, evening.Add(time.Hour+store.GoodFor)); err != nil || r.ID != second {
		t.Errorf("just in time: %+v, %v, want %s", r.ReportSummary, err, second)
	}
	_, err = s.LastGoodReport(t.Context(), anna, evening.Add(time.Hour+time.Millisecond+store.GoodFor))
	wantError(t, "too long ago", err, store.ErrNotFound)
}
