// Package schedule repeats something at an interval that is never quite the
// same, so that the agents of a town do not all measure at the same second.
package schedule

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// Jitter is by how much of the interval each wait may be longer or shorter.
const Jitter = 0.2

// FirstWithin bounds the wait before the first run: long enough to spread the
// computers that are switched on together, short enough to see it work.
const FirstWithin = 10 * time.Second

// Schedule says when.
type Schedule struct {
	Interval time.Duration
	Clock    probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
}

// Run calls do until ctx is done: first after up to FirstWithin, then an
// interval after each end. Runs never overlap.
func (s Schedule) Run(ctx context.Context, do func(context.Context)) {
	wait := time.Duration(s.Random() * float64(min(FirstWithin, s.Interval)))
	for s.Clock.Sleep(ctx, wait) == nil {
		do(ctx)
		wait = s.next()
	}
}

func (s Schedule) next() time.Duration {
	return time.Duration(float64(s.Interval) * (1 + Jitter*(2*s.Random()-1)))
}
