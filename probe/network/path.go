package network

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/adapter"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The streams, all 5 s long and together under 30 kbit/s. A router of Linux
// complains at most once a second, beside a store of six complaints (icmp(7),
// icmp_ratelimit); connections cost a server more than packets do.
var (
	echoPace      = pace{50, 100 * time.Millisecond, time.Second}
	complaintPace = pace{8, 700 * time.Millisecond, time.Second}
	connectPace   = pace{20, 250 * time.Millisecond, time.Second}
)

// PathConfig says where the path leads.
type PathConfig struct {
	// URL is the conference server's address; "" when none is known.
	URL string
	// ICE tells the collector's STUN server, the second end of the path; nil
	// without a collector.
	ICE func(context.Context) (wire.ICEConfig, error)
	// Resolver looks up names; nil is the system's own.
	Resolver Resolver
	// Asker sends the requests; nil is the system's own.
	Asker echo.Asker
	// Toward finds the interface; nil asks the system.
	Toward func(context.Context, netip.Addr) (adapter.Adapter, error)
}

// NewPath is the probe "network.path". Its data is a *report.NetworkPath.
func NewPath(c PathConfig) probe.Probe {
	if c.Resolver == nil {
		c.Resolver = systemResolver
	}
	if c.Asker == nil {
		c.Asker = echo.System()
	}
	if c.Toward == nil {
		c.Toward = adapter.Toward
	}
	return path{c}
}

type path struct{ PathConfig }

func (path) Name() string { return report.ProbeNetworkPath }
func (path) Version() int { return 1 }

// Run finds the points of the path and then asks all of them at the same time.
func (p path) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	points := p.survey(ctx, env)
	if len(points) == 0 {
		return probe.Result{Status: report.StatusUnknown, Note: "neither the collector nor a conference server is known by address"}, nil
	}
	streams := map[string]*stream{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, at := range points {
		wg.Go(func() {
			s := runStream(ctx, env, at.pace, at.ask)
			mu.Lock()
			defer mu.Unlock()
			streams[at.name] = s
		})
	}
	wg.Wait()
	data := &report.NetworkPath{
		FaultSegment: placeFault(streams[segmentLAN], streams[segmentAccess], streams[segmentTransit], streams[segmentServer]),
	}
	for _, at := range points {
		data.Segments = append(data.Segments, segmentOf(at.name, streams[at.name]))
	}
	return judgePath(data), nil
}

func segmentOf(name string, s *stream) report.PathSegment {
	out := report.PathSegment{Name: name, Sent: &s.sent}
	if s.answered() > 0 {
		out.RTTMS = milliseconds(median(s.rtts))
		out.LossPct = new(s.lossPct())
	}
	return out
}

// judgePath leaves the severity to the rules: what is lost on the way to a
// server matters only if it is lost to the voice as well.
func judgePath(d *report.NetworkPath) probe.Result {
	if d.FaultSegment == cannotTell {
		return probe.Result{Status: report.StatusUnknown, Note: "the figures do not tell where packets get lost", Data: d}
	}
	return probe.Result{Status: report.StatusOK, Data: d}
}

// point is one machine on the path and how it is asked.
type point struct {
	name string
	pace pace
	ask  question
}

// question sends one packet and waits for its answer.
type question func(context.Context) (echo.Reply, error)

// survey finds the points, nearest first.
func (p path) survey(ctx context.Context, env probe.Env) (points []point) {
	server := preferIPv4(addressesOf(ctx, p.Resolver, p.URL))
	if server.IsLoopback() {
		server = netip.Addr{}
	}
	collector := p.collector(ctx, env)
	if server.IsValid() && server == collector.Addr() {
		server = netip.Addr{} // one machine is both: one end of the path is enough
	}
	far := server
	if !far.IsValid() {
		far = collector.Addr()
	}
	if !far.IsValid() {
		return nil
	}
	points = p.routers(ctx, env, far)
	if collector.IsValid() {
		points = append(points, point{segmentTransit, echoPace, func(ctx context.Context) (echo.Reply, error) {
			return askSTUN(ctx, env, collector)
		}})
	}
	if server.IsValid() {
		points = append(points, p.serverPoint(ctx, env, server))
	}
	return points
}

// routers are the next router and the provider's first public one, as far as
// they answer. Where the next router does not answer an echo, it is made to
// complain about a packet whose time runs out there.
func (p path) routers(ctx context.Context, env probe.Env, far netip.Addr) (points []point) {
	hops := p.trace(ctx, far)
	a, err := p.Toward(ctx, far)
	gateway := err == nil && a.GatewayKnown && a.Gateway.IsValid()
	switch {
	case gateway && p.echoes(ctx, env, a.Gateway):
		points = append(points, point{segmentLAN, echoPace, p.echo(a.Gateway)})
	case gateway && hops[0].IsValid():
		points = append(points, point{segmentLAN, complaintPace, p.expiring(far, 1, hops[0])})
	}
	for i, from := range hops {
		if i > 0 && isPublic(from) {
			points = append(points, point{segmentAccess, complaintPace, p.expiring(far, i+1, from)})
			break
		}
	}
	return points
}

// expiring asks for a complaint from the router at which the packet's time runs out.
func (p path) expiring(far netip.Addr, ttl int, from netip.Addr) question {
	return func(ctx context.Context) (echo.Reply, error) {
		r, err := p.Asker.Ask(ctx, far, ttl)
		if err == nil && r.From != from && r.Kind == echo.Reached {
			return r, echo.ErrSilent // the way became shorter: this is another machine
		}
		return r, err
	}
}

const (
	farthestHop = 8 // the provider's first public router is nearer than that
	traceWait   = 800 * time.Millisecond
)

// trace asks for the routers of the first hops, all at once, twice each. An
// invalid address stands for one that keeps silent.
func (p path) trace(ctx context.Context, far netip.Addr) (hops [farthestHop]netip.Addr) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 2 * farthestHop {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, traceWait)
			defer cancel()
			r, err := p.Asker.Ask(ctx, far, i/2+1)
			if err != nil || r.Kind != echo.Expired {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			hops[i/2] = r.From
		})
	}
	wg.Wait()
	return hops
}

// echo asks a machine itself.
func (p path) echo(to netip.Addr) question {
	return func(ctx context.Context) (echo.Reply, error) { return p.Asker.Ask(ctx, to, 0) }
}

// echoes says whether a machine answers an echo, and not only with complaints.
// Several go out, so that a lossy line does not look like a silent machine.
func (p path) echoes(ctx context.Context, env probe.Env, to netip.Addr) bool {
	s := runStream(ctx, env, pace{4, 50 * time.Millisecond, traceWait / 2}, p.echo(to))
	return s.answered() > 0 && !s.complaints
}

// serverPoint asks for an echo where the server answers one, else for a
// connection.
func (p path) serverPoint(ctx context.Context, env probe.Env, server netip.Addr) point {
	if p.echoes(ctx, env, server) {
		return point{segmentServer, echoPace, p.echo(server)}
	}
	return point{segmentServer, connectPace, func(ctx context.Context) (echo.Reply, error) {
		return askTCP(ctx, env, server, portOfURL(p.URL))
	}}
}

// collector is the far address of the collector's STUN server; this computer
// itself is at the end of no path.
func (p path) collector(ctx context.Context, env probe.Env) netip.AddrPort {
	at := p.stunServer(ctx, env)
	if at.Addr().IsLoopback() {
		return netip.AddrPort{}
	}
	return at
}

// stunServer is the address of the collector's STUN server over UDP.
func (p path) stunServer(ctx context.Context, env probe.Env) netip.AddrPort {
	if p.ICE == nil {
		return netip.AddrPort{}
	}
	config, err := p.ICE(ctx)
	if err != nil {
		env.Log.Info("no STUN server known", "err", report.ErrorText(err))
		return netip.AddrPort{}
	}
	for _, s := range config.ICEServers {
		for _, u := range s.URLs {
			if at, ok := p.stunAddress(ctx, u); ok {
				return at
			}
		}
	}
	return netip.AddrPort{}
}

// stunAddress reads stun:host[:port] (RFC 7064) and looks the host up.
func (p path) stunAddress(ctx context.Context, raw string) (netip.AddrPort, bool) {
	hostport, ok := strings.CutPrefix(raw, "stun:")
	if !ok || strings.Contains(hostport, "?transport=tcp") {
		return netip.AddrPort{}, false
	}
	hostport, _, _ = strings.Cut(hostport, "?")
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), "3478"
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	addr := preferIPv4(addressesOf(ctx, p.Resolver, "http://"+net.JoinHostPort(host, port)))
	return netip.AddrPortFrom(addr, uint16(number)), addr.IsValid()
}

// preferIPv4 chooses the address of which more routers on the way answer.
func preferIPv4(addrs []netip.Addr) (found netip.Addr) {
	for _, a := range addrs {
		switch {
		case a.IsUnspecified():
		case a.Is4():
			return a
		case !found.IsValid():
			found = a
		}
	}
	return found
}

// carrierGrade is the shared address space of providers (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

func isPublic(a netip.Addr) bool {
	return a.IsValid() && a.IsGlobalUnicast() && !a.IsPrivate() && !carrierGrade.Contains(a)
}
