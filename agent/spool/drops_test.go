package spool

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"
)

// TestDropsAreBounded checks that drops.log stays small however many reports are
// dropped, that its counts stay correct, and that the newest entries stay readable.
func TestDropsAreBounded(t *testing.T) {
	disk := newFaultyDisk(rand.New(rand.NewPCG(1, 1)))
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s, err := New(t.Context(), Config{
		FS: disk, Lock: noLock{}, Limits: Limits{Reports: 1}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	const all = 5000
	last := ""
	for n := range all {
		now = now.Add(time.Second)
		if err := s.Put(t.Context(), idAt(now, n), []byte("{}")); err != nil {
			t.Fatal(err)
		}
		last = idAt(now.Add(-time.Second), n-1)
		if size := len(disk.files[dropsFile]); size > maxDropsBytes+1024 {
			t.Fatalf("drops.log has %d bytes, want at most %d", size, maxDropsBytes+1024)
		}
	}
	drops, counts, err := s.Drops()
	if err != nil || counts[DropLost] != all-1 || counts[DropQuarantined] != 0 {
		t.Errorf("got counts %v, error %v; want %d lost, 0 quarantined", counts, err, all-1)
	}
	if len(drops) < keepDrops || len(drops) > all/2 || drops[len(drops)-1].ID != last {
		t.Errorf("got %d entries, the last %+v; want %d to %d, the last of %s", len(drops), drops[len(drops)-1], keepDrops, all/2, last)
	}
	for name := range disk.files {
		if name[0] == '.' {
			t.Errorf("%s was left behind", name)
		}
	}
}

// TestTries checks that a failure counts only if a report was accepted since the
// last one.
func TestTries(t *testing.T) {
	var tries Tries
	for range 5 {
		if n := tries.Strike("a"); n != 1 {
			t.Fatalf("got %d strikes without an accepted report, want 1", n)
		}
	}
	tries.Accept("b")
	if n := tries.Strike("a"); n != 2 {
		t.Errorf("got %d strikes after a success, want 2", n)
	}
	tries.Accept("a")
	if !tries.Blank() {
		t.Errorf("got %+v, want none", tries)
	}
}

// TestTriesForgetSentReports checks that the file lists waiting reports only, and
// that a damaged one is ignored.
func TestTriesForgetSentReports(t *testing.T) {
	disk := newFaultyDisk(rand.New(rand.NewPCG(1, 1)))
	s, err := New(t.Context(), Config{FS: disk, Lock: noLock{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	id := idAt(time.Now(), 1)
	if err := s.Put(t.Context(), id, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	tries := Tries{Accepted: 7, Reports: map[string]Try{id: {2, 3}}}
	for n := range 100 {
		tries.Reports[fmt.Sprint(n)] = Try{1, 1}
	}
	if err := s.SaveTries(t.Context(), tries); err != nil {
		t.Fatal(err)
	}
	got, err := s.Tries()
	if err != nil || len(got.Reports) != 1 || got.Reports[id] != (Try{2, 3}) || got.Accepted != 7 {
		t.Errorf("got %+v, error %v; want %s: {2 3}, Accepted 7", got, err, id)
	}
	disk.files[triesFile] = []byte(`{"reports":`)
	if got, err := s.Tries(); err != nil || !got.Blank() {
		t.Errorf("got %+v, error %v; want none", got, err)
	}
}
