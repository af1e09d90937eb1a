package spool

import (
	"fmt"
	"time"
)

// implausibleAge is longer than a report can have waited: the clock has jumped. Such
// a report is not dropped because of its age.
const implausibleAge = 365 * 24 * time.Hour

// prune drops what exceeds the limits, oldest first. The caller holds the lock. After a
// failure too many reports remain, and the next Put tries again.
func (s *Spool) prune() {
	if err := s.pruneWaiting(); err != nil {
		s.log.Warn("spool is over its limits", "err", err)
	}
	for state, keep := range map[State]int{Sent: keepSent, Local: keepLocal, Quarantined: keepQuarantined} {
		if err := s.pruneKept(state, keep); err != nil {
			s.log.Warn("spool keeps too many old reports", "state", state, "err", err)
		}
	}
	if err := s.pruneOld(); err != nil {
		s.log.Warn("spool keeps reports longer than their period", "err", err)
	}
}

func (s *Spool) pruneWaiting() error {
	entries, err := s.List(Waiting)
	if err != nil {
		return err
	}
	steady, err := s.steady()
	if err != nil {
		s.log.Warn("reports that have waited too long remain", "err", err)
	}
	count, bytes := len(entries), int64(0)
	for _, e := range entries {
		bytes += e.Bytes
	}
	// The newest is never dropped: the participant has just created it.
	for _, e := range entries[:max(0, len(entries)-1)] {
		reason := s.tooMuch(count, bytes, s.now().Sub(e.Time), steady)
		if reason == "" {
			break
		}
		if err := s.drop(e, reason); err != nil {
			return err
		}
		count, bytes = count-1, bytes-e.Bytes
	}
	return nil
}

func (s *Spool) tooMuch(count int, bytes int64, age time.Duration, steady bool) string {
	switch l := s.limits; {
	case l.Reports > 0 && count > l.Reports:
		return fmt.Sprintf("more than %d reports wait", l.Reports)
	case l.Bytes > 0 && bytes > l.Bytes:
		return fmt.Sprintf("more than %d bytes wait", l.Bytes)
	case l.Age > 0 && steady && age > l.Age && age < implausibleAge:
		return fmt.Sprintf("waited longer than %v", l.Age)
	}
	return ""
}

// drop records the loss before it happens, so that none goes unrecorded.
func (s *Spool) drop(e Entry, reason string) error {
	if err := s.record(Drop{ID: e.ID, Kind: DropLost, Reason: reason}); err != nil {
		return err
	}
	return s.fs.Remove(e.path)
}

// pruneKept removes the oldest reports that are kept for display only. A report in
// quarantine was counted as a drop when it was moved there.
func (s *Spool) pruneKept(state State, keep int) error {
	entries, err := s.List(state)
	if err != nil {
		return err
	}
	for _, e := range entries[:max(0, len(entries)-keep)] {
		if err := s.fs.Remove(e.path); err != nil {
			return err
		}
	}
	return nil
}
