package spool

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestOldReportsAreDeletedAfterAGracePeriod: a new version deletes nothing at once; the newest of each state
// stays, and whatever waits.
func TestOldReportsAreDeletedAfterAGracePeriod(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	disk := newFaultyDisk(rand.New(rand.NewPCG(1, 1)))
	at := now
	s, err := New(t.Context(), Config{FS: disk, Lock: noLock{}, Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(age time.Duration, n int) string {
		t.Helper()
		id := idAt(at.Add(-age), n)
		if err := s.Keep(t.Context(), id, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		return id
	}
	waiting := idAt(now.Add(-2*keepFor), 1)
	if err := s.Put(t.Context(), waiting, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	old, young := keep(keepFor+time.Hour, 2), keep(time.Hour, 3)
	if got := ids(t, s, Local); !slices.Equal(got, []string{old, young}) {
		t.Fatalf("at once: got %v, want all", got)
	}
	at = now.Add(graceFor - time.Hour)
	keep(0, 4)
	if got := ids(t, s, Local); len(got) != 3 {
		t.Errorf("within the grace period: got %v, want all", got)
	}
	at = now.Add(graceFor + time.Hour)
	newest := keep(0, 5)
	if got := ids(t, s, Local); len(got) != 3 || slices.Contains(got, old) {
		t.Errorf("afterwards: got %v, want all but %s", got, old)
	}
	at = at.Add(2 * keepFor)
	if s, err = New(t.Context(), Config{FS: disk, Lock: noLock{}, Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, Local); !slices.Equal(got, []string{newest}) {
		t.Errorf("after a start much later: got %v, want the newest %s", got, newest)
	}
	if got := ids(t, s, Waiting); !slices.Equal(got, []string{waiting}) {
		t.Errorf("waiting: got %v, want %s", got, waiting)
	}
}
