package network

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/echo"
)

// pace is how many packets go out, how far apart, and how long each is waited for.
type pace struct {
	count       int
	every, wait time.Duration
}

// stream is what a row of small packets to one point met.
type stream struct {
	sent int
	rtts []time.Duration // of the answered ones
	// complaints is true when the answers were ICMP errors, of which routers
	// leave some out.
	complaints bool
	// err is the last error that was not silence.
	err error
}

func (s *stream) answered() int    { return len(s.rtts) }
func (s *stream) lost() int        { return s.sent - len(s.rtts) }
func (s *stream) lossPct() float64 { return 100 * float64(s.lost()) / float64(max(1, s.sent)) }

// runStream sends at a steady pace, whether answers come or not, and returns
// when all are in. A packet that ctx cut off counts as not sent. It stops early
// where the system refuses to send.
func runStream(ctx context.Context, env probe.Env, p pace, ask func(context.Context) (echo.Reply, error)) *stream {
	s := &stream{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	refused := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return errors.Is(s.err, echo.ErrNotPermitted)
	}
	start := env.Clock.Now()
	for i := range p.count {
		next := start.Add(time.Duration(i) * p.every).Sub(env.Clock.Now())
		if next > 0 && env.Clock.Sleep(ctx, next) != nil || ctx.Err() != nil || refused() {
			break
		}
		wg.Go(func() {
			waiting, cancel := context.WithTimeout(ctx, p.wait)
			defer cancel()
			r, err := ask(waiting)
			mu.Lock()
			defer mu.Unlock()
			s.take(ctx, r, err)
		})
	}
	wg.Wait()
	return s
}

func (s *stream) take(ctx context.Context, r echo.Reply, err error) {
	switch {
	case err == nil:
		s.sent++
		s.rtts = append(s.rtts, r.RTT)
		s.complaints = s.complaints || r.Complaint
	case ctx.Err() != nil: // cut off
	case errors.Is(err, echo.ErrSilent):
		s.sent++
	default:
		s.err = err
	}
}

// median of at least one value.
func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
