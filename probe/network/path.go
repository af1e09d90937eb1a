package network

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/adapter"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The streams, all 5 s long, in step and together under 35 kbit/s each way: a
// packet of 44 bytes to each of four points. 1.6 s is longer than any line on
// which a conversation is possible.
//
// Where a router only complains of packets whose time runs out at it, Linux
// does so at most once a second, beside a store of six (icmp(7),
// icmp_ratelimit). Connections cost a server more than packets do.
var (
	echoPace = pace{100, 50 * time.Millisecond, 1600 * time.Millisecond}
	// refusalPace waits less than the second after which a SYN is repeated (RFC
	// 6298 §2.1), so that a lost one counts.
	refusalPace   = pace{100, 50 * time.Millisecond, 900 * time.Millisecond}
	complaintPace = pace{8, 700 * time.Millisecond, time.Second}
	connectPace   = pace{20, 250 * time.Millisecond, time.Second}
)

// PathConfig says where the path leads.
type PathConfig struct {
	// URL is the conference server's address; "" when none is known.
	URL string
	// Collector is the collector's address; "" without one. It is where the
	// path leads when the collector does not tell its STUN server.
	Collector string
	// ICE tells the collector's STUN server, the second end of the path; nil
	// without a collector.
	ICE func(context.Context) (wire.ICEConfig, error)
	// Resolver looks up names; nil is the system's own.
	Resolver Resolver
	// NameServers tell whether anybody outside answers; nil are the system's where
	// Resolver is, else none.
	NameServers NameServers
	// Asker sends the requests; nil is the system's own.
	Asker echo.Asker
	// Toward finds the interface; nil asks the system.
	Toward func(context.Context, netip.Addr) (adapter.Adapter, error)
}

// The phases of network.path (see [probe.Phase]).
const (
	// PhaseSurvey finds the points of the path.
	PhaseSurvey = "survey"
	// PhasePoint is the stream to one point of the path, entered once for each;
	// PhasePointUDP where that is a STUN server, whose answers are larger.
	PhasePoint    = "point"
	PhasePointUDP = "point_udp"
	// PhaseLarge looks for large packets that vanish.
	PhaseLarge = "large"
)

// NewPath is the probe "network.path". Its data is a *report.NetworkPath.
func NewPath(c PathConfig) probe.Probe {
	if c.Resolver == nil {
		c.Resolver = systemResolver
		if c.NameServers == nil {
			c.NameServers = systemNameServers{}
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

type path struct{ PathConfig }

func (path) Name() string { return report.ProbeNetworkPath }
func (path) Version() int { return 2 }

// Run finds the points of the path and then asks all of them at the same time.
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
	lives := false
	var wg sync.WaitGroup
	// Neither waits for its turn: they are few packets, and where a port is silent
	// they take longer than what is left of the budget after it.
	wg.Go(func() { data.Ports = p.askPorts(ctx, env, found) })
	wg.Go(func() { lives = p.livesElsewhere(ctx, env, found) })
	for _, at := range found.points { // they run in step: all together or none
		_, _ = env.Enter(ctx, at.phase())
	}
	wg.Go(func() { p.askLarge(ctx, env, found, data) })
	streams := runAll(ctx, env, found.points)
	wg.Wait()
	for _, at := range found.points {
		data.Segments = append(data.Segments, segmentOf(at.name, streams[at.name]))
	}
	data.LANSpreadMS, data.AccessSpreadMS = spreadOf(streams[segmentLAN]), spreadOf(streams[segmentAccess])
	data.FaultSegment = found.placeFault(streams)
	data.LossRunPackets = lossRunPackets(streams[segmentLAN], streams[segmentAccess], streams[segmentTransit], streams[segmentServer])
	data.Line = found.judgeLine(streams)
	switch {
	case lives, anyoneFar(data.Ports):
		data.Line = lineReached
	case data.Line != lineReached && anyProhibited(data.Ports):
		data.Line = cannotTell // a firewall's decision is not the silence of a line
	}
	data.RejectedBy = whoRejectsAll(data.Ports)
	data.CGNAT = found.isShared()
	if at, ok := askedOverUDP(found.points, segmentTransit); ok && streams[segmentTransit].fellSilent() {
		if data.UDPCut = p.isUDPCut(ctx, env, at); data.UDPCut != nil && *data.UDPCut {
			data.FaultSegment = cannotTell // what a firewall keeps back is lost at no place
		}
	}
	if isCut(env, streams) || p.isUnplugged(ctx, found) {
		data.FaultSegment, data.Line = cannotTell, lineCut
	}
	return judgePath(data), nil
}

// notNeeded is the result where no network lies in between.
func notNeeded() probe.Result {
	return probe.Result{Status: report.StatusSkipped, Note: "not needed: the server is on this computer"}
}

// runAll asks all points in step.
func runAll(ctx context.Context, env probe.Env, points []point) map[string]*stream {
	streams := map[string]*stream{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := env.Clock.Now()
	for _, at := range points {
		wg.Go(func() {
			s := runStreamFrom(ctx, env, start, at.pace, at.ask)
			mu.Lock()
			defer mu.Unlock()
			streams[at.name] = s
		})
	}
	wg.Wait()
	return streams
}

func segmentOf(name string, s *stream) report.PathSegment {
	out := report.PathSegment{Name: name, Sent: &s.sent}
	if s.answered() > 0 {
		out.Lost, out.LossPct = new(s.lost()), new(s.lossPct())
		out.RTTMinMS = milliseconds(nearestRank(s.rtts, 0))
		out.RTTMS = milliseconds(median(s.rtts))
		out.RTTP95MS = milliseconds(nearestRank(s.rtts, 95))
	}
	return out
}

// spreadOf is how much the round trips vary; nil where too few were answered.
func spreadOf(s *stream) *float64 {
	if !s.counted() {
		return nil
	}
	return milliseconds(nearestRank(s.rtts, 95) - nearestRank(s.rtts, 0))
}

// judgePath leaves the severity to the rules: what is lost on the way to a
// server matters only if it is lost to the voice as well.
func judgePath(d *report.NetworkPath) probe.Result {
	switch {
	case len(d.Segments) == 0:
		return probe.Result{Status: report.StatusUnknown, Note: "no point on the way to the server could be asked", Data: d}
	case d.FaultSegment == cannotTell && d.Line != lineSilent && d.Line != lineRouterSilent && d.Line != lineCut && (d.UDPCut == nil || !*d.UDPCut):
		return probe.Result{Status: report.StatusUnknown, Note: "the figures do not tell where packets get lost", Data: d}
	}
	return probe.Result{Status: report.StatusOK, Data: d}
}
