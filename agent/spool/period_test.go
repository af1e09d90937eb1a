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
	var s *Spool
	open := func() {
		t.Helper()
		var err error
		if s, err = New(t.Context(), Config{FS: disk, Lock: noLock{}, Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
	}
	open()
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
	// use opens the spool every day until a time after now.
	use := func(until time.Duration) {
		t.Helper()
		for at = at.Add(24 * time.Hour); at.Before(now.Add(until)); at = at.Add(24 * time.Hour) {
			open()
		}
		at = now.Add(until)
		open()
	}
	use(graceFor - time.Hour)
	keep(0, 4)
	if got := ids(t, s, Local); len(got) != 3 {
		t.Errorf("within the grace period: got %v, want all", got)
	}
	use(graceFor + time.Hour)
	newest := keep(0, 5)
	if got := ids(t, s, Local); len(got) != 3 || slices.Contains(got, old) {
		t.Errorf("afterwards: got %v, want all but %s", got, old)
	}
	use(graceFor + 2*keepFor)
	if got := ids(t, s, Local); !slices.Equal(got, []string{newest}) {
		t.Errorf("after a year of daily use: got %v, want the newest %s", got, newest)
	}
	if got := ids(t, s, Waiting); !slices.Equal(got, []string{waiting}) {
		t.Errorf("waiting: got %v, want %s", got, waiting)
	}
}

// TestJumpsOfTheClockDeleteNothing opens a spool on some days, according to a clock that jumps. It contains a
// report that is 200 days old at first, and one that is new.
func TestJumpsOfTheClockDeleteNothing(t *testing.T) {
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	daily := func(from, to float64) (days []float64) {
		for ; from <= to; from++ {
			days = append(days, from)
		}
		return days
	}
	for name, c := range map[string]struct {
		file string // of an older version
		days []float64
		want int // of the 3 reports, the newest of which always stays
	}{
		"a year ahead within a day":                {"", append(daily(0, 40), 405, 405.5, 40.5, 41, 42, 44), 2},
		"a year ahead within a day, one line":      {start.Add(-60 * 24 * time.Hour).Format(time.RFC3339), []float64{365, 365.5, 1, 2}, 3},
		"a year ahead in the grace period":         {"", append(daily(0, 5), 370, 370.5, 6, 10, 15, 20, 28), 3},
		"the grace period after a year ahead":      {"", append(daily(0, 5), 370, 370.5, 6, 10, 15, 20, 28, 33), 2},
		"years back within a day":                  {"", append(daily(0, 5), -2000, 6, 10, 15, 20, 28), 3},
		"daily use":                                {"", daily(0, 200), 1},
		"off for 8 months":                         {"", append(daily(0, 40), 280), 2},
		"off for 8 months, a day after":            {"", append(daily(0, 40), 280, 281), 2},
		"off for 8 months, 2 days after":           {"", append(daily(0, 40), 280, 281, 282), 1},
		"a check a month for 2 years":              {"", []float64{0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 360, 390, 420, 450, 480, 510, 540, 570, 600}, 1},
		"a check a month for 6 months":             {"", []float64{0, 30, 60, 90, 120, 150, 180}, 3},
		"the clock is corrected by minutes, daily": {"", append(daily(0, 40), 40-0.01, 41, 41-0.01), 2},
	} {
		t.Run(name, func(t *testing.T) {
			disk := newFaultyDisk(rand.New(rand.NewPCG(1, 1)))
			at := start
			config := Config{FS: disk, Lock: noLock{}, Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)}
			s, err := New(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			for i, age := range []time.Duration{200, 1, 0} {
				if err := s.Keep(t.Context(), idAt(start.Add(-age*24*time.Hour), i+1), []byte("{}")); err != nil {
					t.Fatal(err)
				}
			}
			if c.file != "" {
				if err := s.replace(graceFile, []byte(c.file)); err != nil {
					t.Fatal(err)
				}
			}
			for _, day := range c.days {
				at = start.Add(time.Duration(day * float64(24*time.Hour)))
				if s, err = New(t.Context(), config); err != nil {
					t.Fatal(err)
				}
			}
			if got := ids(t, s, Local); len(got) != c.want {
				t.Errorf("got %v, want %d", got, c.want)
			}
		})
	}
}

// TestJumpsOfTheClockDropNothing puts a report on some days, according to a clock that jumps, while the
// collector does not answer.
func TestJumpsOfTheClockDropNothing(t *testing.T) {
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		days []float64
		want int
	}{
		"a month ahead":                     {[]float64{0, 0.1, 0.2, 30, 30.1, 0.5, 1}, 7},
		"a month ahead, then for two days":  {[]float64{0, 0.1, 0.2, 30, 31, 31.9}, 6},
		"a month behind at first":           {[]float64{-30, -29.9, 0, 0.1, 1}, 5},
		"off for a month":                   {[]float64{0, 0.1, 30, 31, 33}, 3},
		"two weeks of use":                  {[]float64{0, 1, 5, 10, 15, 15.5}, 4},
		"the clock is corrected by an hour": {[]float64{0, 0.1, 10, 10 - 1.0/24, 16}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			at := start
			s, err := New(t.Context(), Config{
				FS: newFaultyDisk(rand.New(rand.NewPCG(1, 1))), Lock: noLock{}, Limits: Limits{Age: 14 * 24 * time.Hour},
				Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, day := range c.days {
				at = start.Add(time.Duration(day * float64(24*time.Hour)))
				if err := s.Put(t.Context(), idAt(at, i), []byte("{}")); err != nil {
					t.Fatal(err)
				}
			}
			if got := ids(t, s, Waiting); len(got) != c.want {
				t.Errorf("got %v, want %d", got, c.want)
			}
		})
	}
}
