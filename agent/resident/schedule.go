package resident

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// Jitter is the share of the interval by which each wait is longer or shorter at random, so that
// the agents of a town do not all measure at the same second.
const Jitter = 0.2

// FirstWithin limits the wait before the first run. It spreads computers that are switched on
// together, and is short enough to see the service work after its installation.
const FirstWithin = 10 * time.Second

// Schedule repeats work at a jittered interval.
type Schedule struct {
	Interval time.Duration
	Clock    probe.Clock
	// Random returns numbers in [0, 1).
	Random func() float64
}

// Run calls do until ctx is done: first after at most FirstWithin, then one interval after the end
// of each call. Calls never overlap.
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
