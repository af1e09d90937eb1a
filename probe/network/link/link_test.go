package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// replies returns an Asker that responds after rtt, except to each n-th packet,
// which is lost.
func replies(rtt time.Duration, n int, r echo.Reply) testnet.AskFunc {
	var count atomic.Int64
	return func(ctx context.Context, _ netip.Addr, _ int) (echo.Reply, error) {
		if n > 0 && count.Add(1)%int64(n) == 0 {
			<-ctx.Done()
			return echo.Reply{}, echo.ErrSilent
		}
		r.RTT = rtt
		return r, probe.SystemClock{}.Sleep(ctx, rtt)
	}
}

func wifi() adapter.Adapter {
	return adapter.Adapter{
		Kind: adapter.WiFi, SignalDBM: new(-61.0), RateMbps: new(144.4), MTU: 1500,
		Gateway: netip.MustParseAddr("192.168.178.1"), GatewayKnown: true,
	}
}

func runLink(t *testing.T, a adapter.Adapter, asker echo.Asker) (*report.NetworkLink, probe.Result) {
	t.Helper()
	return runLinkIn(t, testnet.Blackhole(t), a, asker)
}

func runLinkIn(t *testing.T, env probe.Env, a adapter.Adapter, asker echo.Asker) (*report.NetworkLink, probe.Result) {
	t.Helper()
	p := New(Config{
		URL: "https://192.0.2.7", Asker: asker,
		Toward:   func(context.Context, netip.Addr) (adapter.Adapter, error) { return a, nil },
		Families: func() (bool, bool) { return true, false },
	})
	r, err := p.Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	return r.Data.(*report.NetworkLink), r
}

// TestLinkConnectsToASilentRouter: a router that does not respond to echo requests
// still refuses connections.
func TestLinkConnectsToASilentRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := probetest.Env(t)
		env.Net = testnet.Broken{Net: env.Net, OnDial: func(ctx context.Context) error {
			_ = probe.SystemClock{}.Sleep(ctx, 2*time.Millisecond)
			return syscall.ECONNREFUSED
		}}
		d, r := runLinkIn(t, env, wifi(), replies(0, 1, echo.Reply{}))
		if d.GatewayState != "answered" || testnet.Deref(d.GatewayRTTMS) != 2 || testnet.Deref(d.GatewayLossPct) != 0 || r.Status != report.StatusOK {
			t.Errorf("got %+v, status %s; want GatewayState %q, GatewayRTTMS 2, GatewayLossPct 0, %s", d, r.Status, "answered", report.StatusOK)
		}
	})
}

// TestLinkWhoseInterfaceDisappears: packets that could not be sent because the
// interface disappeared do not count as lost at the router.
func TestLinkWhoseInterfaceDisappears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		asker := testnet.AskFunc(func(context.Context, netip.Addr, int) (echo.Reply, error) {
			if time.Since(start) > 2*time.Second {
				return echo.Reply{}, fmt.Errorf("send an echo: %w", syscall.ENETUNREACH)
			}
			return echo.Reply{Kind: echo.Reached, RTT: time.Millisecond}, nil
		})
		d, _ := runLink(t, wifi(), asker)
		if d.GatewayState != "answered" || d.GatewayLossPct != nil {
			t.Errorf("got state %q, loss %v; want %q, nil", d.GatewayState, probetest.Value(d.GatewayLossPct), "answered")
		}
	})
}

func TestLinkMeasuresTheRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := runLink(t, wifi(), replies(3*time.Millisecond, 5, echo.Reply{Kind: echo.Reached}))
		if d.Kind != "wifi" || *d.SignalDBM != -61 || *d.MTU != 1500 || *d.VPN || !*d.IPv4 || *d.IPv6 || d.IPv6Reached != nil {
			t.Errorf("got %+v, want Wi-Fi with -61 dBm, IPv4 only and no VPN", d)
		}
		if d.GatewayState != "answered" || *d.GatewaySent != gatewayPace.Count || *d.GatewayLossPct != 20 || *d.GatewayRTTMS != 3 || *d.GatewayRTTP95MS != 3 {
			t.Errorf("got gateway %s, sent %d, loss %v, RTT %v, p95 %v; want answered, %d, 20, 3, 3", d.GatewayState, *d.GatewaySent, *d.GatewayLossPct, *d.GatewayRTTMS, *d.GatewayRTTP95MS, gatewayPace.Count)
		}
		if r.Status != report.StatusOK {
			t.Errorf("got status %s, want %s", r.Status, report.StatusOK)
		}
	})
}

func TestSilenceIsNotLoss(t *testing.T) {
	for name, c := range map[string]struct {
		adapter adapter.Adapter
		asker   testnet.AskFunc
		state   string
		status  report.Status
	}{
		"silent":           {wifi(), replies(0, 1, echo.Reply{}), "silent", report.StatusUnknown},
		"macOS forbids it": {wifi(), testnet.Refuse(fmt.Errorf("send: %w", echo.ErrNotPermitted)), "not_permitted", report.StatusUnknown},
		"broken":           {wifi(), testnet.Refuse(errors.New("network is down")), "failed", report.StatusUnknown},
		"few ICMP errors":  {wifi(), replies(time.Millisecond, 2, echo.Reply{Kind: echo.Expired, ICMPError: true}), "answered", report.StatusOK},
		"tunnel":           {adapter.Adapter{Kind: adapter.VPN, GatewayKnown: true}, testnet.Refuse(nil), "none", report.StatusOK},
		"no table":         {adapter.Adapter{}, testnet.Refuse(nil), "", report.StatusUnknown},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, r := runLink(t, c.adapter, c.asker)
			if d.GatewayState != c.state || r.Status != c.status || d.GatewayLossPct != nil || (r.Status == report.StatusUnknown) != (r.Note != "") {
				t.Errorf("%s: got state %q, status %s, note %q, loss %v; want %q, %s and no loss", name, d.GatewayState, r.Status, r.Note, testnet.Deref(d.GatewayLossPct), c.state, c.status)
			}
		})
	}
}

// TestLinkUsesTheFamilyWithARoute: if one family is unreachable, programs use the
// other one (RFC 8305).
func TestLinkUsesTheFamilyWithARoute(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
	four, six := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8:5::7")
	for name, c := range map[string]struct {
		answers    []string // addresses of the name, in this order
		ipv4, ipv6 bool     // the families with a route
		local      string   // local address used
		families   bool     // whether the other family has a route
		lacks      adapter.Uplink
		uplink     string
		state      string
	}{
		"IPv6 unreachable":      {[]string{six.String(), four.String()}, true, false, "192.168.178.20", true, "", "", "answered"},
		"IPv4 unreachable":      {[]string{four.String(), six.String()}, false, true, "2001:db8:20::20", true, "", "", "answered"},
		"the name has no IPv4":  {[]string{six.String()}, true, false, "192.168.178.20", true, adapter.NoRoute, "", ""},
		"neither":               {[]string{six.String(), four.String()}, false, false, "", false, adapter.NoRoute, "no_route", ""},
		"no name, no route":     {nil, false, false, "", false, adapter.NoLink, "no_link", ""},
		"no name, IPv6 alone":   {nil, false, true, "2001:db8:20::20", true, "", "", "answered"},
		"an address of its own": {[]string{four.String()}, true, false, "169.254.7.9", false, adapter.SelfAssigned, "self_assigned", ""},
		"the first address after the self-assigned range": {[]string{four.String()}, true, false, "169.255.0.1", true, "", "", "answered"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := New(Config{
				URL: "https://bbb.example", Resolver: testnet.Names{"bbb.example": c.answers},
				Asker: replies(time.Millisecond, 0, echo.Reply{Kind: echo.Reached}),
				Toward: func(_ context.Context, to netip.Addr) (adapter.Adapter, error) {
					if to.Is4() && !c.ipv4 || to.Is6() && !c.ipv6 {
						return adapter.Adapter{}, unreachable
					}
					a := wifi()
					a.Local = netip.MustParseAddr(c.local)
					return a, nil
				},
				Families:   func() (bool, bool) { return c.families && c.ipv4, c.families && c.ipv6 },
				WhyNoRoute: func() adapter.Uplink { return c.lacks },
			})
			r, err := p.Run(t.Context(), testnet.Blackhole(t))
			if err != nil {
				t.Fatal(err)
			}
			d := r.Data.(*report.NetworkLink)
			if d.Uplink != c.uplink || d.GatewayState != c.state || d.IPv6Reached != nil || (c.state == "") != (r.Status == report.StatusUnknown) {
				t.Errorf("%s: got %+v, %+v; want uplink %q, state %q", name, d, r, c.uplink, c.state)
			}
		})
	}
}

// TestIPv6MattersOnlyIfItDelays: a program does not wait if the system or a router
// rejects IPv6 at once.
func TestIPv6MattersOnlyIfItDelays(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}
	for name, c := range map[string]struct {
		after time.Duration // delay until the attempt over IPv6 fails
		six   error         // its error; nil: it succeeds
		four  error
		want  *bool
	}{
		"rejected at once":               {0, unreachable, nil, nil},
		"rejected within the head start": {249 * time.Millisecond, unreachable, nil, nil},
		"rejected after the head start":  {250 * time.Millisecond, unreachable, nil, new(false)},
		"silence":                        {time.Hour, unreachable, nil, new(false)},
		"silence of the server":          {time.Hour, unreachable, unreachable, nil},
		"refused":                        {0, syscall.ECONNREFUSED, nil, new(true)},
		"slow, but it succeeds":          {time.Second, nil, nil, new(true)},
	} {
		synctest.Test(t, func(t *testing.T) {
			env := probetest.Env(t)
			env.Net = byFamily{env.Net, func(ctx context.Context, six bool) error {
				if !six {
					return c.four
				}
				if err := (probe.SystemClock{}).Sleep(ctx, c.after); err != nil {
					return err
				}
				return c.six
			}}
			addrs := []netip.Addr{netip.MustParseAddr("2001:db8:5::7"), netip.MustParseAddr("198.51.100.7")}
			got := compareFamilies(t.Context(), env, addrs, "443", true)
			if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
				t.Errorf("%s: got %v, want %v", name, probetest.Value(got), probetest.Value(c.want))
			}
		})
	}
}

// byFamily connects as the test defines for each family.
type byFamily struct {
	transport.Net
	dial func(ctx context.Context, six bool) error
}

func (n byFamily) CreateDialer(*net.Dialer) transport.Dialer { return familyDialer(n) }

type familyDialer byFamily

func (d familyDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d familyDialer) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if err := d.dial(ctx, strings.HasPrefix(address, "[")); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	_ = far.Close()
	return near, nil
}

// TestLinkWithoutTheOtherEnd: address and route remain after the cable was pulled.
func TestLinkWithoutTheOtherEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := wifi()
		a.Unplugged = true
		if d, _ := runLink(t, a, replies(0, 1, echo.Reply{})); d.Uplink != "no_link" {
			t.Errorf("got %+v, want uplink no_link", d)
		}
	})
}

// TestLinkWithAbsentRouter: the router does not respond to ARP.
func TestLinkWithAbsentRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for absent, want := range map[bool]string{true: "unreachable", false: "silent"} {
			p := New(Config{
				URL: "https://192.0.2.7", Asker: replies(0, 1, echo.Reply{}),
				Toward:   func(context.Context, netip.Addr) (adapter.Adapter, error) { return wifi(), nil },
				Families: func() (bool, bool) { return true, false },
				IsAbsent: func(netip.Addr) bool { return absent },
			})
			r, err := p.Run(t.Context(), testnet.Blackhole(t))
			if err != nil || r.Data.(*report.NetworkLink).GatewayState != want {
				t.Errorf("absent %t: got %+v, error %v, want state %q", absent, r.Data, err, want)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d, r := runLink(t, wifi(), testnet.Refuse(fmt.Errorf("receive an echo: %w", syscall.EHOSTUNREACH)))
		if d.GatewayState != "unreachable" || r.Status != report.StatusUnknown || r.Note == "" {
			t.Errorf("got %+v, %+v; want state unreachable, status unknown with a note", d, r)
		}
	})
}

func TestLinkStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		p := New(Config{
			URL: "https://192.0.2.7", Asker: replies(time.Millisecond, 0, echo.Reply{Kind: echo.Reached}),
			Toward:   func(context.Context, netip.Addr) (adapter.Adapter, error) { return wifi(), nil },
			Families: func() (bool, bool) { return true, true },
		})
		start := time.Now()
		r, err := p.Run(ctx, testnet.Blackhole(t))
		if took := time.Since(start); err != nil || took > time.Second {
			t.Fatalf("took %v, error %v", took, err)
		}
		if d := r.Data.(*report.NetworkLink); d.GatewayLossPct == nil || *d.GatewayLossPct != 0 || *d.GatewaySent > 6 {
			t.Errorf("got %+v, want no loss and at most 6 packets", d)
		}
	})
}

func TestLinkToThisComputer(t *testing.T) {
	r, err := New(Config{URL: "https://127.0.0.1:8443"}).Run(t.Context(), probetest.Env(t))
	if err != nil || r.Status != report.StatusSkipped || r.Data != nil || !strings.Contains(r.Note, "this computer") {
		t.Errorf("got %+v, error %v; want status skipped without data", r, err)
	}
}

// siteAsker answers from one address at one distance.
type siteAsker struct {
	hops int // 0: the addressed machine itself
	from string
}

func (a siteAsker) Ask(ctx context.Context, _ netip.Addr, hops int) (echo.Reply, error) {
	if a.from == "" || hops != a.hops {
		<-ctx.Done()
		return echo.Reply{}, echo.ErrSilent
	}
	kind := echo.Expired
	if hops == 0 {
		kind = echo.Reached
	}
	return echo.Reply{From: netip.MustParseAddr(a.from), Kind: kind}, nil
}

// TestServerDropsIPv6: an answer from the server's site shows that the line carries IPv6;
// one of this site or of the provider does not.
func TestServerDropsIPv6(t *testing.T) {
	for name, c := range map[string]struct {
		siteAsker
		local string
		want  bool
	}{
		"the server itself":         {siteAsker{0, "2001:db8:5::7"}, "2001:db8:20::2", true},
		"a router of its site":      {siteAsker{9, "2001:db8:5:ff::1"}, "2001:db8:20::2", true},
		"the provider's router":     {siteAsker{2, "2001:db8:1::1"}, "2001:db8:20::2", false},
		"the next router":           {siteAsker{1, "2001:db8:20::1"}, "2001:db8:20::2", false},
		"nobody":                    {siteAsker{}, "2001:db8:20::2", false},
		"this computer's own site":  {siteAsker{1, "2001:db8:5::1"}, "2001:db8:5:1::2", false},
		"towards it over IPv4 only": {siteAsker{0, "2001:db8:5::7"}, "192.168.178.20", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := link{Config{Asker: c.siteAsker}}
			if got := p.siteAnswers(t.Context(), netip.MustParseAddr("2001:db8:5::7"), netip.MustParseAddr(c.local)); got != c.want {
				t.Errorf("%s: got %t, want %t", name, got, c.want)
			}
		})
	}
}
