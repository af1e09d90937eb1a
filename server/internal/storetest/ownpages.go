package storetest

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

func ownPages(t *testing.T, s store.Store) {
	ctx, hash := t.Context(), store.HashOf
	anna, agent := person(t, s, "Anna")
	_, other := person(t, s, "Berta")
	until := evening.Add(10 * time.Minute)
	later := evening.Add(time.Hour)
	open := func(code, visit string, now time.Time) (string, error) {
		return s.OpenOwnPage(ctx, hash(code), hash(visit), now, later)
	}
	wantError(t, "code of an unknown agent", s.AddOwnPageCode(ctx, "x", hash("code"), until), store.ErrNotFound)
	must(t, s.AddOwnPageCode(ctx, agent, hash("first"), until))
	must(t, s.AddOwnPageCode(ctx, agent, hash("second"), until))
	must(t, s.AddOwnPageCode(ctx, other, hash("hers"), until))
	for _, c := range []struct {
		what, code string
		now        time.Time
	}{{"a replaced code", "first", evening}, {"an unknown code", "x", evening}, {"an expired code", "second", until}} {
		_, err := open(c.code, "visit", c.now)
		wantError(t, c.what, err, store.ErrNotFound)
	}
	_, err := s.OwnPage(ctx, hash("second"), evening)
	wantError(t, "a code as a visit", err, store.ErrNotFound)
	if id, err := open("second", "visit", evening); err != nil || id != anna {
		t.Fatalf("got %q, error %v; want %q", id, err, anna)
	}
	_, err = open("second", "again", evening)
	wantError(t, "a used code", err, store.ErrNotFound)
	_, err = open("visit", "again", evening)
	wantError(t, "a visit as a code", err, store.ErrNotFound)
	// A new code of the same agent leaves the visit.
	must(t, s.AddOwnPageCode(ctx, agent, hash("third"), until))
	visiting := func(what string, now time.Time, want error) {
		t.Helper()
		id, err := s.OwnPage(ctx, hash("visit"), now)
		wantError(t, what, err, want)
		if want == nil && id != anna {
			t.Errorf("%s: got %q, want %q", what, id, anna)
		}
	}
	visiting("the visit", later.Add(-time.Second), nil)
	visiting("at its end", later, store.ErrNotFound)
	must(t, s.SetBlocked(ctx, anna, true))
	visiting("blocked", evening, store.ErrNotFound)
	wantError(t, "code of a blocked person", s.AddOwnPageCode(ctx, agent, hash("fourth"), until), store.ErrNotFound)
	must(t, s.SetBlocked(ctx, anna, false))
	visiting("let in again", evening, nil)
	must(t, s.RevokeAgent(ctx, agent, evening))
	visiting("revoked", evening, store.ErrNotFound)
	_, err = open("third", "again", evening)
	wantError(t, "code of a revoked agent", err, store.ErrNotFound)
	wantError(t, "new code of a revoked agent", s.AddOwnPageCode(ctx, agent, hash("fourth"), until), store.ErrNotFound)

	if _, err := open("hers", "visit of Berta", evening); err != nil {
		t.Fatal(err)
	}
	must(t, s.CloseOwnPage(ctx, hash("visit of Berta")))
	_, err = s.OwnPage(ctx, hash("visit of Berta"), evening)
	wantError(t, "a closed visit", err, store.ErrNotFound)

	must(t, s.AddOwnPageCode(ctx, other, hash("erased"), until))
	page, err := s.Agents(ctx, anna)
	must(t, err)
	if len(page) != 1 {
		t.Fatalf("got %d computers, want 1", len(page))
	}
	must(t, s.DeleteParticipant(ctx, anna, evening)) // with codes and visits of her computer
}
