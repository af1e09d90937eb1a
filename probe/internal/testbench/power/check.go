package power

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The packets of a check (agent/check, probe/media, probe/network): 300 of the
// voice in each direction, 450 if the loss is in doubt, a hundred to each point of
// the path, 40 to the next router.
const (
	packetInterval = 20 * time.Millisecond
	voicePackets   = 300
	maxPackets     = 450
	voiceFrom      = 1000 * time.Millisecond
	pathPackets    = 100
	pathInterval   = 50 * time.Millisecond
	pathFrom       = 1650 * time.Millisecond
	linkPackets    = 40
	linkInterval   = 75 * time.Millisecond
	linkFrom       = 700 * time.Millisecond
	// Routers that respond with ICMP errors only get eight packets.
	icmpErrorPackets  = 8
	icmpErrorInterval = 700 * time.Millisecond
)

// Segment is a segment of the path.
type Segment int

// Segments, nearest first.
const (
	LAN Segment = iota
	Access
	Server
	segments
)

func (s Segment) String() string { return [...]string{"lan", "access", "server"}[s] }

// Line is the line of a simulated check. Neither the delay of packets nor a queue
// is simulated together with the loss; packets arrive in order. The provider's
// router and the points of the path are drawn for each check; see Situation.
type Line struct {
	Up, Down [segments]Loss
}

// Situation contains harmless differences between homes.
type Situation struct {
	// Router is the response of the provider's router: "echo", "icmp error" or
	// "silent".
	Router string
	// Gateway is false if the next router does not respond.
	Gateway bool
	// TwoEnds is true if the conference server and the collector are different
	// machines.
	TwoEnds bool
	// Limits is the share of requests that the next router does not respond to.
	Limits float64
}

// DrawSituation draws a home: two of three providers' routers respond to echo
// requests, one of ten home routers does not respond.
func DrawSituation(r *rand.Rand) Situation {
	s := Situation{Router: "echo", Gateway: r.Float64() >= 0.1}
	switch p := r.Float64(); {
	case p < 0.15:
		s.Router = "silent"
	case p < 0.35:
		s.Router = "icmp error"
	}
	return s
}

// flight is one packet of a stream.
type flight struct {
	at     time.Duration
	stream int
	number int
}

// The streams of a check.
const (
	voice = iota
	link
	toLAN
	toAccess
	toCollector
	toServer
	streams
)

// check is one simulated check.
type check struct {
	rand     *rand.Rand
	up, down [segments]*channel
	// answered is the fate of each packet; for the voice, that of its echo.
	answered [streams]map[int]bool
	reached  map[int]bool // packets of the voice that arrived upstream
	sent     int          // packets of the voice
}

// Run simulates a check and returns its report before the diagnosis.
func Run(r *rand.Rand, l Line, s Situation) *report.Report {
	c := &check{rand: r, reached: map[int]bool{}}
	for i := range segments {
		c.up[i], c.down[i] = &channel{Loss: l.Up[i], rand: r}, &channel{Loss: l.Down[i], rand: r}
	}
	for i := range c.answered {
		c.answered[i] = map[int]bool{}
	}
	c.sent = voicePackets
	for _, f := range c.plan(s) {
		if f.stream == voice && f.number == voicePackets && c.inDoubt() {
			c.sent = maxPackets
		}
		if f.stream != voice || f.number < c.sent {
			c.send(f, s)
		}
	}
	return c.report(s)
}

// inDoubt decides as probe/media does whether the voice is extended: three missing
// echoes and less than 15 %, half a second before the end.
func (c *check) inDoubt() bool {
	const judged = voicePackets - 25
	lost := 0
	for i := range judged {
		if !c.answered[voice][i] {
			lost++
		}
	}
	return lost >= 3 && lost < judged*15/100
}

// plan returns all packets in order of time. Streams of the path are sent at the
// same times.
func (c *check) plan(s Situation) (all []flight) {
	add := func(stream, n int, from, every time.Duration) {
		for i := range n {
			all = append(all, flight{from + time.Duration(i)*every, stream, i})
		}
	}
	add(voice, maxPackets, voiceFrom, packetInterval)
	if s.Gateway {
		add(link, linkPackets, linkFrom, linkInterval)
		add(toLAN, pathPackets, pathFrom, pathInterval)
	}
	switch s.Router {
	case "echo":
		add(toAccess, pathPackets, pathFrom, pathInterval)
	case "icmp error":
		add(toAccess, icmpErrorPackets, pathFrom, icmpErrorInterval)
	}
	add(toCollector, pathPackets, pathFrom, pathInterval)
	if s.TwoEnds {
		add(toServer, pathPackets, pathFrom, pathInterval)
	}
	slices.SortStableFunc(all, func(a, b flight) int { return cmp.Compare(a.at, b.at) })
	return all
}

func (c *check) send(f flight, s Situation) {
	last := map[int]Segment{voice: Server, link: LAN, toLAN: LAN, toAccess: Access, toCollector: Server, toServer: Server}[f.stream]
	up := c.passes(c.up[:last+1], f.at)
	if f.stream == voice {
		c.reached[f.number] = up
		if !up {
			return
		}
	}
	back := up && c.passes(c.down[:last+1], f.at)
	if (f.stream == link || f.stream == toLAN) && c.rand.Float64() < s.Limits {
		back = false
	}
	c.answered[f.stream][f.number] = back
}

// passes sends a packet through channels until one loses it.
func (c *check) passes(way []*channel, at time.Duration) bool {
	for _, ch := range way {
		if ch.loses(at) {
			return false
		}
	}
	return true
}

func (c *check) report(s Situation) *report.Report {
	r := &report.Report{
		Schema: report.SchemaV1, Trigger: report.TriggerCheck, Profile: "bbb",
		Probes: []report.Result{
			result(report.ProbeNAT, &report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen, UDPRTTMS: new(30.0)}),
			result(report.ProbeMediaVoice, c.voiceData()),
			result(report.ProbeNetworkWeb, &report.NetworkWeb{Stage: "http", Online: new(true), DNSMS: new(12.0), TCPMS: new(31.0), TLSMS: new(36.0), HTTPMS: new(33.0), HTTPStatus: new(200), ServerHealthy: new(true), Proxy: "none", WebSocket: new(true)}),
			result(report.ProbeNetworkLink, c.linkData(s)),
			result(report.ProbeNetworkPath, c.pathData()),
		},
	}
	if s.TwoEnds {
		r.Target = "https://bbb.example.org"
	}
	return r
}

func result(name string, d report.Data) report.Result {
	return report.Result{Name: name, Version: 1, Status: report.StatusOK, Data: d}
}

func (c *check) voiceData() *report.MediaVoice {
	v := &report.MediaVoice{
		State: report.MediaComplete, Path: "srflx udp", Sent: &c.sent,
		UpJitterMS: new(1.0), DownJitterMS: new(1.0), RTTMinMS: new(29.0), RTTP50MS: new(30.0), RTTP95MS: new(32.0),
		Reordered: new(0), LatePct60MS: new(0.0), SelfCheck: "ok",
	}
	var up, down []stats.Fate
	for i := range c.sent {
		up = append(up, fate(c.reached[i]))
		if c.reached[i] {
			down = append(down, fate(c.answered[voice][i]))
		}
	}
	v.UpReceived, v.UpLossPct, v.UpLossCI95, v.UpLossRunPackets = figures(up)
	v.DownSent = new(len(down))
	v.DownReceived, v.DownLossPct, v.DownLossCI95, v.DownLossRunPackets = figures(down)
	longest := max(stats.LossRunsOf(up).Longest, stats.LossRunsOf(down).Longest)
	v.LongestGapMS = new(float64(longest) * float64(packetInterval.Milliseconds()))
	return v
}

func fate(arrived bool) stats.Fate {
	if arrived {
		return stats.Received
	}
	return stats.Lost
}

// figures returns what probe/media reports for the fates of a direction.
func figures(fates []stats.Fate) (received *int, pct *float64, ci *report.Interval, run *float64) {
	if len(fates) == 0 {
		return nil, nil, nil, nil
	}
	runs := stats.LossRunsOf(fates)
	if runs.Runs > 0 {
		run = new(thousandths(float64(runs.Lost) / float64(runs.Runs)))
	}
	i := stats.Wilson95(runs.Lost, len(fates))
	return new(len(fates) - runs.Lost), new(thousandths(100 * float64(runs.Lost) / float64(len(fates)))),
		&report.Interval{thousandths(i.LowPct), thousandths(i.HighPct)}, run
}

func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }

func (c *check) linkData(s Situation) *report.NetworkLink {
	d := &report.NetworkLink{Kind: "wifi", GatewayState: "silent", VPN: new(false), IPv4: new(true), IPv6: new(false), MTU: new(1500)}
	sent, lost := count(c.answered[link])
	if sent == lost {
		return d
	}
	d.GatewayState, d.GatewaySent, d.GatewayRTTMS = "answered", new(sent), new(2.0)
	d.GatewayLossPct = new(100 * float64(lost) / float64(sent))
	if run := lossmodel.LostTogether([]map[int]bool{c.answered[link]}, c.answered[link]); run > 0 {
		d.GatewayLossRunPackets = &run
	}
	return d
}

func (c *check) pathData() *report.NetworkPath {
	d := &report.NetworkPath{Line: "reached"}
	var all []map[int]bool
	for _, at := range []struct {
		stream int
		name   string
	}{{toLAN, "lan"}, {toAccess, "access"}, {toCollector, "transit"}, {toServer, "server"}} {
		sent, lost := count(c.answered[at.stream])
		if sent == 0 {
			continue
		}
		s := report.PathSegment{Name: at.name, Sent: &sent}
		if lost < sent {
			s.Lost, s.LossPct = &lost, new(100*float64(lost)/float64(sent))
			s.RTTMinMS, s.RTTMS, s.RTTP95MS = new(2.0), new(3.0), new(5.0)
		}
		d.Segments = append(d.Segments, s)
		if at.stream != toAccess || sent == pathPackets {
			all = append(all, c.answered[at.stream])
		}
	}
	if run := lossmodel.LostTogether(all, c.answered[toCollector]); run > 0 {
		d.LossRunPackets = &run
	}
	return d
}

func count(fates map[int]bool) (sent, lost int) {
	for _, answered := range fates {
		sent++
		if !answered {
			lost++
		}
	}
	return sent, lost
}
