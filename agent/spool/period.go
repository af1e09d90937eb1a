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
	// graceFor is how long the first reports that are older stay nevertheless: a version without this period may
	// have kept them, and nobody expects an update to delete reports.
	graceFor = 30 * 24 * time.Hour
	// confirmFor is how long the clock must have gone on after a gap in the use of the spool before reports are
	// deleted: the gap may be a jump of the clock.
	confirmFor = 48 * time.Hour
	// maxGap is the longest time between two uses that needs no confirmation.
	maxGap = 14 * 24 * time.Hour
	// stampEvery is how often a use is stored. A correction of the clock by less is no jump.
	stampEvery = time.Hour
	// graceFile contains when the grace period began and when the spool was last used, as RFC 3339, one a line.
	// An older version wrote the first line only.
	graceFile = "old-since.txt"
)

// grace is the content of graceFile.
type grace struct{ since, last time.Time }

// pruneOld removes reports that were kept longer than keepFor. The caller holds the lock.
func (s *Spool) pruneOld() error {
	g, err := s.readGrace()
	if err != nil {
		return err
	}
	now := s.now().UTC().Truncate(time.Second)
	next, at, due := g.use(now)
	var saved error // a full disk prevents no deletion
	if next.since != g.since || now.Sub(g.last).Abs() >= stampEvery {
		saved = s.replace(graceFile, []byte(next.since.Format(time.RFC3339)+"\n"+now.Format(time.RFC3339)))
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

// use returns the grace period after a use of the spool at now, and whether reports are deleted that were old
// at the time at. After a gap, what was old at the last use is deleted; the rest of the grace period, at least
// confirmFor, begins anew. A gap counts as confirmFor, so that rare use ends the period too.
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
	return grace{since: now.Add(-passed), last: now}, at, due
}

// olderThan returns the reports that do not wait to be sent and were older than age at a time, except for the
// newest of each state.
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
	first, second, two := strings.Cut(strings.TrimSpace(string(b)), "\n")
	since, err := time.Parse(time.RFC3339, first)
	if err != nil {
		return grace{}, nil
	}
	if !two {
		return grace{since: since, last: since}, nil
	}
	last, err := time.Parse(time.RFC3339, strings.TrimSpace(second))
	if err != nil {
		return grace{}, nil
	}
	return grace{since: since, last: last}, nil
}
