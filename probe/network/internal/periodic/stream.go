// Package periodic sends small packets at a fixed interval (RFC 3432) and measures their loss and their
// round trips.
package periodic

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
)

const (
	// FewPackets is the minimum number of packets of a stream.
	FewPackets = 8
	// maxUnsentPct is the share of packets that may fail to leave this computer; above it the interface
	// was away, and the loss says nothing about the line.
	maxUnsentPct = 10
)

// Pace is the number of packets, their interval, and the wait for each answer.
type Pace struct {
	Count       int
	Every, Wait time.Duration
}

// Stream contains the results of a series of small packets to one point.
type Stream struct {
	Sent int
	RTTs []time.Duration // of the answered packets
	// Fates reports for each packet that counts, by its planned time, whether it was answered, to
	// compare simultaneous losses of two streams.
	Fates map[time.Duration]bool
	// ICMPErrors is true if the answers were ICMP errors, which routers rate limit.
	ICMPErrors bool
	// Unsent is the number of packets that this computer could not send, for example without an
	// interface; they are not lost.
	Unsent int
	// Err is the last error other than silence.
	Err error
}

// Answered returns the number of packets that were answered.
func (s *Stream) Answered() int { return len(s.RTTs) }

// Lost returns the number of packets that were sent and not answered.
func (s *Stream) Lost() int { return s.Sent - len(s.RTTs) }

// LossPct returns the share of packets that were lost.
func (s *Stream) LossPct() float64 { return 100 * float64(s.Lost()) / float64(max(1, s.Sent)) }

// Run sends at a steady pace, regardless of answers, and returns when all are complete. A
// packet interrupted by ctx counts as not sent. It stops early if the system refuses to send.
func Run(ctx context.Context, env probe.Env, p Pace, ask echo.Question) *Stream {
	return RunFrom(ctx, env, env.Clock.Now(), p, ask)
}

// RunFrom is [Run] with a common start of several streams. Packets whose time has passed,
// because the computer slept or its clock jumped, are omitted: sent all at once they would cause
// the loss that is measured.
func RunFrom(ctx context.Context, env probe.Env, start time.Time, p Pace, ask echo.Question) *Stream {
	s := &Stream{Fates: map[time.Duration]bool{}}
	var mu sync.Mutex
	var wg guard.Group
	refused := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return errors.Is(s.Err, echo.ErrNotPermitted)
	}
	for i := range p.Count {
		due := time.Duration(i) * p.Every
		wait := start.Add(due).Sub(env.Clock.Now())
		if wait < -p.Every && i > 0 {
			continue
		}
		// A clock that was set back must not block the stream.
		if wait = min(wait, 2*p.Every); wait > 0 && env.Clock.Sleep(ctx, wait) != nil || ctx.Err() != nil || refused() {
			break
		}
		wg.Go(func() {
			waiting, cancel := context.WithTimeout(ctx, p.Wait)
			defer cancel()
			r, err := ask(waiting)
			if err == nil && (r.RTT < 0 || r.RTT > 2*p.Wait) {
				err = ErrClockJumped
			}
			mu.Lock()
			defer mu.Unlock()
			s.take(ctx, due, r, err)
		})
	}
	wg.Wait()
	return s
}

// ErrClockJumped marks an impossible round trip: the clock was set meanwhile.
var ErrClockJumped = errors.New("the clock was set while a packet was in flight")

func (s *Stream) take(ctx context.Context, due time.Duration, r echo.Reply, err error) {
	switch {
	case err == nil:
		s.Sent++
		s.RTTs = append(s.RTTs, r.RTT)
		s.Fates[due] = true
		s.ICMPErrors = s.ICMPErrors || r.ICMPError
	case ctx.Err() != nil: // interrupted
	case errors.Is(err, echo.ErrSilent):
		s.Sent++
		s.Fates[due] = false
	default:
		s.Unsent++
		s.Err = err
	}
}

// Median returns the median of at least one value.
func Median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// NearestRank returns a percentile of at least one value: the smallest of the values for which at
// least this percentage of all values is not larger.
func NearestRank(d []time.Duration, percent float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Counted reports whether the stream can be evaluated: a point that never answers is silent, not lossy.
func (s *Stream) Counted() bool {
	return s != nil && s.Sent >= FewPackets && s.Answered() > 0 && s.SentNearlyAll()
}

// SentNearlyAll reports whether this computer sent nearly all packets.
func (s *Stream) SentNearlyAll() bool { return s.Unsent*100 <= maxUnsentPct*(s.Sent+s.Unsent) }

// LossRunPackets returns the mean number of consecutive lost packets; nil without
// loss.
func (s *Stream) LossRunPackets() *float64 { return LostTogether(s, s) }

// LostTogether returns how many packets of the streams were lost together; nil if
// end, one of them, lost none.
func LostTogether(end *Stream, streams ...*Stream) *float64 {
	if end == nil {
		return nil
	}
	var fates []map[time.Duration]bool
	for _, s := range streams {
		if s != nil {
			fates = append(fates, s.Fates)
		}
	}
	if n := lossmodel.LostTogether(fates, end.Fates); n > 0 {
		return &n
	}
	return nil
}
