package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

const (
	// keepFor is how long reports are kept that do not wait to be sent, except for the newest of each state.
	keepFor = 180 * 24 * time.Hour
	// graceFor is how long the first reports that are older stay nevertheless: a version without this period may
	// have kept them, and nobody expects an update to delete reports.
	graceFor = 30 * 24 * time.Hour
	// graceFile contains when reports older than keepFor were first found, as RFC 3339.
	graceFile = "old-since.txt"
)

// pruneOld removes reports that were kept longer than keepFor. The caller holds the lock.
func (s *Spool) pruneOld() error {
	var old []Entry
	for _, state := range []State{Sent, Local, Quarantined} {
		entries, err := s.List(state)
		if err != nil {
			return err
		}
		for _, e := range entries[:max(0, len(entries)-1)] {
			if s.now().Sub(e.Time) > keepFor {
				old = append(old, e)
			}
		}
	}
	if len(old) == 0 {
		return nil
	}
	since, err := s.oldSince()
	if err != nil || s.now().Sub(since) < graceFor {
		return err
	}
	for _, e := range old {
		if err := s.fs.Remove(e.path); err != nil {
			return err
		}
	}
	s.log.Info("old reports deleted", "count", len(old))
	return nil
}

// oldSince returns the time in graceFile, and writes it if there is none.
func (s *Spool) oldSince() (time.Time, error) {
	now := s.now().UTC().Truncate(time.Second)
	b, err := s.fs.ReadFile(graceFile)
	if err == nil {
		since, err := time.Parse(time.RFC3339, string(b))
		if err == nil && !since.After(now) {
			return since, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return now, fmt.Errorf("read %s: %w", graceFile, err)
	}
	s.log.Info("reports older than the retention period will be deleted", "from", now.Add(graceFor).Format(time.DateOnly), "kept_days", int(keepFor/(24*time.Hour)))
	return now, s.replace(graceFile, []byte(now.Format(time.RFC3339)))
}
