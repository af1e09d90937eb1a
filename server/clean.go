package server

import (
	"context"
	"time"
)

const (
	cleanEvery = time.Hour
	// steadyFor is how long the clock must have run without a jump before expired data is deleted. A
	// machine without a battery for its clock starts with a wrong time, which NTP corrects soon after;
	// data deleted because of a wrong time would be lost.
	steadyFor = 6 * time.Hour
	// steadyWithin is the allowed difference between wall time and monotonic time: NTP slews a
	// clock by up to 500 ppm, 11 s in six hours.
	steadyWithin = time.Minute
)

// steadiness detects jumps of the wall clock. It starts with the readings of both clocks.
type steadiness struct {
	wall      time.Time
	monotonic time.Duration
}

// steady reports whether the wall clock has followed the monotonic one for steadyFor. A jump
// restarts that time.
func (s *steadiness) steady(wall time.Time, monotonic time.Duration) bool {
	elapsed := monotonic - s.monotonic
	if (wall.Sub(s.wall) - elapsed).Abs() > steadyWithin {
		s.wall, s.monotonic = wall, monotonic
		return false
	}
	return elapsed >= steadyFor
}

// clean periodically removes what has expired.
func (s *Server) clean(ctx context.Context) {
	tick := time.NewTicker(cleanEvery)
	defer tick.Stop()
	began := s.config.Now()
	clock := steadiness{wall: began.Round(0)}
	for {
		if now := s.config.Now(); clock.steady(now.Round(0), now.Sub(began)) && s.leads() {
			if err := s.deleteOld(ctx, now); err != nil && ctx.Err() == nil {
				s.config.Log.Error("cleanup failed", "err", err)
			}
		}
		s.syncErased(ctx) // other collectors, and commands elsewhere, erase too
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// deleteAtOnce is the number of rows that one transaction deletes, so that deliveries wait for
// less than a tenth of a second.
const deleteAtOnce = 500

// deleteOld removes what has expired, and what is older than its retention period.
func (s *Server) deleteOld(ctx context.Context, now time.Time) error {
	if err := s.store.DeleteExpired(ctx, now); err != nil {
		return err
	}
	if err := s.deleteOlder(ctx, now, s.config.KeepReports, "old reports deleted", s.store.DeleteReports); err != nil {
		return err
	}
	if err := s.deleteOlder(ctx, now, s.config.KeepRecords, "old disturbance records deleted", s.store.DeleteDisturbanceRecords); err != nil {
		return err
	}
	return s.deleteOlder(ctx, now, s.config.KeepAudit, "old entries of the audit log deleted", s.store.DeleteAuditEntries)
}

// deleteOlder calls delete until nothing is older than keep; 0 keeps everything.
func (s *Server) deleteOlder(ctx context.Context, now time.Time, keep time.Duration, done string, delete func(context.Context, time.Time, int) (int, error)) error {
	if keep <= 0 {
		return nil
	}
	for total := 0; ; {
		n, err := delete(ctx, now.Add(-keep), deleteAtOnce)
		if err != nil {
			return err
		}
		if total += n; n < deleteAtOnce {
			if total > 0 {
				s.config.Log.Info(done, "count", total)
			}
			return nil
		}
	}
}
