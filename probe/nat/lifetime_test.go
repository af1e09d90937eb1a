package nat

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4/vnet"

	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestBindingLifetime(t *testing.T) {
	const longest = 1200 * time.Millisecond
	noResponsePort := func(a *action) { a.noResponsePort = true }
	for name, c := range map[string]struct {
		lifetime  time.Duration // of the NAT
		spoil     func(*action)
		low, high float64 // s
	}{
		// The NAT drops packets that arrive after the lifetime. A step of the
		// second round is 8 ms, and delays of this machine shorten the measured
		// lifetime.
		"short":                 {500 * time.Millisecond, nil, 0.3, 0.5},
		"longer":                {900 * time.Millisecond, nil, 0.7, 0.9},
		"outlasts":              {time.Minute, nil, longest.Seconds(), longest.Seconds()},
		"noResponsePort server": {500 * time.Millisecond, noResponsePort, -1, -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			env, url := behind(t, &vnet.NATType{
				MappingBehavior: vnet.EndpointIndependent, FilteringBehavior: vnet.EndpointAddrPortDependent, MappingLifeTime: c.lifetime,
			}, c.spoil)
			r, err := NewBehavior(Config{ICE: servers(url), Timers: quick, Lifetime: longest}).Run(t.Context(), env)
			fatal(t, err)
			got := r.Data.(*report.NATBehavior).BindingLifetimeS
			if c.low < 0 {
				if got != nil {
					t.Errorf("%s: got %v s with a server without RESPONSE-PORT, want nil", name, *got)
				}
				return
			}
			if got == nil || *got < c.low || *got > c.high {
				t.Fatalf("%s: got %v s, want %.1f to %.1f", name, probetest.Value(got), c.low, c.high)
			}
			t.Logf("%s: lifetime %.3f s", name, *got)
		})
	}
}

// TestStoppedLifetime checks that a cancelled search has no result.
func TestStoppedLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, url := behind(t, &vnet.NATType{MappingBehavior: vnet.EndpointIndependent, FilteringBehavior: vnet.EndpointIndependent}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		r, err := NewBehavior(Config{ICE: servers(url), Lifetime: time.Hour}).Run(ctx, env)
		fatal(t, err)
		if got := r.Data.(*report.NATBehavior).BindingLifetimeS; got != nil {
			t.Errorf("got %v s after cancellation, want nil", *got)
		}
	})
}

// linuxNAT is the timeout of UDP in Linux (nf_conntrack_proto_udp.c): 30 s, and 120 s for a
// flow that is still used 2 s after its first packet. It drops what arrives later.
type linuxNAT struct {
	mu    sync.Mutex
	flows map[string]*linuxFlow // by the port of the router
}

type linuxFlow struct {
	first, last time.Time
	isStream    bool
}

func (n *linuxNAT) passes(c vnet.Chunk) bool {
	const short, long, streamAfter = 30 * time.Second, 120 * time.Second, 2 * time.Second
	n.mu.Lock()
	defer n.mu.Unlock()
	out := strings.HasPrefix(c.SourceAddr().String(), wanRouter+":")
	port := c.DestinationAddr().String()
	if out {
		port = c.SourceAddr().String()
	}
	now := time.Now()
	f := n.flows[port]
	if f != nil && (now.Sub(f.last) > long || !f.isStream && now.Sub(f.last) > short) {
		f = nil
	}
	switch {
	case f == nil && !out:
		return false
	case f == nil:
		f = &linuxFlow{first: now}
		n.flows[port] = f
	}
	f.last, f.isStream = now, f.isStream || now.Sub(f.first) > streamAfter
	return true
}

// TestLifetimeOfAStream: the binding is used as that of a call, not as that of a single
// query, which Linux forgets sooner.
func TestLifetimeOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := &linuxNAT{flows: map[string]*linuxFlow{}}
		env, url := behindFiltered(t, &vnet.NATType{
			MappingBehavior: vnet.EndpointIndependent, FilteringBehavior: vnet.EndpointIndependent, MappingLifeTime: time.Hour,
		}, nil, router.passes)
		const longest = time.Minute
		r, err := NewBehavior(Config{ICE: servers(url), Timers: quick, Lifetime: longest}).Run(t.Context(), env)
		fatal(t, err)
		if got := r.Data.(*report.NATBehavior).BindingLifetimeS; got == nil || *got != longest.Seconds() {
			t.Errorf("got %v s, want %v", probetest.Value(got), longest.Seconds())
		}
	})
}
