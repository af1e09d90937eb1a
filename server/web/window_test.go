package web

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// countedStore counts how often a list is read.
type countedStore struct {
	Store
	lists int
}

func (c *countedStore) ParticipantStates(ctx context.Context, q store.StateQuery) (store.StatePage, error) {
	c.lists++
	return c.Store.ParticipantStates(ctx, q)
}

// town is a store with participants that a test changes.
type town struct {
	t      *testing.T
	store  *sqlstore.Store
	random *rand.Rand
	now    time.Time
	people []string
	agents map[string]string
}

func newTown(t *testing.T, people int) *town {
	t.Helper()
	s := sqlitetest.Open(t)
	w := &town{t: t, store: s, random: rand.New(rand.NewPCG(1, 2)), now: time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC), agents: map[string]string{}}
	for range people {
		w.add()
	}
	return w
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) add() {
	ctx := w.t.Context()
	p := store.Participant{ID: uuid.NewString(), Name: fmt.Sprintf("Person %03d", w.random.IntN(1000)), CreatedAt: w.now}
	w.must(w.store.AddParticipant(ctx, p))
	code := store.HashOf(p.ID)
	w.must(w.store.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}))
	agent := uuid.NewString()
	_, err := w.store.Enrol(ctx, code, store.NewAgent{ID: agent, TokenHash: store.HashOf(agent)}, w.now)
	w.must(err)
	w.people, w.agents[p.ID] = append(w.people, p.ID), agent
}

func (w *town) check(id string, verdict report.Verdict, heard bool) {
	r := &report.Report{ID: uuid.NewString(), Case: "K7P-3QX", StartedAt: w.now, Verdict: verdict}
	if heard {
		r.Probes = []report.Result{{Name: report.ProbeAudioInput, Status: report.StatusOK}}
	}
	_, err := w.store.SaveReports(w.t.Context(), w.agents[id], []store.NewReport{{Report: r, Document: []byte("{}"), ReceivedAt: w.now, CheckedAt: w.now}})
	w.must(err)
}

// change makes a random change.
func (w *town) change() (what string) {
	ctx := w.t.Context()
	i := w.random.IntN(len(w.people))
	id := w.people[i]
	switch n := w.random.IntN(20); {
	case n == 0:
		w.add()
		return "added"
	case n == 1:
		w.must(w.store.DeleteParticipant(ctx, id, time.Now()))
		w.people = append(w.people[:i], w.people[i+1:]...)
		return "deleted"
	case n < 4:
		w.must(w.store.SetBlocked(ctx, id, w.random.IntN(2) == 0))
		return "blocked or not"
	case n < 6:
		w.must(w.store.EditParticipant(ctx, id, fmt.Sprintf("Person %03d", w.random.IntN(1000)), "1"))
		return "edited"
	}
	verdicts := []report.Verdict{report.NotReady, report.Limited, report.Unknown, report.Ready, report.Ready, report.Ready}
	v := verdicts[w.random.IntN(len(verdicts))]
	w.check(id, v, w.random.IntN(3) > 0)
	return "checked: " + string(v)
}

// TestWindowEqualsTheStore: a window that is updated with changes equals one that is read again, after
// any change and any time.
func TestWindowEqualsTheStore(t *testing.T) {
	w := newTown(t, rowsPerPage+30)
	counted := &countedStore{Store: w.store}
	kept := &site{Config: Config{Store: counted}, windows: newRecent[listQuery](maxWindowRows, window.weight)}
	anew := &site{Config: Config{Store: w.store}, windows: newRecent[listQuery](1, window.weight)}
	var lists []listQuery
	for _, show := range []string{showAll, showProblems, showUnknown, showReady, showOld, showNever, showBlocked} {
		for _, order := range []store.Order{store.ByUrgency, store.ByName, store.ByRecent} {
			lists = append(lists, listQuery{show: show, order: order}, listQuery{show: show, order: order, whole: true})
		}
	}
	compared := 0
	for round := range 250 {
		var what []string
		for range w.random.IntN(4) {
			what = append(what, w.change())
		}
		w.now = w.now.Add(time.Duration(w.random.IntN(3000)) * time.Millisecond)
		if w.random.IntN(40) == 0 {
			w.now = w.now.Add(20 * time.Second)
		}
		v := view{now: w.now, since: w.now.Add(-2 * time.Minute)}
		for range 4 {
			a := lists[w.random.IntN(len(lists))]
			got, err := kept.currentWindow(t.Context(), a, v)
			w.must(err)
			want, err := anew.readWindow(t.Context(), a, v)
			w.must(err)
			compared++
			if got.page.Next != want.page.Next || len(got.page.States) != len(want.page.States) {
				t.Fatalf("round %d, %+v after %q: got %d rows, next %q; want %d, %q", round, a, what, len(got.page.States), got.page.Next, len(want.page.States), want.page.Next)
			}
			for i, p := range want.page.States {
				if !reflect.DeepEqual(got.page.States[i], p) {
					t.Fatalf("round %d, %+v after %q: row %d: got %+v, want %+v", round, a, what, i, got.page.States[i], p)
				}
			}
			// Counts are cached for a short time, during which a check may become too old.
			if (len(what) > 0 || v.now.Equal(got.counted)) && !reflect.DeepEqual(got.counts, want.counts) {
				t.Fatalf("round %d, %+v after %q: got counts %+v, want %+v", round, a, what, got.counts, want.counts)
			}
		}
	}
	if counted.lists > compared*3/4 {
		t.Errorf("%d of %d windows were read again", counted.lists, compared)
	}
}

// TestWindowRequestsChangesOnly: an open page, and others that show the same, do not
// read the list from the store if a change does not move the border of the page.
func TestWindowRequestsChangesOnly(t *testing.T) {
	w := newTown(t, rowsPerPage+30)
	for i, id := range w.people {
		w.now = w.now.Add(time.Second)
		verdict := report.Ready
		if i < 5 {
			verdict = report.NotReady
		}
		w.check(id, verdict, true)
	}
	counted := &countedStore{Store: w.store}
	s := &site{Config: Config{Store: counted}, windows: newRecent[listQuery](maxWindowRows, window.weight)}
	a := listQuery{show: showAll, order: store.ByUrgency}
	reads := func(what string, want int) window {
		t.Helper()
		counted.lists = 0
		got, err := s.currentWindow(t.Context(), a, view{now: w.now, since: w.now.Add(-time.Hour)})
		w.must(err)
		if counted.lists != want {
			t.Errorf("%s: the list was read %d times, want %d", what, counted.lists, want)
		}
		return got
	}
	reads("first page", 1)
	reads("second page", 0)
	w.check(w.people[2], report.NotReady, true)
	if got := reads("a row changes", 0); got.page.States[0].ID != w.people[2] {
		t.Errorf("got first row %s, want %s", got.page.States[0].ID, w.people[2])
	}
	w.must(w.store.EditParticipant(t.Context(), w.people[10], "behind the page", ""))
	reads("a row of another page changes", 0)
	w.check(w.people[10], report.NotReady, true)
	reads("it comes to this page", 1)
	w.now = w.now.Add(maxWindowAge + time.Second)
	reads("a minute later", 1)
}
