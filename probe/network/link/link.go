// Package link measures the link of this computer: its kind, its radio signal, and the round trip and
// the loss to the next router.
package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Requests to the next router: enough to distinguish a bad Wi-Fi (5 % and more) from a good one
// with less than 10 kbit/s. The wait is shorter than the second after which a SYN is retransmitted
// (RFC 6298 §2.1).
var (
	gatewayPace  = periodic.Pace{Count: 40, Every: 75 * time.Millisecond, Wait: 800 * time.Millisecond}
	gatewayTrial = periodic.Pace{Count: 2, Every: 50 * time.Millisecond, Wait: 300 * time.Millisecond}
)

// Config configures network.link.
type Config struct {
	// URL is the server's address; without one the default route is described.
	URL string
	// Resolver resolves names; nil means the system's.
	Resolver lookup.Resolver
	// Asker sends the requests; nil means the system's.
	Asker echo.Asker
	// Toward finds the interface; nil asks the system.
	Toward func(context.Context, netip.Addr) (adapter.Adapter, error)
	// Radio adds radio information that only slow system programs provide; nil asks the system.
	Radio func(context.Context, adapter.Adapter) adapter.Adapter
	// Families reports whether IPv4 and IPv6 have routes; nil asks the system.
	Families func() (ipv4, ipv6 bool)
	// IsAbsent reports whether a neighbour does not answer ARP; nil asks the system.
	IsAbsent func(netip.Addr) bool
	// WhyNoRoute returns why a computer has no route; nil asks the system.
	WhyNoRoute func() adapter.Uplink
}

// New returns the probe "network.link". Its data is a *report.NetworkLink.
func New(c Config) probe.Probe {
	if c.Resolver == nil {
		c.Resolver = lookup.System()
	}
	if c.Asker == nil {
		c.Asker = echo.System()
	}
	if c.Toward == nil {
		c.Toward = adapter.Toward
	}
	if c.Radio == nil {
		c.Radio = adapter.Radio
	}
	if c.Families == nil {
		c.Families = adapter.Families
	}
	if c.IsAbsent == nil {
		c.IsAbsent = adapter.IsAbsent
	}
	if c.WhyNoRoute == nil {
		c.WhyNoRoute = adapter.WhyNoRoute
	}
	return link{c}
}

type link struct{ Config }

func (link) Name() string { return report.ProbeNetworkLink }
func (link) Version() int { return 1 }

// Run describes the link and measures the round trip to the next router.
func (p link) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	addrs := lookup.AddressesOf(ctx, p.Resolver, p.URL)
	to := addrs
	if len(to) == 0 {
		to = []netip.Addr{adapter.Anywhere(), adapter.Anywhere6()}
	}
	if adapter.OwnAddresses(env.Net)(to[0]) {
		return probe.Result{Status: report.StatusSkipped, Note: "not needed: the server is on this computer"}, nil
	}
	data := &report.NetworkLink{}
	ipv4, ipv6 := p.Families()
	data.IPv4, data.IPv6 = &ipv4, &ipv6
	a, ok := towardAny(ctx, env, p.Toward, to)
	switch {
	case !ok && !ipv4 && !ipv6:
		data.Uplink = string(p.WhyNoRoute())
	case a.Unplugged:
		data.Uplink = string(adapter.NoLink)
	}
	if !ok {
		return probe.Result{Status: report.StatusUnknown, Note: "this computer has no route to the server", Data: data}, nil
	}
	var wg guard.Group
	wg.Go(func() {
		data.IPv6Reached = compareFamilies(ctx, env, addrs, origin.PortOf(p.URL), ipv6)
		if data.IPv6Reached != nil && !*data.IPv6Reached && p.siteAnswers(ctx, addrs[indexOf6(addrs)], a.Local) {
			data.IPv6Beyond = new(true)
		}
	})
	wg.Go(func() { describeLink(p.Radio(ctx, a), data) })
	p.askGateway(ctx, env, a, data)
	wg.Wait()
	return judgeLink(data), nil
}

// towardAny returns the interface for the first address that has a route: if one family is unreachable,
// programs use the other (RFC 8305). A link-local source address reaches only link-local destinations,
// whatever the routes are (RFC 3927 §2.6.2).
func towardAny(ctx context.Context, env probe.Env, toward func(context.Context, netip.Addr) (adapter.Adapter, error), to []netip.Addr) (adapter.Adapter, bool) {
	for _, addr := range to {
		a, err := toward(ctx, addr)
		if err != nil {
			env.Log.Info("no route to an address", "err", report.ErrorText(err))
			continue
		}
		if !a.Local.IsLinkLocalUnicast() || addr.IsLinkLocalUnicast() {
			return a, true
		}
	}
	return adapter.Adapter{}, false
}

func describeLink(a adapter.Adapter, data *report.NetworkLink) {
	data.Kind, data.VPN = string(a.Kind), new(a.Kind == adapter.VPN)
	data.SignalDBM, data.RateMbps = a.SignalDBM, a.RateMbps
	if a.MTU > 0 {
		data.MTU = &a.MTU
	}
}

// askGateway measures the next router. If it does not answer echo requests, connections that it refuses
// are used.
func (p link) askGateway(ctx context.Context, env probe.Env, a adapter.Adapter, data *report.NetworkLink) {
	switch {
	case !a.GatewayKnown:
		return
	case !a.Gateway.IsValid():
		data.GatewayState = "none"
		return
	}
	ask := func(ctx context.Context) (echo.Reply, error) { return p.Asker.Ask(ctx, a.Gateway, 0) }
	refusal := func(ctx context.Context) (echo.Reply, error) { return echo.TCP(ctx, env, a.Gateway, echo.ClosedPort) }
	var trial, refused *periodic.Stream
	var wg guard.Group
	wg.Go(func() { trial = periodic.Run(ctx, env, gatewayTrial, ask) })
	wg.Go(func() { refused = periodic.Run(ctx, env, gatewayTrial, refusal) })
	wg.Wait()
	if (trial.Answered() == 0 || trial.ICMPErrors) && refused.Answered() > 0 {
		ask = refusal
	}
	recordGateway(periodic.Run(ctx, env, gatewayPace, ask), data)
	if data.GatewayState == "silent" && p.IsAbsent(a.Gateway) {
		data.GatewayState = "unreachable"
	}
}

func recordGateway(s *periodic.Stream, data *report.NetworkLink) {
	switch {
	case s.Answered() > 0:
		data.GatewayState = "answered"
		data.GatewaySent = new(s.Sent)
		data.GatewayRTTMS = report.Milliseconds(periodic.Median(s.RTTs))
		data.GatewayRTTP95MS = report.Milliseconds(periodic.NearestRank(s.RTTs, 95))
		data.GatewayRTTMaxMS = report.Milliseconds(slices.Max(s.RTTs))
		if s.SentNearlyAll() && (!s.ICMPErrors || s.Lost() == 0) {
			data.GatewayLossPct, data.GatewayLossRunPackets = new(s.LossPct()), s.LossRunPackets()
		}
	case errors.Is(s.Err, echo.ErrNotPermitted):
		data.GatewayState = "not_permitted"
	case probe.IsUnreachable(s.Err):
		data.GatewayState = "unreachable"
	case s.Err != nil:
		data.GatewayState = "failed"
	case s.Sent > 0:
		data.GatewayState = "silent"
	}
}

func judgeLink(d *report.NetworkLink) probe.Result {
	notes := map[string]string{
		"":              "the system does not report the next router",
		"silent":        "the next router does not answer, as many are configured",
		"not_permitted": "the system does not permit this program to query the next router",
		"failed":        "the next router could not be queried",
		"unreachable":   "the next router is not on the network",
	}
	if note, unknown := notes[d.GatewayState]; unknown {
		return probe.Result{Status: report.StatusUnknown, Note: note, Data: d}
	}
	return probe.Result{Status: report.StatusOK, Data: d}
}

// familyTime limits the connections to the server over IPv4 and IPv6.
const familyTime = 3 * time.Second

// compareFamilies reports whether the server is reached over IPv6, if it has an IPv6 address and is
// reached over IPv4; nil if that cannot be compared.
func compareFamilies(ctx context.Context, env probe.Env, addrs []netip.Addr, port string, ipv6 bool) *bool {
	six := indexOf6(addrs)
	four := slices.IndexFunc(addrs, netip.Addr.Is4)
	if !ipv6 || six < 0 || four < 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, familyTime)
	defer cancel()
	over4 := make(chan bool, 1)
	go func() { over4 <- answers(ctx, env, addrs[four], port) }()
	start := env.Clock.Now()
	over6 := answers(ctx, env, addrs[six], port)
	hung := env.Clock.Now().Sub(start) >= lookup.HeadStart
	switch {
	case over6:
		return new(true)
	case !<-over4, !hung:
		// The server does not answer at all, or the system or a router rejected IPv6 at once: programs
		// continue with IPv4 without delay (RFC 8305 §5).
		return nil
	}
	return new(false)
}

// indexOf6 returns the index of the first public IPv6 address; -1 if there is none.
func indexOf6(addrs []netip.Addr) int {
	return slices.IndexFunc(addrs, func(a netip.Addr) bool { return a.Is6() && a.IsGlobalUnicast() && !a.IsPrivate() })
}

// The packets of siteAnswers: siteTries to the server, and to each of the next siteHops-1 routers.
const (
	siteTime    = 700 * time.Millisecond
	siteHops    = 16
	siteTries   = 2
	sitePrefix6 = 48 // of a site (RFC 6177)
)

// siteAnswers reports whether the machine at an address or a router of its site answers. An answer of
// the provider's router would not be sufficient: IPv6 may end behind it. local is this computer's own
// address, whose site proves nothing.
func (p link) siteAnswers(ctx context.Context, server, local netip.Addr) bool {
	site, err := server.Prefix(sitePrefix6)
	if err != nil || site.Contains(local.WithZone("")) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, siteTime)
	defer cancel()
	var found atomic.Bool
	var wg guard.Group
	for hops := range siteHops {
		for range siteTries {
			wg.Go(func() {
				r, err := p.Asker.Ask(ctx, server, hops) // 0: the server itself
				if err == nil && (r.Kind == echo.Reached || r.Kind == echo.Expired) && site.Contains(r.From.WithZone("")) {
					found.Store(true)
					cancel()
				}
			})
		}
	}
	wg.Wait()
	return found.Load()
}

// answers reports whether a connection was accepted or refused.
func answers(ctx context.Context, env probe.Env, to netip.Addr, port string) bool {
	conn, err := env.Dial(ctx, "tcp", net.JoinHostPort(to.String(), port))
	if err != nil {
		return probe.IsRefused(err)
	}
	_ = conn.Close()
	return true
}
