package storetest

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// changes: a caller that has the list at a revision gets the changes since then.
func changes(t *testing.T, s store.Store) {
	anna, annasAgent := person(t, s, "Anna")
	berta, _ := person(t, s, "Berta")
	r := newReport("K7P-3QX", report.NotReady, evening)
	since, err := s.StateRevision(t.Context())
	must(t, err)
	step := func(what string, want ...string) {
		t.Helper()
		got, err := s.ChangedStates(t.Context(), since, 10)
		must(t, err)
		var ids []string
		for _, p := range got.States {
			ids = append(ids, p.ID)
			now, err := s.ParticipantState(t.Context(), p.ID)
			must(t, err)
			if !reflect.DeepEqual(p, now) {
				t.Errorf("%s: got %+v, want %+v", what, p, now)
			}
		}
		slices.Sort(ids)
		slices.Sort(want)
		if got.Whole || !slices.Equal(ids, want) {
			t.Errorf("%s: got whole %v, %v, want %v", what, got.Whole, ids, want)
		}
		since = got.Revision
	}
	step("nothing")
	_, err = s.SaveReports(t.Context(), annasAgent, []store.NewReport{r})
	must(t, err)
	step("a report", anna)
	_, err = s.SaveReports(t.Context(), annasAgent, []store.NewReport{r})
	must(t, err)
	step("a duplicate")
	must(t, s.TouchAgent(t.Context(), annasAgent, evening.Add(time.Hour)))
	step("heard of an agent")
	must(t, s.SetBlocked(t.Context(), berta, true))
	step("blocked", berta)
	must(t, s.EditParticipant(t.Context(), anna, "Anna Neu", "1"))
	must(t, s.SetBlocked(t.Context(), berta, false))
	step("both", anna, berta)
	agentOf(t, s, berta)
	step("enrolled", berta)
	carla, _ := person(t, s, "Carla")
	step("added", carla)

	few, err := s.ChangedStates(t.Context(), 0, 2)
	must(t, err)
	if !few.Whole || len(few.States) > 0 || few.Revision != since {
		t.Errorf("more than the limit: got %+v; want Whole true, States none, Revision %v", few, since)
	}
	must(t, s.DeleteParticipant(t.Context(), carla, evening))
	deleted, err := s.ChangedStates(t.Context(), since, 10)
	must(t, err)
	if !deleted.Whole || deleted.Revision <= since {
		t.Errorf("deleted: got %+v; want Whole true, Revision more than %v", deleted, since)
	}
	since = deleted.Revision
	step("after the deletion")
	other, err := s.ChangedStates(t.Context(), since+1000, 10)
	must(t, err)
	if !other.Whole {
		t.Errorf("a revision of another list: got %+v, want Whole true", other)
	}
}

// changesWhileMany: a caller that follows the revisions during concurrent writes misses
// no change, in whatever order the transactions end.
func changesWhileMany(t *testing.T, s store.Store) {
	const people, each = 8, 10
	followed := map[string]string{} // last report by participant
	var since int64
	follow := func() {
		t.Helper()
		got, err := s.ChangedStates(t.Context(), since, store.MaxPage)
		must(t, err)
		for _, p := range got.States {
			if p.Last != nil {
				followed[p.ID] = p.Last.ID
			}
		}
		since = got.Revision
	}
	last := map[string]string{}
	var wg sync.WaitGroup
	for range people {
		id, agent := person(t, s, "Anna")
		var reports []store.NewReport
		for n := range each {
			reports = append(reports, newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(n)*time.Second)))
		}
		last[id] = reports[each-1].Report.ID
		wg.Go(func() {
			for _, r := range reports {
				if _, err := s.SaveReports(t.Context(), agent, []store.NewReport{r}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		follow()
	}
	if !reflect.DeepEqual(followed, last) {
		t.Errorf("got the reports %v by revisions, want %v", followed, last)
	}
}
