package path

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestRefusalFromNearby: a firewall that refuses in the server's name is as close
// as the home router, while responses of the server itself take longer.
func TestRefusalFromNearby(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		gateway, refused, open time.Duration // 0: none
		rejected               bool
	}{
		"by the home router":                        {1 * ms, 1 * ms, 20 * ms, true},
		"by the server":                             {1 * ms, 20 * ms, 20 * ms, false},
		"by the server, and a slow answer":          {1 * ms, 20 * ms, 55 * ms, false},
		"by the server next door":                   {1 * ms, 1 * ms, 2 * ms, false},
		"a router without echo responses":           {0, 1 * ms, 20 * ms, false},
		"no response of the server to compare with": {1 * ms, 1 * ms, 0, false},
	} {
		tried := []*triedPort{{answer: portRefused, rtt: c.refused, needed: true}, {answer: portSilent}}
		if c.open > 0 {
			tried[1] = &triedPort{answer: portOpen, rtt: c.open}
		}
		attributeRejection(tried, c.gateway)
		got := tried[0]
		if (got.answer == portRejected) != c.rejected || c.rejected && (got.left == nil || *got.left) {
			t.Errorf("%s: got %s, left %v, want rejected %t", name, got.answer, testnet.Deref(got.left), c.rejected)
		}
	}
}

func TestWhoAnsweredForAPort(t *testing.T) {
	for name, c := range map[string]struct {
		port report.PathPort
		want bool
	}{
		"open":                         {report.PathPort{Answer: portOpen}, true},
		"refused":                      {report.PathPort{Answer: portRefused}, true},
		"rejected by the home network": {report.PathPort{Answer: portRejected, Left: new(false)}, false},
		"silent":                       {report.PathPort{Answer: portSilent}, false},
		"silent, did not leave":        {report.PathPort{Answer: portSilent, Left: new(false)}, false},
		"silent, and left":             {report.PathPort{Answer: portSilent, Left: new(true)}, true},
	} {
		if got := answeredBeyond([]report.PathPort{c.port}); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

// rateLimited is a path to a dead server. The provider's router sends at most one
// ICMP error per second, for any packet and to anyone, as Linux does. drops is a
// home firewall that drops connections, rejects is one that rejects them with the
// same rate limit.
type rateLimited struct {
	drops, rejects bool
	mu             *sync.Mutex
	last           *time.Time
}

func (m rateLimited) Ask(ctx context.Context, _ netip.Addr, ttl int) (echo.Reply, error) {
	if ttl < 2 {
		return echo.Reply{}, echo.ErrSilent
	}
	return m.icmpErrorFrom(ctx, providerIn, echo.Expired)
}

func (m rateLimited) Knock(ctx context.Context, _ string, _ netip.AddrPort, ttl int, _ []byte) (echo.Reply, error) {
	switch {
	case m.rejects:
		return m.icmpErrorFrom(ctx, gatewayIn, echo.Unreachable)
	case m.drops || ttl < 2:
		<-ctx.Done()
		return echo.Reply{}, echo.ErrSilent
	}
	return m.icmpErrorFrom(ctx, providerIn, echo.Expired)
}

func (m rateLimited) icmpErrorFrom(ctx context.Context, from string, kind echo.Kind) (echo.Reply, error) {
	m.mu.Lock()
	now := time.Now()
	free := now.Sub(*m.last) >= time.Second
	if free {
		*m.last = now
	}
	m.mu.Unlock()
	if free {
		return echo.Reply{From: netip.MustParseAddr(from), Kind: kind}, nil
	}
	<-ctx.Done()
	return echo.Reply{}, echo.ErrSilent
}

// TestRateLimitedRouters: which of two packets a router with a rate limit reports
// is random. Its silence about one of them does not mean a firewall.
func TestRateLimitedRouters(t *testing.T) {
	for name, c := range map[string]struct {
		asker rateLimited
		hops  int  // number of known routers behind the local one
		busy  bool // a concurrent stream also uses the rate limit of the router behind the local one
		want  *bool
	}{
		"the server is off":    {rateLimited{}, 1, false, new(true)},
		"concurrent packets":   {rateLimited{}, 1, true, new(true)},
		"the firewall drops":   {rateLimited{drops: true}, 1, false, new(false)},
		"the firewall rejects": {rateLimited{rejects: true}, 0, false, new(false)},
	} {
		// The phase of the rate limit when the first packet arrives.
		for phase := range time.Duration(20) {
			phase *= 50
			synctest.Test(t, func(t *testing.T) {
				m := c.asker
				m.mu, m.last = new(sync.Mutex), new(time.Now().Add(-phase*time.Millisecond))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.busy {
					for i := range expiredPace.Count {
						time.AfterFunc(time.Duration(i)*expiredPace.Every, func() { _, _ = m.Ask(ctx, netip.Addr{}, 2) })
					}
				}
				found := surveyed{adapter: adapter.Adapter{Gateway: netip.MustParseAddr(gatewayIn)}}
				if c.hops > 0 {
					found.trace.hops[1] = netip.MustParseAddr(providerIn)
				}
				tried := &triedPort{network: "tcp", at: netip.MustParseAddrPort(collectorIn + ":8443"), answer: portSilent}
				if m.rejects {
					tried.answer = portRejected
				}
				path{Config{Asker: m}}.detectWhetherLeft(t.Context(), probetest.Env(t), found, tried, nil)
				wrong := tried.left != nil && *tried.left != *c.want
				if wrong || tried.left == nil && !c.busy { // a rate-limited packet proves nothing
					t.Errorf("%s, %v into the second: got left %v, want %v", name, phase*time.Millisecond, testnet.Deref(tried.left), *c.want)
				}
			})
		}
	}
}
