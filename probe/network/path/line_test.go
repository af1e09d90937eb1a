package path

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	gatewayIn   = "192.168.178.1"
	secondIn    = "192.168.1.1"
	providerIn  = "203.0.113.1"
	sharedIn    = "100.64.0.1"
	collectorIn = "198.51.100.10"
)

// scriptedPath is a path to a server whose machines respond as a test defines: the hops
// by their number, and the gateway and the server when addressed directly.
type scriptedPath struct {
	hops    []string // "" does not respond
	answers map[string]bool
}

func (v scriptedPath) Ask(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error) {
	silent := func() (echo.Reply, error) { <-ctx.Done(); return echo.Reply{}, echo.ErrSilent }
	if ttl > 0 && ttl <= len(v.hops) {
		if v.hops[ttl-1] == "" {
			return silent()
		}
		return echo.Reply{From: netip.MustParseAddr(v.hops[ttl-1]), Kind: echo.Expired, RTT: time.Millisecond, ICMPError: true}, nil
	}
	if !v.answers[to.String()] {
		return silent()
	}
	return echo.Reply{From: to, Kind: echo.Reached, RTT: time.Millisecond}, nil
}

func runPath(t *testing.T, env probe.Env, asker echo.Asker, c Config) (*report.NetworkPath, probe.Result) {
	t.Helper()
	c.Asker = asker
	if c.Toward == nil {
		c.Toward = func(context.Context, netip.Addr) (adapter.Adapter, error) {
			return adapter.Adapter{Kind: adapter.Ethernet, MTU: 1500, Gateway: netip.MustParseAddr(gatewayIn), GatewayKnown: true}, nil
		}
	}
	r, err := New(c).Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := r.Data.(*report.NetworkPath)
	return d, r
}

var noICE = func(context.Context) (wire.ICEConfig, error) { return wire.ICEConfig{}, errors.New("no answer") }

// noUDP returns a network without connections that cannot send over UDP.
func noUDP(t *testing.T) probe.Env {
	env := testnet.Blackhole(t)
	env.Net = testnet.Broken{Net: env.Net, OnDial: testnet.UntilDone, RouteErr: errors.New("no sockets in this test")}
	return env
}

// TestPathJudgesTheLine: only a line behind a router that responds can be dead; for
// other cases it depends on who is silent and why.
func TestPathJudgesTheLine(t *testing.T) {
	const url = "https://" + collectorIn
	gateway := map[string]bool{gatewayIn: true}
	for name, c := range map[string]struct {
		scriptedPath
		url  string
		want string
	}{
		"nothing behind the router":           {scriptedPath{hops: []string{gatewayIn, "", "", "", "", "", "", ""}, answers: gateway}, url, lineSilent},
		"the provider responds":               {scriptedPath{hops: []string{gatewayIn, providerIn, "", "", "", "", "", ""}, answers: gateway}, url, lineReached},
		"the provider's NAT responds":         {scriptedPath{hops: []string{gatewayIn, sharedIn, "", "", "", "", "", ""}, answers: gateway}, url, lineReached},
		"only a second local router":          {scriptedPath{hops: []string{gatewayIn, secondIn, "", "", "", "", "", ""}, answers: gateway}, url, cannotTell},
		"all routers silent, server responds": {scriptedPath{hops: make([]string, 8), answers: map[string]bool{collectorIn: true}}, url, lineReached},
		"all silent, the home router too":     {scriptedPath{hops: make([]string, 8)}, url, lineRouterSilent},
		"the same, name not found":            {scriptedPath{hops: make([]string, 8)}, "https://bbb.nowhere.example", lineRouterSilent},
		"name not found, line works":          {scriptedPath{hops: []string{gatewayIn, providerIn, "", "", "", "", "", ""}, answers: gateway}, "https://bbb.nowhere.example", lineReached},
		"name not found, line dead":           {scriptedPath{hops: []string{gatewayIn, "", "", "", "", "", "", ""}, answers: gateway}, "https://bbb.nowhere.example", lineSilent},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, r := runPath(t, noUDP(t), c.scriptedPath, Config{Collector: c.url, ICE: noICE, Resolver: testnet.Names{}})
			if d.Line != c.want || d.FaultSegment != "" && d.FaultSegment != noFault {
				t.Errorf("%s: got line %q, want %q, fault %q", name, d.Line, c.want, d.FaultSegment)
			}
			if (r.Status == report.StatusUnknown) != (r.Note != "") {
				t.Errorf("%s: got status %s, note %q, want a note if and only if it is %s", name, r.Status, r.Note, report.StatusUnknown)
			}
		})
	}
}

// TestLossyNetworkIsNotDead: with 50 % loss on the path to the router, silence behind
// it proves nothing.
func TestLossyNetworkIsNotDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := scriptedPath{hops: []string{gatewayIn, "", "", "", "", "", "", ""}, answers: map[string]bool{gatewayIn: true}}
		var n atomic.Int64 // the points are measured concurrently
		asker := testnet.AskFunc(func(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error) {
			if n.Add(1)%2 == 0 && ttl == 0 {
				<-ctx.Done()
				return echo.Reply{}, echo.ErrSilent
			}
			return v.Ask(ctx, to, ttl)
		})
		if d, _ := runPath(t, noUDP(t), asker, Config{Collector: "https://" + collectorIn, ICE: noICE}); d.Line != cannotTell {
			t.Errorf("got line %q, want %q", d.Line, cannotTell)
		}
	})
}

func TestPathWithoutPermissionIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := runPath(t, noUDP(t), testnet.Refuse(fmt.Errorf("open: %w", echo.ErrNotPermitted)), Config{Collector: "https://" + collectorIn, ICE: noICE})
		if d.Line != cannotTell || d.FaultSegment != cannotTell || d.MTUBlackhole != nil || r.Status != report.StatusUnknown {
			t.Errorf("got %+v, status %s; want Line %v, FaultSegment %v, no MTUBlackhole, %s", d, r.Status, cannotTell, cannotTell, report.StatusUnknown)
		}
	})
}

func TestPathInATunnelHasNoFaultSegment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := scriptedPath{hops: []string{providerIn, "", "", "", "", "", "", ""}, answers: map[string]bool{collectorIn: true, "10.8.0.1": true}}
		d, _ := runPath(t, noUDP(t), v, Config{
			Collector: "https://" + collectorIn, ICE: noICE,
			Toward: func(context.Context, netip.Addr) (adapter.Adapter, error) {
				return adapter.Adapter{Kind: adapter.VPN, MTU: 1420, Gateway: netip.MustParseAddr("10.8.0.1"), GatewayKnown: true}, nil
			},
		})
		if len(d.Segments) != 1 || d.Segments[0].Name != segmentTransit || d.FaultSegment != noFault {
			t.Errorf("got %+v, want only the segment %s and no fault", d, segmentTransit)
		}
	})
}

// TestPathWhoseInterfaceDisappears: a computer whose own interface disappears and does
// not return has been disconnected; one whose interface returns lost packets in its own
// network.
func TestPathWhoseInterfaceDisappears(t *testing.T) {
	for _, back := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			v := scriptedPath{hops: []string{gatewayIn, providerIn, "", "", "", "", "", ""}, answers: map[string]bool{gatewayIn: true, providerIn: true, collectorIn: true}}
			gone := func() bool {
				past := time.Since(start)
				return past > 3*time.Second && (!back || past < 4500*time.Millisecond)
			}
			env := noUDP(t)
			env.Net = away{env.Net, gone}
			asker := testnet.AskFunc(func(ctx context.Context, to netip.Addr, ttl int) (echo.Reply, error) {
				if gone() {
					return echo.Reply{}, fmt.Errorf("send: %w", syscall.ENETUNREACH)
				}
				return v.Ask(ctx, to, ttl)
			})
			d, _ := runPath(t, env, asker, Config{Collector: "https://" + collectorIn, ICE: noICE})
			line, fault := lineCut, cannotTell
			if back {
				line, fault = lineReached, segmentLAN
			}
			if d.Line != line || d.FaultSegment != fault {
				t.Errorf("back %t: got line %q, fault %q; want %q, %q", back, d.Line, d.FaultSegment, line, fault)
			}
			if took := time.Since(start); took > 11*time.Second {
				t.Errorf("took %v, want at most 11s", took)
			}
		})
	}
}

// TestInterfaceThatWasDown: the computer's own interface is the cause only if nothing
// could be sent because there was no route.
func TestInterfaceThatWasDown(t *testing.T) {
	unsent := func(n int, err error) *periodic.Stream { return &periodic.Stream{Sent: 100 - n, Unsent: n, Err: err} }
	noRoute := syscall.ENETUNREACH
	for name, c := range map[string]struct {
		kind                 adapter.Kind
		lan, access, transit *periodic.Stream
		want                 bool
	}{
		"interface down":              {adapter.WiFi, unsent(25, noRoute), unsent(24, noRoute), unsent(25, noRoute), true},
		"no route to the server only": {adapter.WiFi, unsent(0, nil), unsent(0, nil), unsent(25, noRoute), false},
		"for a moment":                {adapter.WiFi, unsent(4, noRoute), unsent(5, noRoute), unsent(5, noRoute), false},
		"a clock that jumped":         {adapter.WiFi, unsent(25, periodic.ErrClockJumped), unsent(25, periodic.ErrClockJumped), unsent(25, periodic.ErrClockJumped), false},
		"a tunnel":                    {adapter.VPN, unsent(25, noRoute), unsent(25, noRoute), unsent(25, noRoute), false},
		"the router cannot be asked":  {adapter.WiFi, nil, unsent(25, noRoute), unsent(25, noRoute), false},
		"no packets sent":             {adapter.WiFi, nil, nil, nil, false},
	} {
		streams := map[string]*periodic.Stream{}
		for at, s := range map[string]*periodic.Stream{segmentLAN: c.lan, segmentAccess: c.access, segmentTransit: c.transit} {
			if s != nil {
				streams[at] = s
			}
		}
		if got := (surveyed{adapter: adapter.Adapter{Kind: c.kind}}).wasAway(streams); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

// away is a network whose only interface disappears.
type away struct {
	transport.Net
	gone func() bool
}

func (a away) Interfaces() ([]*transport.Interface, error) {
	if a.gone() {
		return []*transport.Interface{testnet.InterfaceWith("lo", 0x5, "127.0.0.1")}, nil
	}
	return []*transport.Interface{testnet.InterfaceWith("eth0", 0x3, "192.168.178.20")}, nil
}

func TestPathToThisComputerIsNotNeeded(t *testing.T) {
	env := probetest.Env(t)
	env.Net = testnet.Broken{Net: env.Net, OnDial: testnet.UntilDone, Listed: []*transport.Interface{testnet.InterfaceWith("eth0", 0x3, "192.0.2.77")}}
	for _, url := range []string{"https://127.0.0.1:8443", "https://[::1]", "https://192.0.2.77"} {
		_, r := runPath(t, env, testnet.Refuse(errors.New("asked")), Config{Collector: url, ICE: noICE})
		if r.Status != report.StatusSkipped || !strings.Contains(r.Note, "not needed") || r.Data != nil {
			t.Errorf("%s: got %+v; want Status %v, Note to contain %q, no Data", url, r, report.StatusSkipped, "not needed")
		}
	}
}

// oneNameServer answers every query in the same way.
type oneNameServer struct {
	at     string
	answer lookup.Answer
}

func (s oneNameServer) Servers() []netip.AddrPort {
	return []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(s.at), 53)}
}

func (oneNameServer) Search() []string { return nil }

func (s oneNameServer) Ask(context.Context, netip.AddrPort, string, dnsmessage.Type) (lookup.Answer, error) {
	return s.answer, nil
}

// TestPathAsksNameServers: a name server that resolves a new name shows that the line may
// work although a firewall drops everything else. A router without a line does not resolve
// one, or returns its own address.
func TestPathAsksNameServers(t *testing.T) {
	const internal, outside = "10.1.0.53", "203.0.113.53"
	absent, failed := lookup.Answer{Code: dnsmessage.RCodeNameError}, lookup.Answer{Code: dnsmessage.RCodeServerFailure}
	own := lookup.Answer{Addrs: []netip.Addr{netip.MustParseAddr(gatewayIn)}}
	dead := scriptedPath{hops: []string{gatewayIn, "", "", "", "", "", "", ""}, answers: map[string]bool{gatewayIn: true}}
	for name, c := range map[string]struct {
		oneNameServer
		want string
	}{
		"an internal one resolves":           {oneNameServer{internal, absent}, cannotTell},
		"an internal one, no address":        {oneNameServer{internal, lookup.Answer{}}, cannotTell},
		"the router resolves":                {oneNameServer{gatewayIn, absent}, cannotTell},
		"one outside resolves":               {oneNameServer{outside, absent}, lineReached},
		"an internal one is responsible":     {oneNameServer{internal, lookup.Answer{Code: dnsmessage.RCodeNameError, Authoritative: true}}, lineSilent},
		"the router fails":                   {oneNameServer{gatewayIn, failed}, lineSilent},
		"the router returns its own address": {oneNameServer{gatewayIn, own}, lineSilent},
		"a server of this computer":          {oneNameServer{"127.0.0.53", absent}, lineSilent},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, _ := runPath(t, noUDP(t), dead, Config{
				Collector: "https://collector.example", ICE: noICE, NameServers: c.oneNameServer,
				Resolver: testnet.Names{"collector.example": {collectorIn}},
			})
			if d.Line != c.want {
				t.Errorf("%s: got line %q, want %q", name, d.Line, c.want)
			}
		})
	}
}
