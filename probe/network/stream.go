package network

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/echo"
)

// pace is the number of packets, their interval, and the wait for each answer.
type pace struct {
	count       int
	every, wait time.Duration
}

// stream contains the results of a series of small packets to one point.
type stream struct {
	sent int
	rtts []time.Duration // of the answered packets
	// fates reports for each packet that counts, by its planned time, whether it was answered, to
	// compare simultaneous losses of two streams.
	fates map[time.Duration]bool
	// complaints is true if the answers were ICMP errors, which routers rate limit.
	complaints bool
	// kept is the number of packets that this computer could not send, for example without an
	// interface; they are not lost.
	kept int
	// err is the last error other than silence.
	err error
}

func (s *stream) answered() int    { return len(s.rtts) }
func (s *stream) lost() int        { return s.sent - len(s.rtts) }
func (s *stream) lossPct() float64 { return 100 * float64(s.lost()) / float64(max(1, s.sent)) }

// runStream sends at a steady pace, regardless of answers, and returns when all are complete. A
// packet interrupted by ctx counts as not sent. It stops early if the system refuses to send.
func runStream(ctx context.Context, env probe.Env, p pace, ask question) *stream {
	return runStreamFrom(ctx, env, env.Clock.Now(), p, ask)
}

// runStreamFrom is runStream with a common start of several streams. Packets whose time has passed,
// because the computer slept or its clock jumped, are omitted: sent all at once they would cause
// the loss that is measured.
func runStreamFrom(ctx context.Context, env probe.Env, start time.Time, p pace, ask question) *stream {
	s := &stream{fates: map[time.Duration]bool{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	refused := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return errors.Is(s.err, echo.ErrNotPermitted)
	}
	for i := range p.count {
		due := time.Duration(i) * p.every
		wait := start.Add(due).Sub(env.Clock.Now())
		if wait < -p.every && i > 0 {
			continue
		}
		// A clock that was set back must not block the stream.
		if wait = min(wait, 2*p.every); wait > 0 && env.Clock.Sleep(ctx, wait) != nil || ctx.Err() != nil || refused() {
			break
		}
		wg.Go(func() {
			waiting, cancel := context.WithTimeout(ctx, p.wait)
			defer cancel()
			r, err := ask(waiting)
			if err == nil && (r.RTT < 0 || r.RTT > 2*p.wait) {
				err = errClockJumped
			}
			mu.Lock()
			defer mu.Unlock()
			s.take(ctx, due, r, err)
		})
	}
	wg.Wait()
	return s
}

// errClockJumped marks an impossible round trip: the clock was set meanwhile.
var errClockJumped = errors.New("the clock was set while a packet was under way")

func (s *stream) take(ctx context.Context, due time.Duration, r echo.Reply, err error) {
	switch {
	case err == nil:
		s.sent++
		s.rtts = append(s.rtts, r.RTT)
		s.fates[due] = true
		s.complaints = s.complaints || r.Complaint
	case ctx.Err() != nil: // interrupted
	case errors.Is(err, echo.ErrSilent):
		s.sent++
		s.fates[due] = false
	default:
		s.kept++
		s.err = err
	}
}

// median returns the median of at least one value.
func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// nearestRank returns a percentile of at least one value: the smallest value that this percentage
// does not exceed.
func nearestRank(d []time.Duration, percent float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
