package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func participants(t *testing.T, s store.Store) {
	p := store.Participant{ID: uuid.NewString(), Name: "<script>alert(1)</script> علي", Phone: "0221 1", CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	wantError(t, "same id again", s.AddParticipant(t.Context(), p), store.ErrExists)
	got, err := s.Participant(t.Context(), p.ID)
	must(t, err)
	if got != p {
		t.Errorf("got %+v, want %+v", got, p)
	}
	must(t, s.SetBlocked(t.Context(), p.ID, true))
	if got, _ = s.Participant(t.Context(), p.ID); !got.Blocked {
		t.Error("not blocked")
	}
	wantError(t, "block an unknown participant", s.SetBlocked(t.Context(), "x", true), store.ErrNotFound)
	_, err = s.Participant(t.Context(), "x")
	wantError(t, "an unknown participant", err, store.ErrNotFound)
	_, err = s.ParticipantState(t.Context(), "x")
	wantError(t, "state of an unknown participant", err, store.ErrNotFound)
}

func participantsByPage(t *testing.T, s store.Store) {
	verdicts := map[string]report.Verdict{"Ähre": report.Ready, "Arndt": report.NotReady, "Zabel": report.Limited,
		"zander": report.NotReady, "Öztürk": report.Unknown}
	for i, name := range []string{"zander", "Ähre", "Zabel", "Arndt", "Öztürk", "never"} {
		_, agent := person(t, s, name)
		if v, ok := verdicts[name]; ok {
			_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport("K7P-3QX", v, evening.Add(time.Duration(i)*time.Minute))})
			must(t, err)
		}
	}
	for order, want := range map[store.Order][]string{
		"":              {"Ähre", "Arndt", "never", "Öztürk", "Zabel", "zander"},
		store.ByName:    {"Ähre", "Arndt", "never", "Öztürk", "Zabel", "zander"},
		store.ByRecent:  {"Öztürk", "Arndt", "Zabel", "Ähre", "zander", "never"},
		store.ByUrgency: {"Arndt", "zander", "Zabel", "Öztürk", "Ähre", "never"},
	} {
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: order})
		must(t, err)
		inOrder(t, page.States, order, time.Time{})
		for limit := 1; limit <= 7; limit++ {
			if got := names(t, s, store.StateQuery{Order: order, Limit: limit}); !slices.Equal(got, want) {
				t.Errorf("by %q in pages of %d: got %v, want %v", order, limit, got, want)
			}
		}
	}
	if got := names(t, s, store.StateQuery{Verdict: report.NotReady}); !slices.Equal(got, []string{"Arndt", "zander"}) {
		t.Errorf("not ready: got %v, want [Arndt zander]", got)
	}
	if _, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: "x"}); err == nil {
		t.Error("an unknown order was accepted")
	}
}

// inOrder compares the order of the queries with that of the rules in Go.
func inOrder(t *testing.T, list []store.ParticipantState, order store.Order, since time.Time) {
	t.Helper()
	for i, p := range list[1:] {
		if order.Compare(list[i], p, since) >= 0 || order.Compare(p, list[i], since) <= 0 {
			t.Errorf("by %q: %q is before %q", order, list[i].Name, p.Name)
		}
	}
}

// names reads all pages of a query.
func names(t *testing.T, s store.Store, q store.StateQuery) []string {
	t.Helper()
	var got []string
	for range 100 {
		page, err := s.ParticipantStates(t.Context(), q)
		must(t, err)
		for _, p := range page.States {
			got = append(got, p.Name)
		}
		if q.After = page.Next; q.After == "" {
			return got
		}
	}
	t.Fatal("the pages do not end")
	return nil
}
