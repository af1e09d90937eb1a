package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

func council(t *testing.T, s store.Store, name string) store.Council {
	t.Helper()
	c := store.Council{ID: uuid.NewString(), Name: name, CreatedAt: evening}
	must(t, s.AddCouncil(t.Context(), c))
	return c
}

func councils(t *testing.T, s store.Store) {
	ctx := t.Context()
	rat := council(t, s, "Rat")
	var want []string
	for _, name := range []string{"Bauausschuss", "Ältestenrat", "Schulausschuss", "<b>Rat</b>"} {
		council(t, s, name)
		want = append(want, name)
	}
	want = append(want, "Rat")
	slices.Sort(want)
	for limit := 1; limit <= 6; limit++ {
		var got []string
		for after := ""; ; {
			page, err := s.CouncilPage(ctx, after, limit)
			must(t, err)
			for _, c := range page.Councils {
				got = append(got, c.Name)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d: got %q, want %q", limit, got, want)
		}
	}
	wantError(t, "the same name", s.AddCouncil(ctx, store.Council{ID: uuid.NewString(), Name: "Rat"}), store.ErrExists)
	wantError(t, "renamed to an existing name", s.RenameCouncil(ctx, rat.ID, "Bauausschuss"), store.ErrExists)
	wantError(t, "rename an unknown council", s.RenameCouncil(ctx, "x", "y"), store.ErrNotFound)
	for _, bad := range []string{"", "two\nlines", strings.Repeat("x", 201), "\xff"} {
		var problem *store.InputError
		if err := s.AddCouncil(ctx, store.Council{ID: uuid.NewString(), Name: bad}); !errors.As(err, &problem) {
			t.Errorf("name %.20q: got error %v, want an InputError", bad, err)
		}
	}
	must(t, s.RenameCouncil(ctx, rat.ID, "Stadtrat"))
	got, err := s.CouncilNamed(ctx, "Stadtrat")
	must(t, err)
	if got.ID != rat.ID || !got.CreatedAt.Equal(evening) {
		t.Errorf("got %+v, want %+v", got, rat)
	}
	_, err = s.CouncilNamed(ctx, "Rat")
	wantError(t, "the old name", err, store.ErrNotFound)
	_, err = s.CouncilPage(ctx, "x", 1)
	wantError(t, "a foreign cursor", err, store.ErrBadCursor)

	anna, _ := person(t, s, "Anna")
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: rat.ID, StartsAt: evening}
	must(t, s.AddCouncilSession(ctx, session))
	must(t, s.AddCouncilMember(ctx, rat.ID, anna))
	must(t, s.RemoveCouncil(ctx, rat.ID))
	_, err = s.CouncilSession(ctx, session.ID)
	wantError(t, "a session of a removed council", err, store.ErrNotFound)
	_, err = s.Participant(ctx, anna)
	must(t, err)
	wantError(t, "removed twice", s.RemoveCouncil(ctx, rat.ID), store.ErrNotFound)
}

func councilMembers(t *testing.T, s store.Store) {
	ctx := t.Context()
	rat, bau := council(t, s, "Rat"), council(t, s, "Bau")
	anna, _ := person(t, s, "Anna")
	berta, _ := person(t, s, "Berta")
	members := func(id string) (got []string) {
		t.Helper()
		list, revision, err := s.CouncilMembers(ctx, id)
		must(t, err)
		if now, err := s.StateRevision(ctx); err != nil || revision != now {
			t.Errorf("got revision %d, error %v, want %d", revision, err, now)
		}
		for _, p := range list {
			got = append(got, p.Name)
		}
		slices.Sort(got)
		return got
	}
	before, err := s.StateRevision(ctx)
	must(t, err)
	for range 2 { // the second time changes nothing
		must(t, s.AddCouncilMember(ctx, rat.ID, anna))
	}
	if change, err := s.ChangedStates(ctx, before, 10); err != nil || !change.Whole {
		t.Errorf("changes after a new member: got %+v, error %v, want whole", change, err)
	}
	must(t, s.AddCouncilMember(ctx, bau.ID, anna))
	must(t, s.AddCouncilMember(ctx, rat.ID, berta))
	wantError(t, "no such council", s.AddCouncilMember(ctx, "x", anna), store.ErrNotFound)
	wantError(t, "no such participant", s.AddCouncilMember(ctx, rat.ID, "x"), store.ErrNotFound)
	if got := members(rat.ID); !slices.Equal(got, []string{"Anna", "Berta"}) {
		t.Errorf("got members %q, want [\"Anna\" \"Berta\"]", got)
	}
	of, err := s.CouncilsOf(ctx, anna)
	must(t, err)
	if len(of) != 2 || of[0].Name != "Bau" || of[1].Name != "Rat" {
		t.Errorf("councils of Anna: got %+v; want 2 entries, [0].Name %q, [1].Name %q", of, "Bau", "Rat")
	}
	must(t, s.RemoveCouncilMember(ctx, rat.ID, berta))
	wantError(t, "removed twice", s.RemoveCouncilMember(ctx, rat.ID, berta), store.ErrNotFound)
	wantError(t, "one unknown member", s.SetCouncilMembers(ctx, rat.ID, []string{berta, "x"}), store.ErrNotFound)
	if got := members(rat.ID); !slices.Equal(got, []string{"Anna"}) {
		t.Errorf("got members %q after a failed replacement, want the previous ones", got)
	}
	must(t, s.SetCouncilMembers(ctx, rat.ID, []string{berta, berta}))
	if got := members(rat.ID); !slices.Equal(got, []string{"Berta"}) {
		t.Errorf("got members %q after the replacement, want [\"Berta\"]", got)
	}
	must(t, s.DeleteParticipant(ctx, anna, evening))
	if got := members(bau.ID); len(got) != 0 {
		t.Errorf("got members %q, want none", got)
	}
	_, _, err = s.CouncilMembers(ctx, "x")
	wantError(t, "members of an unknown council", err, store.ErrNotFound)
}

func councilSessions(t *testing.T, s store.Store) {
	ctx := t.Context()
	rat, bau := council(t, s, "Rat"), council(t, s, "Bau")
	anna, _ := person(t, s, "Anna")
	must(t, s.AddCouncilMember(ctx, rat.ID, anna))
	add := func(c store.Council, title string, at time.Duration, hours int) store.CouncilSession {
		t.Helper()
		one := store.CouncilSession{ID: uuid.NewString(), CouncilID: c.ID, Title: title, StartsAt: evening.Add(at), Target: "bbb", Profile: "town", Place: "Saal 1"}
		if hours > 0 {
			one.EndsAt = one.StartsAt.Add(time.Duration(hours) * time.Hour)
		}
		must(t, s.AddCouncilSession(ctx, one))
		return one
	}
	add(rat, "over", -3*time.Hour, 2)
	add(rat, "over without an end", -7*time.Hour, 0)
	running := add(rat, "running", -3*time.Hour, 4)
	add(rat, "running without an end", -2*time.Hour, 0)
	add(bau, "of others", time.Hour, 1)
	next := add(rat, "next", 2*time.Hour, 3)
	add(rat, "in a month", 30*24*time.Hour, 3)
	list := func(q store.SessionQuery) (got []string) {
		t.Helper()
		for range 20 {
			page, err := s.CouncilSessions(ctx, q)
			must(t, err)
			for _, c := range page.Sessions {
				got = append(got, c.Title)
			}
			if q.After = page.Next; q.After == "" {
				return got
			}
		}
		t.Fatal("the pages do not end")
		return nil
	}
	for limit := 1; limit <= 7; limit++ {
		want := []string{"running", "running without an end", "of others", "next", "in a month"}
		if got := list(store.SessionQuery{From: evening, Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("all in pages of %d: got %q, want %q", limit, got, want)
		}
		want = slices.DeleteFunc(want, func(title string) bool { return title == "of others" })
		if got := list(store.SessionQuery{CouncilID: rat.ID, From: evening, Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("of one council in pages of %d: got %q, want %q", limit, got, want)
		}
	}
	of := func(limit int) (got []string) {
		t.Helper()
		some, err := s.SessionsOf(ctx, anna, evening, evening.AddDate(0, 0, 14), limit)
		must(t, err)
		for _, c := range some {
			got = append(got, c.Title)
		}
		return got
	}
	if got, want := of(10), []string{"running", "running without an end", "next"}; !slices.Equal(got, want) {
		t.Errorf("of a member: got %q, want %q", got, want)
	}
	if got := of(1); !slices.Equal(got, []string{"running"}) {
		t.Errorf("the first of a member: got %q, want [\"running\"]", got)
	}
	got, err := s.CouncilSession(ctx, next.ID)
	must(t, err)
	if got != next {
		t.Errorf("got %+v, want %+v", got, next)
	}
	next.Cancelled, next.Title, next.EndsAt = true, "cancelled", time.Time{}
	must(t, s.ChangeCouncilSession(ctx, next))
	if got, err = s.CouncilSession(ctx, next.ID); err != nil || got != next {
		t.Errorf("got %+v, error %v, want %+v", got, err, next)
	}
	if got, want := of(10), []string{"running", "running without an end"}; !slices.Equal(got, want) {
		t.Errorf("of a member after a cancellation: got %q, want %q", got, want)
	}
	must(t, s.RemoveCouncilSession(ctx, running.ID))
	wantError(t, "removed twice", s.RemoveCouncilSession(ctx, running.ID), store.ErrNotFound)
	wantError(t, "change an unknown session", s.ChangeCouncilSession(ctx, running), store.ErrNotFound)
	running.CouncilID = "x"
	wantError(t, "no such council", s.AddCouncilSession(ctx, running), store.ErrNotFound)
	for what, bad := range map[string]store.CouncilSession{
		"no start":            {CouncilID: rat.ID},
		"ends before":         {CouncilID: rat.ID, StartsAt: evening, EndsAt: evening.Add(-time.Minute)},
		"25 hours":            {CouncilID: rat.ID, StartsAt: evening, EndsAt: evening.Add(25 * time.Hour)},
		"two lines":           {CouncilID: rat.ID, StartsAt: evening, Place: "a\nb"},
		"title of a megabyte": {CouncilID: rat.ID, StartsAt: evening, Title: strings.Repeat("x", 1<<20)},
	} {
		var problem *store.InputError
		if err := s.AddCouncilSession(ctx, bad); !errors.As(err, &problem) {
			t.Errorf("%s: got error %v, want an InputError", what, err)
		}
	}
}

// importedSessions: an import changes the sessions that it contains, cancels those that are missing, and
// does not affect any other.
func importedSessions(t *testing.T, s store.Store) {
	ctx := t.Context()
	rat := council(t, s, "Rat")
	const source = "ics:https://ris.example.org/calendar.ics"
	must(t, s.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: rat.ID, Title: "by hand", StartsAt: evening.Add(time.Hour)}))
	event := func(uid string, after time.Duration) store.CouncilSession {
		return store.CouncilSession{SourceUID: uid, Title: uid, StartsAt: evening.Add(after), EndsAt: evening.Add(after + 2*time.Hour)}
	}
	step := func(what string, now time.Time, want store.ImportResult, sessions ...store.CouncilSession) {
		t.Helper()
		got, err := s.UpsertSessions(ctx, rat.ID, source, sessions, now)
		must(t, err)
		if got != want {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
	stored := func() map[string]store.CouncilSession {
		t.Helper()
		page, err := s.CouncilSessions(ctx, store.SessionQuery{CouncilID: rat.ID, From: evening.AddDate(-1, 0, 0)})
		must(t, err)
		all := map[string]store.CouncilSession{}
		for _, c := range page.Sessions {
			all[c.Title] = c
		}
		return all
	}
	a, b, c := event("a", -24*time.Hour), event("b", 24*time.Hour), event("c", 48*time.Hour)
	step("first", evening, store.ImportResult{Added: 3}, a, b, c)
	first := stored()
	step("again", evening, store.ImportResult{Unchanged: 3}, a, b, c)
	moved := b
	moved.StartsAt, moved.EndsAt = b.StartsAt.Add(time.Hour), time.Time{}
	step("one moved, one vanished, one past", evening, store.ImportResult{Changed: 1, Cancelled: 1}, moved)
	got := stored()
	if !got["c"].Cancelled || got["a"].Cancelled || got["by hand"].Cancelled || got["b"].Cancelled {
		t.Errorf("got %+v, want only c cancelled", got)
	}
	if got["b"].ID != first["b"].ID || !got["b"].StartsAt.Equal(moved.StartsAt) || !got["b"].EndsAt.IsZero() {
		t.Errorf("got %+v, want the same session at another time", got["b"])
	}
	step("it is back", evening, store.ImportResult{Changed: 1, Unchanged: 1}, moved, c)
	if got := stored(); got["c"].Cancelled || got["c"].ID != first["c"].ID {
		t.Errorf("got %+v, want c again", got["c"])
	}
	if _, err := s.UpsertSessions(ctx, rat.ID, "another source", nil, evening); err != nil {
		t.Error(err)
	}
	before := stored()
	many := make([]store.CouncilSession, store.MaxImportSessions+1)
	for i := range many {
		many[i] = event(fmt.Sprint(i), time.Hour)
	}
	endless := event("d", time.Hour)
	endless.EndsAt = evening.AddDate(1, 0, 0)
	for what, bad := range map[string][]store.CouncilSession{
		"too many": many, "a uid twice": {event("d", 0), event("d", 1)}, "no uid": {event("", 0)}, "endless": {event("e", 0), endless},
	} {
		var problem *store.InputError
		if _, err := s.UpsertSessions(ctx, rat.ID, source, bad, evening); !errors.As(err, &problem) {
			t.Errorf("%s: got error %v, want an InputError", what, err)
		}
	}
	_, err := s.UpsertSessions(ctx, "x", source, []store.CouncilSession{event("d", 0)}, evening)
	wantError(t, "no such council", err, store.ErrNotFound)
	if got := stored(); len(got) != len(before) || got["b"] != before["b"] || got["c"] != before["c"] {
		t.Errorf("got %+v after failed imports, want %+v", got, before)
	}
}
