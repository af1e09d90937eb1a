package path

import (
	"context"
	"net/netip"
	"sync"
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

// point is one machine on the path and how it is measured.
type point struct {
	name string
	pace periodic.Pace
	ask  echo.Question
	// udp is the destination of a stream over UDP; otherwise invalid.
	udp netip.AddrPort
}

func (p point) phase() string {
	if p.udp.IsValid() {
		return PhasePointUDP
	}
	return PhasePoint
}

// surveyed is what is known about the path before the streams run.
type surveyed struct {
	points  []point // nearest first
	adapter adapter.Adapter
	far     farEnds
	// direct is true if there is no router between this computer and the server.
	direct bool
	trace  trace
	// gateway is true if the next router answered.
	gateway bool
}

// Limits for determining the points.
const (
	farthestHop = 8 // the provider's first router is nearer than that
	surveyWait  = 800 * time.Millisecond
)

// trialPace determines whether a machine answers at all, with several packets, so that a lossy line
// does not look like a silent machine.
var trialPace = periodic.Pace{Count: 4, Every: 50 * time.Millisecond, Wait: surveyWait - 200*time.Millisecond}

// survey determines the points: the next router and the provider's first public one, as far as they
// answer, the collector and the conference server.
func (p path) survey(ctx context.Context, env probe.Env, far farEnds) surveyed {
	found := surveyed{far: far}
	a, err := p.Toward(ctx, far.toward())
	if err != nil {
		env.Log.Info("no route to the server", "err", report.ErrorText(err))
		return found
	}
	found.adapter = a
	found.direct = far.isKnown() && a.GatewayKnown && !a.Gateway.IsValid() && a.Kind != adapter.VPN && a.Kind != adapter.Cellular
	var near, transit, server []point
	var wg guard.Group
	if !found.direct {
		wg.Go(func() { near = p.routers(ctx, env, &found) })
	}
	wg.Go(func() { transit = p.collectorPoint(ctx, env, far) })
	wg.Go(func() { server = p.serverPoint(ctx, env, far) })
	wg.Wait()
	found.points = append(append(near, transit...), server...)
	return found
}

// routers returns the next router and the first one of the provider. If the next router does not
// answer echo requests, or the system does not permit them, connections that it refuses are used,
// and finally packets that expire there. In a tunnel neither is meaningful.
func (p path) routers(ctx context.Context, env probe.Env, found *surveyed) (points []point) {
	a, far := found.adapter, found.far.toward()
	hasGateway := a.GatewayKnown && a.Gateway.IsValid()
	echoes, refuses := false, false
	refusal := func(ctx context.Context) (echo.Reply, error) { return echo.TCP(ctx, env, a.Gateway, echo.ClosedPort) }
	var wg guard.Group
	wg.Go(func() { found.trace = p.traceTo(ctx, env, far) })
	if hasGateway {
		wg.Go(func() { echoes = p.echoes(ctx, env, a.Gateway) })
		wg.Go(func() {
			refuses = periodic.Run(ctx, env, periodic.Pace{Count: 2, Every: 50 * time.Millisecond, Wait: surveyWait / 2}, refusal).Answered() > 0
		})
	}
	wg.Wait()
	found.trace.noRoute = found.trace.noRouteFrom.IsValid() && found.placeOf(found.trace.noRouteFrom) != byLocal
	if a.Kind == adapter.VPN {
		return nil
	}
	hops := found.trace.hops
	switch {
	case hasGateway && echoes:
		points = append(points, point{name: segmentLAN, pace: echoPace, ask: p.echo(a.Gateway)})
	case hasGateway && refuses:
		points = append(points, point{name: segmentLAN, pace: refusalPace, ask: refusal})
	case hasGateway && hops[0].IsValid():
		points = append(points, point{name: segmentLAN, pace: expiredPace, ask: p.expiring(far, 1, hops[0])})
	}
	found.gateway = len(points) > 0
	first := 1
	if !hasGateway {
		first = 0 // a built-in modem: the first router is the provider's
	}
	for i, from := range hops[first:] {
		if isPublic(from) || carrierGrade.Contains(from) {
			points = append(points, p.accessPoint(ctx, env, far, first+i+1, from))
			break
		}
	}
	return points
}

// accessPoint uses echo requests to the provider's router, which are less rate limited than ICMP
// errors.
func (p path) accessPoint(ctx context.Context, env probe.Env, far netip.Addr, ttl int, from netip.Addr) point {
	if p.echoes(ctx, env, from) {
		return point{name: segmentAccess, pace: echoPace, ask: p.echo(from)}
	}
	return point{name: segmentAccess, pace: expiredPace, ask: p.expiring(far, ttl, from)}
}

// expiring requests a time-exceeded message from the router at which the packet expires.
func (p path) expiring(far netip.Addr, ttl int, from netip.Addr) echo.Question {
	return func(ctx context.Context) (echo.Reply, error) {
		r, err := p.Asker.Ask(ctx, far, ttl)
		if err == nil && r.From != from {
			return r, echo.ErrSilent // the route has changed: another machine answered
		}
		return r, err
	}
}

// trace contains the first routers. An invalid address stands for a silent one.
type trace struct {
	hops [farthestHop]netip.Addr
	// reached is true if the far end answered.
	reached bool
	// noRoute is true if a router behind the local network reported that the far end
	// is unreachable.
	noRoute bool
	// noRouteFrom is the last machine that reported so, within the local network or
	// behind it.
	noRouteFrom netip.Addr
	// asked is true if the system permitted packets to be sent.
	asked bool
}

// isSilent reports whether neither a router nor the far end answered.
func (t trace) isSilent() bool { return !t.reached && t.hops == [farthestHop]netip.Addr{} }

// Each hop is tried several times with pauses, because loss comes in bursts.
const (
	traceRounds = 3
	traceEvery  = 150 * time.Millisecond
)

// traceTo determines the routers of the first hops, all at once, several times each.
func (p path) traceTo(ctx context.Context, env probe.Env, far netip.Addr) (t trace) {
	ctx, cancel := context.WithTimeout(ctx, surveyWait)
	defer cancel()
	var mu sync.Mutex
	var wg guard.Group
	// A hop that has answered is not tried again, nor is a hop behind the far end.
	last := farthestHop
	known := func(hop int) bool {
		mu.Lock()
		defer mu.Unlock()
		return t.hops[hop].IsValid() || hop >= last
	}
	ask := func(hop int) {
		r, err := p.Asker.Ask(ctx, far, hop+1)
		mu.Lock()
		defer mu.Unlock()
		t.asked = t.asked || err == nil || isSilence(err) || probe.IsUnreachable(err)
		switch {
		case err != nil:
		case r.Kind == echo.Expired:
			t.hops[hop] = r.From
		case r.Kind == echo.Reached:
			t.reached, last = true, min(last, hop)
		case (r.Kind == echo.Unreachable || r.Kind == echo.Prohibited) && isOutside(r.From):
			t.noRouteFrom = r.From
		}
	}
	for range traceRounds {
		for hop := range farthestHop {
			if !known(hop) {
				wg.Go(func() { ask(hop) })
			}
		}
		if env.Clock.Sleep(ctx, traceEvery) != nil {
			break
		}
	}
	wg.Wait()
	return t
}

// echo sends echo requests to a machine. An unreachable message from a router is not its answer.
func (p path) echo(to netip.Addr) echo.Question {
	return func(ctx context.Context) (echo.Reply, error) {
		r, err := p.Asker.Ask(ctx, to, 0)
		if err == nil && r.Kind != echo.Reached {
			return r, echo.ErrSilent
		}
		return r, err
	}
}

// echoPacing spreads the trial echoes over more than the length of a loss burst: a machine that
// looks silent gets fewer packets, or none.
var echoPacing = periodic.Pace{Count: 4, Every: 120 * time.Millisecond, Wait: trialPace.Wait}

// echoes reports whether a machine answers echo requests, not only with ICMP errors. The first
// answer ends the trial.
func (p path) echoes(ctx context.Context, env probe.Env, to netip.Addr) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ask := p.echo(to)
	s := periodic.Run(ctx, env, echoPacing, func(ctx context.Context) (echo.Reply, error) {
		r, err := ask(ctx)
		if err == nil {
			cancel()
		}
		return r, err
	})
	return s.Answered() > 0 && !s.ICMPErrors
}

// collectorPoint measures the collector's STUN server or, if that is unknown or silent, the machine
// itself.
func (p path) collectorPoint(ctx context.Context, env probe.Env, far farEnds) []point {
	if far.stun.IsValid() {
		return []point{overUDP(env, far.stun)}
	}
	if !far.collector.IsValid() || far.collector == far.server {
		return nil
	}
	usual := netip.AddrPortFrom(far.collector, lookup.STUNPort)
	if s := periodic.Run(ctx, env, trialPace, stunQuestion(env, usual)); s.Answered() > 0 {
		return []point{overUDP(env, usual)}
	}
	return []point{p.machine(ctx, env, segmentTransit, far.collector, origin.PortOf(p.Collector))}
}

// serverPoint measures the conference server.
func (p path) serverPoint(ctx context.Context, env probe.Env, far farEnds) []point {
	if !far.server.IsValid() {
		return nil
	}
	return []point{p.machine(ctx, env, segmentServer, far.server, origin.PortOf(p.URL))}
}

// machine uses echo requests if the machine answers them, otherwise connections.
func (p path) machine(ctx context.Context, env probe.Env, name string, at netip.Addr, port string) point {
	if p.echoes(ctx, env, at) {
		return point{name: name, pace: echoPace, ask: p.echo(at)}
	}
	return point{name: name, pace: connectPace, ask: func(ctx context.Context) (echo.Reply, error) {
		return echo.TCP(ctx, env, at, port)
	}}
}

// overUDP measures the collector's STUN server.
func overUDP(env probe.Env, at netip.AddrPort) point {
	return point{name: segmentTransit, pace: echoPace, ask: stunQuestion(env, at), udp: at}
}

func stunQuestion(env probe.Env, at netip.AddrPort) echo.Question {
	return func(ctx context.Context) (echo.Reply, error) { return echo.STUN(ctx, env, at) }
}
