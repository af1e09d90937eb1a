package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

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
	s.announcePeriods(ctx)
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

// auditTimeout limits the entry about a deletion.
const auditTimeout = 5 * time.Second

// keep returns the retention periods. What has expired is deleted at once; a class that is not in the map
// is kept.
func (c Config) keep() map[store.DataClass]time.Duration {
	all := map[store.DataClass]time.Duration{store.ExpiredData: 0}
	for class, period := range map[store.DataClass]time.Duration{store.ReportData: c.KeepReports, store.SessionData: c.KeepSessions, store.PeopleData: c.KeepPeople, store.RecordData: c.KeepRecords, store.AuditData: c.KeepAudit, store.ErasedData: c.KeepErasedNames} {
		if period > 0 {
			all[class] = period
		}
	}
	return all
}

// deleteOld removes what has expired, and what is older than its retention period.
func (s *Server) deleteOld(ctx context.Context, now time.Time) error {
	deletes := map[store.DataClass]func(ctx context.Context, before time.Time, limit int) (deleted int, err error){
		store.ReportData:  s.store.DeleteReports,
		store.SessionData: s.store.DeleteCouncilSessions,
		store.PeopleData: func(ctx context.Context, before time.Time, limit int) (int, error) {
			return s.store.DeletePeopleWithoutCouncil(ctx, now, before, limit)
		},
		store.RecordData: s.store.DeleteDisturbanceRecords,
		store.AuditData:  s.store.DeleteAuditEntries,
		store.ErasedData: s.store.DeleteErasedNames,
		store.ExpiredData: func(ctx context.Context, before time.Time, _ int) (int, error) {
			return s.store.DeleteExpired(ctx, before)
		},
	}
	keep := s.config.keep()
	begins, err := s.periodsBegin(ctx)
	if err != nil {
		return err
	}
	var errs []error
	if _, ok := keep[store.PeopleData]; ok { // also before the period begins
		if err := s.store.NotePeopleWithoutCouncil(ctx, now); err != nil {
			errs = append(errs, err)
			delete(keep, store.PeopleData) // who has joined and left a council is unknown
		}
	}
	for _, class := range store.DataClasses() {
		if period, ok := keep[class]; ok && !begins[class].After(now) {
			errs = append(errs, s.deleteOlder(ctx, class, now, period, deletes[class]))
		}
	}
	return errors.Join(errs...)
}

// periodsBegin returns when the periods of classes begin to apply that came with a new version of the program.
func (s *Server) periodsBegin(ctx context.Context) (map[store.DataClass]time.Time, error) {
	runs, err := s.store.RetentionRuns(ctx)
	if err != nil {
		return nil, err
	}
	begins := map[store.DataClass]time.Time{}
	for _, run := range runs {
		begins[run.Class] = run.BeginsAt
	}
	return begins, nil
}

// announcePeriods logs the periods that do not apply yet.
func (s *Server) announcePeriods(ctx context.Context) {
	begins, err := s.periodsBegin(ctx)
	if err != nil {
		s.config.Log.Warn("new retention periods are unknown", "err", err)
		return
	}
	keep := s.config.keep()
	for _, class := range store.DataClasses() {
		if period, ok := keep[class]; ok && begins[class].After(s.config.Now()) {
			s.config.Log.Warn("a new retention period will apply: change it in the settings if data has to stay longer",
				"class", string(class), "days", int(period/(24*time.Hour)), "from", begins[class].Format(time.DateOnly))
		}
	}
}

// deleteOlder calls deleteSome until nothing is older than keep, and stores that this was done, with an entry
// in the audit log if something was deleted.
func (s *Server) deleteOlder(ctx context.Context, class store.DataClass, now time.Time, keep time.Duration, deleteSome func(context.Context, time.Time, int) (int, error)) error {
	for total := 0; ; {
		n, err := deleteSome(ctx, now.Add(-keep), deleteAtOnce)
		if total += n; err == nil && n >= deleteAtOnce && class != store.ExpiredData {
			continue
		}
		if total > 0 {
			s.config.Log.Info("old data deleted", "class", string(class), "count", total)
			err = errors.Join(err, s.auditDeletion(ctx, class, now, total))
		}
		if err != nil {
			return err
		}
		return s.store.AddRetentionRun(ctx, class, now, total)
	}
}

// auditDeletion adds an entry about a deletion to the audit log, also if the collector is stopping.
func (s *Server) auditDeletion(ctx context.Context, class store.DataClass, now time.Time, deleted int) error {
	id, err := uuid.NewV7FromReader(s.config.Rand)
	if err != nil {
		return fmt.Errorf("draw the id of an entry: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	e := store.AuditEntry{ID: id.String(), At: now, Kind: store.AuditDeletedByAge, Subject: store.AgeDeletion(class, deleted)}
	if err := s.store.AddAuditEntry(ctx, e); err != nil {
		return fmt.Errorf("note the deletion of %d %s in the audit log: %w", deleted, class, err)
	}
	return nil
}
