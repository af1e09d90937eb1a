// Package path measures where on the path to the servers packets are lost: at the next router, at the
// provider, at the collector or at the conference server.
package path

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The streams, all 5 s long, concurrent, and together below 35 kbit/s each way: a packet of 44
// bytes to each of four points. 1.6 s is longer than the round trip of any line that permits a
// conversation.
//
// If a router sends only time-exceeded messages, Linux limits them to one a second after a burst of
// six (icmp(7), icmp_ratelimit). Connections cost a server more than packets.
var (
	echoPace = periodic.Pace{Count: 100, Every: 50 * time.Millisecond, Wait: 1600 * time.Millisecond}
	// refusalPace waits less than the second after which a SYN is retransmitted (RFC 6298 §2.1), so
	// that a lost one counts.
	refusalPace = periodic.Pace{Count: 100, Every: 50 * time.Millisecond, Wait: 900 * time.Millisecond}
	expiredPace = periodic.Pace{Count: 8, Every: 700 * time.Millisecond, Wait: time.Second}
	connectPace = periodic.Pace{Count: 20, Every: 250 * time.Millisecond, Wait: time.Second}
)

// Config configures network.path.
type Config struct {
	// URL is the conference server's address; "" if unknown.
	URL string
	// Collector is the collector's address; "" without one. It is the far end if the collector
	// announces no STUN server.
	Collector string
	// ICE returns the collector's STUN server, the second far end; nil without a collector.
	ICE func(context.Context) (wire.ICEConfig, error)
	// Resolver resolves names; nil means the system's.
	Resolver lookup.Resolver
	// NameServers show whether anything outside responds; nil means the system's if Resolver is
	// nil, otherwise none.
	NameServers lookup.NameServers
	// Asker sends the requests; nil means the system's.
	Asker echo.Asker
	// Toward finds the interface; nil asks the system.
	Toward func(context.Context, netip.Addr) (adapter.Adapter, error)
}

// The phases of network.path (see [probe.Phase]).
const (
	// PhaseSurvey finds the points of the path.
	PhaseSurvey = "survey"
	// PhasePoint is the stream to one point of the path. It is entered once for each.
	// PhasePointUDP is the same for a STUN server, whose answers are larger.
	PhasePoint    = "point"
	PhasePointUDP = "point_udp"
	// PhaseLarge looks for large packets that are dropped.
	PhaseLarge = "large"
)

// New returns the probe "network.path". Its data is a *report.NetworkPath.
func New(c Config) probe.Probe {
	if c.Resolver == nil {
		c.Resolver = lookup.System()
		if c.NameServers == nil {
			c.NameServers = lookup.SystemNameServers{}
		}
	}
	if c.Asker == nil {
		c.Asker = echo.System()
	}
	if c.Toward == nil {
		c.Toward = adapter.Toward
	}
	return path{c}
}

type path struct{ Config }

func (path) Name() string { return report.ProbeNetworkPath }

// Phases implements probe.Phased.
func (path) Phases() []string {
	return []string{PhaseSurvey, PhasePoint, PhasePointUDP, PhaseLarge}
}

func (path) Version() int { return 2 }

// Run determines the points of the path and then measures all of them at the same time.
func (p path) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	if p.URL == "" && p.Collector == "" && p.ICE == nil {
		return probe.Result{Status: report.StatusUnknown, Note: "neither a collector nor a conference server is known"}, nil
	}
	surveying, err := env.Enter(ctx, PhaseSurvey)
	if err != nil {
		return probe.Result{Status: report.StatusUnknown, Note: "stopped before it began"}, nil
	}
	far := p.locate(ctx, env)
	if far.onlyHere {
		return notNeeded(), nil
	}
	found := p.survey(ctx, env, far)
	surveying.Leave()
	data := &report.NetworkPath{}
	lives, named := false, false
	var wg guard.Group
	// Neither waits for its turn: they send few packets, and for a silent port they take longer
	// than the rest of the budget.
	wg.Go(func() { data.Ports = p.askPorts(ctx, env, found) })
	wg.Go(func() { lives, named = p.reachesElsewhere(ctx, env, found) })
	for _, at := range found.points { // they run concurrently: all or none
		_, _ = env.Enter(ctx, at.phase())
	}
	wg.Go(func() { p.askLarge(ctx, env, found, data) })
	streams := runAll(ctx, env, found.points)
	wg.Wait()
	for _, at := range found.points {
		data.Segments = append(data.Segments, segmentOf(at.name, streams[at.name]))
	}
	data.LANSpreadMS, data.AccessSpreadMS = spreadOf(streams[segmentLAN]), spreadOf(streams[segmentAccess])
	data.FaultSegment = found.locateFault(streams)
	data.LossRunPackets = lossRunPackets(streams[segmentLAN], streams[segmentAccess], streams[segmentTransit], streams[segmentServer])
	data.Line = found.judgeLine(streams)
	switch {
	case lives, answeredBeyond(data.Ports):
		data.Line = lineReached
	case data.Line != lineReached && anyProhibited(data.Ports):
		data.Line = cannotTell // a firewall's rejection does not mean a silent line
	case data.Line == lineSilent && named:
		data.Line = cannotTell // the line may work, and a firewall drop everything else
	}
	data.RejectedBy = whoRejectsAll(data.Ports)
	data.CGNAT = found.isShared()
	if at, ok := askedOverUDP(found.points, segmentTransit); ok && becameSilent(streams[segmentTransit]) {
		if data.UDPCut = p.isUDPCut(ctx, env, at); data.UDPCut != nil && *data.UDPCut {
			data.FaultSegment = cannotTell // packets stopped by a firewall are not lost in a segment
		}
	}
	if isCut(env, streams) || p.isUnplugged(ctx, found) {
		data.FaultSegment, data.Line = cannotTell, lineCut
	}
	return judgePath(data), nil
}

// notNeeded is the result if there is no network between the ends.
func notNeeded() probe.Result {
	return probe.Result{Status: report.StatusSkipped, Note: "not needed: the server is on this computer"}
}

// runAll measures all points concurrently.
func runAll(ctx context.Context, env probe.Env, points []point) map[string]*periodic.Stream {
	streams := map[string]*periodic.Stream{}
	var mu sync.Mutex
	var wg guard.Group
	start := env.Clock.Now()
	for _, at := range points {
		wg.Go(func() {
			s := periodic.RunFrom(ctx, env, start, at.pace, at.ask)
			mu.Lock()
			defer mu.Unlock()
			streams[at.name] = s
		})
	}
	wg.Wait()
	return streams
}

func segmentOf(name string, s *periodic.Stream) report.PathSegment {
	out := report.PathSegment{Name: name, Sent: &s.Sent}
	if s.Answered() > 0 {
		out.Lost, out.LossPct = new(s.Lost()), new(s.LossPct())
		out.RTTMinMS = report.Milliseconds(periodic.NearestRank(s.RTTs, 0))
		out.RTTMS = report.Milliseconds(periodic.Median(s.RTTs))
		out.RTTP95MS = report.Milliseconds(periodic.NearestRank(s.RTTs, 95))
	}
	return out
}

// spreadOf returns the variation of the round trips; nil if too few were answered.
func spreadOf(s *periodic.Stream) *float64 {
	if !s.Counted() {
		return nil
	}
	return report.Milliseconds(periodic.NearestRank(s.RTTs, 95) - periodic.NearestRank(s.RTTs, 0))
}

// judgePath leaves the severity to the rules: loss on the path to a server matters only if the voice
// is affected as well.
func judgePath(d *report.NetworkPath) probe.Result {
	switch {
	case len(d.Segments) == 0:
		return probe.Result{Status: report.StatusUnknown, Note: "no point on the path to the server could be measured", Data: d}
	case d.FaultSegment == cannotTell && d.Line != lineSilent && d.Line != lineRouterSilent && d.Line != lineCut && (d.UDPCut == nil || !*d.UDPCut):
		return probe.Result{Status: report.StatusUnknown, Note: "the figures do not show where packets are lost", Data: d}
	}
	return probe.Result{Status: report.StatusOK, Data: d}
}
