package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func open(t *testing.T, dir string, l Limits) *Spool {
	t.Helper()
	s, err := Open(t.Context(), dir, l, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func idAt(at time.Time, n int) string {
	ms := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", ms[:8], ms[8:], n)
}

func ids(t *testing.T, s *Spool, state State) []string {
	t.Helper()
	entries, err := s.List(state)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestReportsWaitInOrder(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "spool"), Limits{})
	at := time.Now().Truncate(time.Millisecond)
	old, young := idAt(at.Add(-time.Hour), 1), idAt(at, 2)
	for _, id := range []string{young, old} {
		if err := s.Put(t.Context(), id, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := s.List(Waiting)
	if err != nil {
		t.Fatal(err)
	}
	if len(waiting) != 2 || waiting[0].ID != old || !waiting[1].Time.Equal(at) {
		t.Fatalf("got waiting reports %+v; want two, first %s, then one of %v", waiting, old, at)
	}
	if err := s.MarkSent(t.Context(), waiting[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Quarantine(t.Context(), waiting[1], "<script>"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(ids(t, s, Waiting), ids(t, s, Sent), ids(t, s, Quarantined)); got != fmt.Sprint([]string{}, []string{old}, []string{young}) {
		t.Errorf("got %s; want none waiting, %s sent, %s quarantined", got, old, young)
	}
	for _, e := range waiting { // as listed before by another process
		if doc, err := s.Read(e); err != nil || string(doc) != "{}" {
			t.Errorf("%s after it was moved: got %q, error %v; want %q", e.ID, doc, err, "{}")
		}
	}
	drops, _, err := s.Drops()
	if err != nil || len(drops) != 1 || drops[0].ID != young || drops[0].Reason != "<script>" {
		t.Errorf("got drops %+v, error %v; want 1 entry, [0].ID %v, [0].Reason %q", drops, err, young, "<script>")
	}
}

func TestLimitsDropTheOldest(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		limits Limits
		ages   []time.Duration
		kept   int
	}{
		"count":              {Limits{Reports: 2}, []time.Duration{3, 2, 1, 0}, 2},
		"bytes":              {Limits{Bytes: 30}, []time.Duration{3, 2, 1, 0}, 3},
		"age":                {Limits{Age: 150 * time.Minute}, []time.Duration{4, 3, 1, 0}, 2},
		"the newest is kept": {Limits{Bytes: 1}, []time.Duration{0}, 1},
		"the clock jumped":   {Limits{Age: time.Hour}, []time.Duration{20 * 365 * 24, -20 * 365 * 24, 0}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), c.limits)
			for i, age := range c.ages {
				if err := s.Put(t.Context(), idAt(now.Add(-age*time.Hour), i), []byte("0123456789")); err != nil {
					t.Fatal(err)
				}
			}
			drops, _, err := s.Drops()
			if err != nil {
				t.Fatal(err)
			}
			if got := len(ids(t, s, Waiting)); got != c.kept || len(drops) != len(c.ages)-c.kept {
				t.Errorf("got %d waiting, %d drops; want %d waiting of %d", got, len(drops), c.kept, len(c.ages))
			}
		})
	}
}

func TestHostileIDsAreRefused(t *testing.T) {
	s := open(t, t.TempDir(), Limits{})
	for _, id := range []string{"", "../../etc/passwd", "0192f0c1-0000-4000-8000-000000000001", "0192f0c1-0000-7000-8000-00000000000G", string(make([]byte, 10<<20))} {
		if err := s.Put(t.Context(), id, []byte("{}")); !errors.Is(err, ErrID) {
			t.Errorf("%.40q: got error %v, want %v", id, err, ErrID)
		}
	}
}

func TestForeignFilesAreIgnored(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "notes.txt")
	half := filepath.Join(dir, tempPrefix+"half")
	for _, f := range []string{foreign, half} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, Limits{})
	if got := ids(t, s, Waiting); len(got) != 0 {
		t.Errorf("got the reports %v, want none: the files are foreign", got)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half-written file: got error %v, want %v", err, os.ErrNotExist)
	}
}

func TestOnlyOneSenderAtATime(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, Limits{}), open(t, dir, Limits{})
	done, err := a.Sender(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Sender(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second sender: got error %v, want %v", err, context.DeadlineExceeded)
	}
	done()
	done, err = b.Sender(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done()
}

func TestManyWritersAtOnce(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			s := open(t, dir, Limits{})
			for i := range 10 {
				if err := s.Put(t.Context(), idAt(now, w*100+i), []byte("{}")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(ids(t, open(t, dir, Limits{}), Waiting)); got != 80 {
		t.Errorf("got %d of 80 reports, want 80", got)
	}
}
