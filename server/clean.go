package server

import (
	"context"
	"errors"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
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

// keep returns the retention periods. What has expired is deleted at once; a class that is not in the map
// is kept.
func (c Config) keep() map[store.DataClass]time.Duration {
	all := map[store.DataClass]time.Duration{store.ExpiredData: 0}
	for class, period := range map[store.DataClass]time.Duration{store.ReportData: c.KeepReports, store.RecordData: c.KeepRecords, store.AuditData: c.KeepAudit, store.ErasedData: c.KeepErasedNames} {
		if period > 0 {
			all[class] = period
		}
	}
	return all
}

// deleteOld removes what has expired, and what is older than its retention period.
func (s *Server) deleteOld(ctx context.Context, now time.Time) error {
	some := map[store.DataClass]func(ctx context.Context, before time.Time, limit int) (deleted int, err error){
		store.ReportData: s.store.DeleteReports,
		store.RecordData: s.store.DeleteDisturbanceRecords,
		store.AuditData:  s.store.DeleteAuditEntries,
		store.ErasedData: s.store.DeleteErasedNames,
		store.ExpiredData: func(ctx context.Context, before time.Time, _ int) (int, error) {
			return s.store.DeleteExpired(ctx, before)
		},
	}
	var errs []error
	keep := s.config.keep()
	for _, class := range store.DataClasses() {
		if period, ok := keep[class]; ok {
			errs = append(errs, s.deleteOlder(ctx, class, now, period, some[class]))
		}
	}
	return errors.Join(errs...)
}

// deleteOlder calls delete until nothing is older than keep, and notes that.
func (s *Server) deleteOlder(ctx context.Context, class store.DataClass, now time.Time, keep time.Duration, some func(context.Context, time.Time, int) (int, error)) error {
	for total := 0; ; {
		n, err := some(ctx, now.Add(-keep), deleteAtOnce)
		if err != nil {
			return err
		}
		if total += n; n >= deleteAtOnce && class != store.ExpiredData {
			continue
		}
		if total > 0 {
			s.config.Log.Info("old data deleted", "class", string(class), "count", total)
		}
		return s.store.AddRetentionRun(ctx, class, now, total)
	}
}
