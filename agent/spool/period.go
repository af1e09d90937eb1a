package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

const (
	// keepFor is how long reports are kept that do not wait to be sent, except for the newest of each state.
	keepFor = 180 * 24 * time.Hour
	// graceFor is how long reports older than keepFor remain after the first use of the spool by a version that
	// deletes them: nobody expects an update to delete reports at once.
	graceFor = 30 * 24 * time.Hour
	// confirmFor is how long the spool must be in use after a gap before reports are deleted: the gap may be a
	// jump of the clock.
	confirmFor = 48 * time.Hour
	// maxGap is the longest time between two uses that is not a gap.
	maxGap = 14 * 24 * time.Hour
	// stampEvery is how often a use is stored. A clock that is set back by less is not a gap.
	stampEvery = time.Hour
	// graceFile contains up to three times in the format of RFC 3339, one a line: when the grace period began,
	// when the spool was last used, and when that was after a gap. An older version wrote the first line only.
	graceFile = "old-since.txt"
)

// grace is the content of graceFile.
type grace struct {
	since, last time.Time
	gap         time.Time // the end of the last gap; zero if there was none
}

func (g grace) String() string {
	text := g.since.Format(time.RFC3339) + "\n" + g.last.Format(time.RFC3339)
	if !g.gap.IsZero() {
		text += "\n" + g.gap.Format(time.RFC3339)
	}
	return text
}

// steady reports whether the ages of the reports can be trusted: there was no gap for confirmFor.
func (s *Spool) steady() (bool, error) {
	g, err := s.readGrace()
	if err != nil {
		return false, err
	}
	now := s.now().UTC().Truncate(time.Second)
	next, _, _ := g.use(now)
	return next.gap.IsZero() || now.Sub(next.gap) >= confirmFor, nil
}

// pruneOld removes reports that were kept longer than keepFor. The caller holds the lock.
func (s *Spool) pruneOld() error {
	g, err := s.readGrace()
	if err != nil {
		return err
	}
	now := s.now().UTC().Truncate(time.Second)
	next, at, due := g.use(now)
	var saved error // a full disk does not prevent the deletion
	if next.since != g.since || now.Sub(g.last).Abs() >= stampEvery {
		stamp := next
		stamp.last = now
		saved = s.replace(graceFile, []byte(stamp.String()))
	}
	old, err := s.olderThan(keepFor, at)
	if err != nil || len(old) == 0 {
		return errors.Join(saved, err)
	}
	if !due {
		if next.since != g.since {
			s.log.Info("reports older than the retention period will be deleted", "from", next.since.Add(graceFor).Format(time.DateOnly), "kept_days", int(keepFor/(24*time.Hour)))
		}
		return saved
	}
	for _, e := range old {
		if err := s.fs.Remove(e.path); err != nil {
			return errors.Join(saved, err)
		}
	}
	s.log.Info("old reports deleted", "count", len(old))
	return saved
}

// use returns the state after a use of the spool at now. If due, the reports that were too old at the time at
// are to be deleted.
//
// After a gap, at is the time of the last use, because the clock may be wrong now. The part of the grace period
// that had passed at the last use remains credited, but at least confirmFor is still to pass. A gap is credited
// as confirmFor, so that the period also ends if the spool is rarely used.
func (g grace) use(now time.Time) (next grace, at time.Time, due bool) {
	if g.since.IsZero() {
		return grace{since: now, last: now}, now, false
	}
	back, forth := g.last.Sub(now) > stampEvery, now.Sub(g.last) > maxGap
	if !back && !forth {
		return g, now, now.Sub(g.since) >= graceFor
	}
	passed := g.last.Sub(g.since)
	due = passed >= graceFor-confirmFor
	if forth {
		passed += confirmFor
		at = g.last
	} else {
		at = now
	}
	passed = min(max(0, passed), graceFor-confirmFor)
	return grace{since: now.Add(-passed), last: now, gap: now}, at, due
}

// olderThan returns the reports that do not wait to be sent and that were older than age at the time at, except
// for the newest of each state.
func (s *Spool) olderThan(age time.Duration, at time.Time) ([]Entry, error) {
	var old []Entry
	for _, state := range []State{Sent, Local, Quarantined} {
		entries, err := s.List(state)
		if err != nil {
			return nil, err
		}
		for _, e := range entries[:max(0, len(entries)-1)] {
			if at.Sub(e.Time) > age {
				old = append(old, e)
			}
		}
	}
	return old, nil
}

// readGrace returns the content of graceFile; zero if there is none or it is damaged.
func (s *Spool) readGrace() (grace, error) {
	b, err := s.fs.ReadFile(graceFile)
	if errors.Is(err, fs.ErrNotExist) {
		return grace{}, nil
	}
	if err != nil {
		return grace{}, fmt.Errorf("read %s: %w", graceFile, err)
	}
	var times []time.Time
	for line := range strings.Lines(strings.TrimSpace(string(b))) {
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(line))
		if err != nil {
			return grace{}, nil
		}
		times = append(times, t)
	}
	switch len(times) {
	case 1:
		return grace{since: times[0], last: times[0]}, nil
	case 2:
		return grace{since: times[0], last: times[1]}, nil
	case 3:
		return grace{since: times[0], last: times[1], gap: times[2]}, nil
	}
	return grace{}, nil
}
