package reflector

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestSelfCheck: the reflector reports that it is running only as long as both ports
// respond; the check leaves no session.
func TestSelfCheck(t *testing.T) {
	for name, fall := range map[string]func(*Reflector){
		"STUN":  func(r *Reflector) { _ = r.relay.ports.Close() },
		"media": func(r *Reflector) { _ = r.media.sockets.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			var later atomic.Int64
			r := start(t, func(c *Config) {
				c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
			})
			wait := func(d time.Duration) { later.Add(int64(d)) }
			if got := r.ICE("somebody", "localhost").AnsweredMS; got == nil {
				t.Fatal("a running reflector has no result")
			}
			wait(selfCheckEvery / 2)
			if got := r.self.ago(true); got == nil || *got < (selfCheckEvery/2).Milliseconds() {
				t.Errorf("half the time later got %v ms, want the same result", got)
			}
			if n := len(r.media.byUfrag); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			fall(r)
			wait(selfCheckStale)
			if got := r.self.ago(true); got != nil {
				t.Errorf("with one port closed: got %d ms, want nil", *got)
			}
			wait(-time.Hour) // the clock was set back
			if got := r.self.ago(true); got != nil {
				t.Errorf("after the clock was set back: got %d ms, want nil", *got)
			}
		})
	}
}

// TestSelfCheckWaitsForNobody: while a check hangs, a caller gets the last result with
// its age; once that is too old, callers wait for the new one.
func TestSelfCheckWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		var took time.Duration
		c := &selfCheck{now: time.Now, ask: func() survey { asked++; time.Sleep(took); return survey{far: true} }}
		if got := c.ago(false); got == nil || *got != 0 {
			t.Fatalf("got %v, want 0", got)
		}
		took = time.Second
		time.Sleep(selfCheckEvery)
		start := time.Now()
		for range 100 {
			if got := c.ago(false); got == nil || *got != selfCheckEvery.Milliseconds() {
				t.Fatalf("got %v, want %v ms", got, selfCheckEvery.Milliseconds())
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		time.Sleep(selfCheckStale + time.Second)
		c.ago(false)
		if waited := time.Since(start) - selfCheckStale - time.Second; waited != took {
			t.Errorf("waited %v, want %v", waited, took)
		}
		if asked != 3 {
			t.Errorf("got %d checks, want 3", asked)
		}
	})
}

// TestSelfCheckOfLoopbackAlone: a response at an address that no participant reaches
// proves nothing for participants.
func TestSelfCheckOfLoopbackAlone(t *testing.T) {
	c := &selfCheck{now: time.Now, ask: func() survey { return survey{near: true} }}
	if c.ago(false) != nil || c.ago(true) == nil {
		t.Error("a response on loopback counts for participants")
	}
}

// TestSelfCheckServesOperatorAndAgents: both read the same result, and a cancelled
// caller does not wait for a check.
func TestSelfCheckServesOperatorAndAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		silent := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:3478")}
		c := &selfCheck{now: time.Now, ask: func() survey { asked++; time.Sleep(time.Second); return survey{far: true, silent: silent} }}
		c.ago(false)
		found, err := c.latest(t.Context())
		if err != nil || !slices.Equal(found.silent, silent) || asked != 1 {
			t.Errorf("got %+v, error %v after %d checks; want silent %v, 1", found, err, asked, silent)
		}
		time.Sleep(selfCheckEvery)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := c.latest(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Millisecond {
			t.Errorf("got error %v after %v; want %v, %v", err, time.Since(start), context.DeadlineExceeded, time.Millisecond)
		}
		if _, err := c.latest(t.Context()); err != nil || asked != 2 {
			t.Errorf("got error %v after %d checks; want 2", err, asked)
		}
	})
}
