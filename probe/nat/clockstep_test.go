package nat

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// steppingClock jumps forwards on request, as after a sleep state.
type steppingClock struct {
	probe.SystemClock
	by  time.Duration
	now atomic.Bool
}

func (c *steppingClock) Now() time.Time {
	now := c.SystemClock.Now()
	if c.now.Load() {
		now = now.Add(c.by)
	}
	return now
}

// TestClockStepsDuringRequest: the response is used, its round trip may be unknown,
// and the probe does not wait for an hour that has not passed.
func TestClockStepsDuringRequest(t *testing.T) {
	for name, answered := range map[string]int{"the first copy": 0, "a later copy": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &steppingClock{by: time.Hour}
			var asked atomic.Int32
			url := both(t, func(n int, request *stun.Message, from netip.AddrPort, send func([]byte)) {
				if n < answered {
					return
				}
				if asked.Add(1) == 1 {
					clock.now.Store(true)
				} else if answered > 0 {
					return // the request for the round trip is lost
				}
				honest(n, request, from, send)
			})
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			e := probetest.Env(t)
			e.Clock = clock
			r, err := New(Config{ICE: servers(url), Timers: patient}).Run(ctx, e)
			if err != nil {
				t.Fatal(err)
			}
			if ctx.Err() != nil {
				t.Error("the probe waited for an hour that has not passed")
			}
			if d := r.Data.(*report.NAT); d.UDP != report.ReachOpen || r.Status != report.StatusOK {
				t.Errorf("got UDP %s, status %s, want %s, %s, because there was a response", d.UDP, r.Status, report.ReachOpen, report.StatusOK)
			}
		})
	}
}
