package path

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

func TestBecameSilent(t *testing.T) {
	// answeredIn returns a stream of 60 packets, sent every 50 ms, of which the
	// given ones were answered.
	answeredIn := func(answered func(i int) bool) *periodic.Stream {
		s := &periodic.Stream{Fates: map[time.Duration]bool{}}
		for i := range 60 {
			s.Sent++
			s.Fates[time.Duration(i)*50*time.Millisecond] = answered(i)
			if answered(i) {
				s.RTTs = append(s.RTTs, time.Millisecond)
			}
		}
		return s
	}
	for name, c := range map[string]struct {
		s    *periodic.Stream
		want bool
	}{
		"from the middle on":         {answeredIn(func(i int) bool { return i < 30 }), true},
		"the last second":            {answeredIn(func(i int) bool { return i < 40 }), true},
		"less than the last second":  {answeredIn(func(i int) bool { return i < 41 }), false},
		"interrupted, then back":     {answeredIn(func(i int) bool { return i < 20 || i > 55 }), false},
		"except for one response":    {answeredIn(func(i int) bool { return i < 20 || i == 50 }), false},
		"from the start on":          {answeredIn(func(i int) bool { return i < 3 }), false},
		"never":                      {answeredIn(func(int) bool { return true }), false},
		"always":                     {answeredIn(func(int) bool { return false }), false},
		"no stream":                  {nil, false},
		"every other packet is lost": {answeredIn(func(i int) bool { return i%2 == 0 }), false},
	} {
		if got := becameSilent(c.s); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestUDPCut sends to the same machine over all transports at once.
func TestUDPCut(t *testing.T) {
	refused := func(context.Context) error { return &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED} }
	for name, c := range map[string]struct {
		udp   bool // whether it responds over UDP
		pings bool
		dial  func(context.Context) error
		want  *bool
	}{
		"ping responds":                    {false, true, testnet.UntilDone, new(true)},
		"TCP is refused":                   {false, false, refused, new(true)},
		"UDP responds again":               {true, true, refused, new(false)},
		"no response":                      {false, false, testnet.UntilDone, nil},
		"only UDP responds":                {true, false, testnet.UntilDone, new(false)},
		"no route any more":                {false, false, func(context.Context) error { return errors.New("no route") }, nil},
		"ping responds and TCP is refused": {false, true, refused, new(true)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := testnet.STUNMachine(t, c.udp)
			env := probetest.Env(t)
			env.Net = dialling{env.Net, c.dial}
			p := path{Config{Asker: scriptedPath{answers: map[string]bool{at.Addr().String(): c.pings}}}}
			got := p.isUDPCut(t.Context(), env, at)
			if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("got %v, want %v", probetest.Value(got), probetest.Value(c.want))
			}
		})
	}
}

// dialling uses real sockets, and diallers defined by the test.
type dialling struct {
	transport.Net
	dial func(context.Context) error
}

func (d dialling) CreateDialer(*net.Dialer) transport.Dialer { return testnet.Dialer(d.dial) }

func TestSharedAddressOnThePath(t *testing.T) {
	for name, c := range map[string]struct {
		kind adapter.Kind
		hops []string
		want bool
	}{
		"behind the home router": {adapter.Ethernet, []string{gatewayIn, sharedIn, providerIn}, true},
		"without one":            {adapter.Cellular, []string{sharedIn, providerIn}, true},
		"behind a second router": {adapter.Ethernet, []string{gatewayIn, secondIn, sharedIn}, true},
		"at the far end only":    {adapter.Ethernet, []string{gatewayIn, providerIn, sharedIn}, false},
		"none":                   {adapter.Ethernet, []string{gatewayIn, "", providerIn}, false},
		"used by a tunnel":       {adapter.VPN, []string{sharedIn, providerIn}, false},
	} {
		f := surveyed{adapter: adapter.Adapter{Kind: c.kind}}
		for i, h := range c.hops {
			f.trace.hops[i], _ = netip.ParseAddr(h)
		}
		if got := f.isShared(); (got != nil) != c.want {
			t.Errorf("%s: got %v, want shared: %v", name, probetest.Value(got), c.want)
		}
	}
}
