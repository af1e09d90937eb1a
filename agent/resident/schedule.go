package resident

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Jitter is the share of the interval by which each wait is longer or shorter at random, so that
// the agents of a town do not all measure at the same second.
const Jitter = 0.2

// FirstWithin limits the wait before the first run. It spreads computers that are switched on
// together, and is short enough to see the service work after its installation.
const FirstWithin = 10 * time.Second

// lookAgain is the longest time between two evaluations of the plan. A wake-up from
// sleep, a change of the clock and a newly announced session take effect within this
// time.
const lookAgain = time.Minute

// Schedule runs the checks of a Plan.
type Schedule struct {
	// Interval is the mean time between two small checks.
	Interval time.Duration
	Clock    probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
	// Seed is Plan.Seed.
	Seed uint64
	// Sessions returns the next sessions of the participant; nil means that there are none.
	Sessions func() []wire.Session
	// Learn requests the sessions from the collector, unless they are known well enough; nil means
	// that they do not change. It is called before each check: one that was due must not begin
	// in a session that was announced since the last request.
	Learn func(context.Context)
	// Sparing returns Plan.Sparing; nil means that it is unknown.
	Sparing func() bool
	// Memory stores the history; nil means that a restart begins anew.
	Memory Memory
}

// Memory stores the history of the schedule.
type Memory interface {
	Load() History
	// Save stores the history and the next check.
	Save(History, Check)
}

// Run calls do until ctx is done, whenever a check is due. do reports whether the check
// yielded a report. Calls never overlap.
func (s Schedule) Run(ctx context.Context, do func(context.Context, Check) bool) {
	p := Plan{
		Interval: s.Interval, Started: s.now(), First: time.Duration(s.Random() * float64(min(FirstWithin, s.Interval))),
		Draw: 0.5, Seed: s.Seed,
	}
	var h History
	if s.Memory != nil {
		h = s.Memory.Load()
	}
	var saved Check
	learned := false
	for ctx.Err() == nil {
		now := s.now()
		p.Sparing = s.Sparing != nil && s.Sparing()
		next := p.Next(now, s.sessions(), h)
		if s.Memory != nil && (next.Kind != saved.Kind || !next.At.Equal(saved.At)) && next.At.After(now) {
			s.Memory.Save(h, next)
			saved = next
		}
		if wait := next.At.Sub(now); wait > 0 {
			learned = false
			if s.Clock.Sleep(ctx, min(wait, lookAgain)) != nil {
				return
			}
			continue
		}
		if !learned && s.Learn != nil {
			s.Learn(ctx)
			learned = true
			continue
		}
		learned = false
		r := Made{Kind: next.Kind, Failed: !do(ctx, next)}
		if next.Session != nil {
			r.Session = next.Session.StartsAt
		}
		r.At, p.Draw = s.now(), s.Random()
		h = h.With(r)
	}
}

// now returns the time without its monotonic reading, which stands still while a computer sleeps.
func (s Schedule) now() time.Time { return s.Clock.Now().Round(0) }

func (s Schedule) sessions() []wire.Session {
	if s.Sessions == nil {
		return nil
	}
	return s.Sessions()
}
