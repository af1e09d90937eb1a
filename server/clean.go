package server

import (
	"context"
	"time"
)

const (
	cleanEvery = time.Hour
	// steadyFor is how long the clock must have run without a jump before
	// anything is deleted by it. A machine without a battery starts with a wrong
	// clock, and NTP corrects it soon after; what a wrong clock had deleted would
	// be gone.
	steadyFor = 6 * time.Hour
	// steadyWithin is how far wall time and monotonic time may run apart: NTP
	// slews a clock by up to 500 ppm, 11 s in six hours.
	steadyWithin = time.Minute
)

// steadiness notices jumps of the wall clock. It begins with the readings of both
// clocks at the start.
type steadiness struct {
	wall      time.Time
	monotonic time.Duration
}

// steady reports whether the wall clock has run beside the monotonic one for
// steadyFor. A jump begins that time anew.
func (s *steadiness) steady(wall time.Time, monotonic time.Duration) bool {
	elapsed := monotonic - s.monotonic
	if (wall.Sub(s.wall) - elapsed).Abs() > steadyWithin {
		s.wall, s.monotonic = wall, monotonic
		return false
	}
	return elapsed >= steadyFor
}

// clean removes what has expired, now and then.
func (s *Server) clean(ctx context.Context) {
	tick := time.NewTicker(cleanEvery)
	defer tick.Stop()
	began := s.config.Now()
	clock := steadiness{wall: began.Round(0)}
	for {
		if now := s.config.Now(); clock.steady(now.Round(0), now.Sub(began)) {
			if err := s.deleteOld(ctx, now); err != nil && ctx.Err() == nil {
				s.config.Log.Error("cleaning up failed", "err", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// deleteAtOnce is how many reports one transaction deletes: few enough that
// deliveries wait for less than a tenth of a second.
const deleteAtOnce = 500

// deleteOld removes what has expired, and reports that have been kept for long
// enough.
func (s *Server) deleteOld(ctx context.Context, now time.Time) error {
	if err := s.store.DeleteExpired(ctx, now); err != nil {
		return err
	}
	if s.config.KeepReports <= 0 {
		return nil
	}
	for total := 0; ; {
		n, err := s.store.DeleteReports(ctx, now.Add(-s.config.KeepReports), deleteAtOnce)
		if err != nil {
			return err
		}
		if total += n; n < deleteAtOnce {
			if total > 0 {
				s.config.Log.Info("old reports deleted", "count", total)
			}
			return nil
		}
	}
}
