package diagnose

import (
	"math"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/report"
)

// losses is the result of all streams on packet loss.
type losses struct {
	// excluded is the reason why the lost packets are no loss of the line; "" if they
	// are.
	excluded exclusion
	lossmodel.Posterior
	// up, down and worst are the degree of loss in each direction and in the worse one.
	// worst is the most certain: that a direction loses packets may be known although it
	// is not known which one.
	up, down, worst degree
	// place is the segment that loses packets, "" if unknown, and sure its probability.
	place string
	sure  float64
}

// exclusion is a reason why lost packets are no loss of the line.
type exclusion string

// The exclusions. If only one direction is too narrow, the other one is judged.
const (
	keptBack      exclusion = "kept_back"  // a firewall blocks further UDP packets: nothing was lost
	queueFull     exclusion = "queue_full" // a full queue drops packets
	tooSmall      exclusion = "too_small"  // the line is narrower than the voice, which causes the loss itself
	uncertain     exclusion = "uncertain"  // only one stream to the next router lost packets: the router may limit its answers
	nothingIsLost exclusion = "nothing_is_lost"
)

// degree is the degree of a loss.
type degree struct {
	severity report.Severity // "" if it does not disturb
	limit    float64         // the exceeded limit in percent
	sure     float64         // probability that the true share exceeds it
}

// Minimum probability for naming a segment, and a direction of the access line. For a
// server it is higher, because naming it blames its operator.
const (
	placedFrom       = 0.8
	placedServerFrom = 0.9
	oneWayFrom       = 0.8
)

// failNeeds is the minimum probability that a loss exceeds the fail limit for it to be a
// fail. Otherwise it is a warning: a few packets of a short stream prove no more.
const failNeeds = 0.8

// losses judges the loss once for all rules.
func (f *facts) losses() *losses {
	if f.lost == nil {
		f.lost = f.judgeLosses()
	}
	return f.lost
}

func (f *facts) judgeLosses() *losses {
	l := &losses{excluded: f.noLoss()}
	if l.excluded != "" {
		return l
	}
	warn := min(endOr(f.Voice.UpLossPct.Warn, 100), endOr(f.Voice.DownLossPct.Warn, 100))
	var ok bool
	if l.Posterior, ok = lossmodel.Estimate(f.streams(), warn*2/3); !ok {
		l.excluded = nothingIsLost
		return l
	}
	l.up = f.degreeOf(l.Up, l.UpAbove, f.Voice.UpLossPct)
	l.down = f.degreeOf(l.Down, l.DownAbove, f.Voice.DownLossPct)
	l.worst = f.degreeOf(l.Worst, l.WorstAbove, f.Voice.UpLossPct)
	l.place, l.sure = f.placed(l.Posterior)
	return l
}

func endOr(v *float64, other float64) float64 {
	if v == nil {
		return other
	}
	return *v
}

// noLoss returns another reason for lost packets than a loss of the line; "" if there is
// none.
func (f *facts) noLoss() exclusion {
	narrowUp, narrowDown := f.narrow()
	_, _, full := f.overflows()
	s := f.streams()
	switch {
	case f.udpCut():
		return keptBack
	case full:
		return queueFull
	case narrowUp && narrowDown:
		return tooSmall
	case s.VoiceUp.Known() || s.VoiceDown.Known() || s.ConferenceUp.Known() || s.ConferenceDown.Known() || f.segment(atTransit).known() || f.segment(atServer).known() || f.faultSegment() != "":
		return ""
	case s.Gateway.Lost > 0 && s.ToLAN.Lost > 0:
		return "" // two streams at different times
	}
	return uncertain
}

// streams returns the counts of the check for the model.
func (f *facts) streams() lossmodel.Streams {
	var s lossmodel.Streams
	s.VoiceUp, s.VoiceDown = f.directions()
	if f.brokeOff(s.VoiceUp, s.VoiceDown) {
		s.VoiceUp, s.VoiceDown = lossmodel.Count{}, lossmodel.Count{}
	}
	if hole, ok := f.wasAway(s.VoiceUp); ok {
		s.VoiceUp.RunPackets, s.VoiceDown, s.Together = hole, lossmodel.Count{}, true
	}
	narrowUp, narrowDown := f.narrow()
	if narrowUp {
		s.VoiceUp = lossmodel.Count{}
	}
	if narrowDown {
		s.VoiceDown = lossmodel.Count{}
	}
	if narrowUp || narrowDown {
		return s // every echo crosses the narrow direction as well
	}
	if !s.Together {
		s.ConferenceUp, s.ConferenceDown = f.conferenceDirections()
	}
	s.Gateway = f.gateway()
	s.ToLAN, s.ToAccess = f.echo(atLAN), f.echo(atAccess)
	s.ToCollector, s.ToServer = f.echo(atTransit), f.echo(atServer)
	if f.path != nil {
		s.PathRunPackets = runPackets(f.path.LossRunPackets)
	}
	s.Known, s.Supposed = f.placeByPath(s)
	return s
}

// placeByPath returns the place of the loss that network.path determined, where the
// counts of lost packets do not show it: because this computer could not send for a
// while, or because there is no router in between. known is certain, supposed is not;
// both are nil if the counts suffice.
func (f *facts) placeByPath(s lossmodel.Streams) (known, supposed *lossmodel.Place) {
	countedEnd := f.segment(atTransit).known() || f.segment(atServer).known()
	switch f.faultSegment() {
	case atLAN:
		if s.ToLAN.Lost == 0 {
			return new(lossmodel.LAN), nil
		}
	case "none":
		if !countedEnd {
			return new(lossmodel.Elsewhere), nil
		}
	case atAccess, atTransit:
		if !countedEnd {
			return nil, new(lossmodel.Access)
		}
	case atServer:
		if !countedEnd {
			return nil, new(lossmodel.Server)
		}
	}
	return nil, nil
}

// gateway returns the stream of network.link to the next router.
func (f *facts) gateway() lossmodel.Count {
	if f.link == nil {
		return lossmodel.Count{}
	}
	pct, ok := number(f.link.GatewayLossPct)
	sent, haveSent := count(f.link.GatewaySent)
	return countOf(sent, pct, f.link.GatewayLossRunPackets, ok && haveSent)
}

func (f *facts) echo(name string) lossmodel.Count {
	c := f.segment(name)
	if !c.known() {
		return lossmodel.Count{}
	}
	return lossmodel.Count{Sent: c.sent, Lost: c.lost}
}

// directions returns the losses of the voice stream up and down.
func (f *facts) directions() (up, down lossmodel.Count) {
	v := f.stream()
	if v == nil {
		return up, down
	}
	of := func(sent *int, pct, run *float64) lossmodel.Count {
		n, ok := count(sent)
		share, haveShare := number(pct)
		c := countOf(n, share, run, ok && haveShare)
		if ratio, known := number(v.BurstRatio); c.RunPackets == 0 && c.Lost > 0 && c.Lost < c.Sent && known {
			// Old reports without run lengths have the burst ratio of the worse
			// direction.
			c.RunPackets = min(c.Lost, max(1, ratio/(1-c.Lost/c.Sent)))
		}
		return c
	}
	return of(v.Sent, v.UpLossPct, v.UpLossRunPackets), of(v.DownSent, v.DownLossPct, v.DownLossRunPackets)
}

// conferenceDirections returns the losses of the voice to the conference server, if it went
// over UDP directly: over TCP nothing is lost, and behind a relay the path is another one.
func (f *facts) conferenceDirections() (up, down lossmodel.Count) {
	path := f.conferencePath()
	if !strings.HasSuffix(path, " udp") || strings.HasPrefix(path, "relay") {
		return up, down
	}
	m := f.conference.Media
	arrived, ok := count(m.UpReceived)
	if pct, known := number(m.UpLossPct); ok && known && pct < 100 && !f.reportedEarly() {
		up = countOf(math.Round(arrived*100/(100-pct)), pct, m.UpLossRunPackets, true)
	}
	sent, ok := count(m.DownSent)
	if pct, known := number(m.DownLossPct); known {
		down = countOf(sent, pct, m.DownLossRunPackets, ok)
	}
	// Where the system's figures do not contain runs, those of the other stream apply.
	if v := f.stream(); v != nil {
		for _, c := range []struct {
			count *lossmodel.Count
			run   *float64
		}{{&up, v.UpLossRunPackets}, {&down, v.DownLossRunPackets}} {
			if c.count.RunPackets == 0 {
				c.count.RunPackets = min(c.count.Lost, runPackets(c.run))
			}
		}
	}
	return up, down
}

// reportedEarly reports that the upstream loss may contain packets that were late. The last
// report of BigBlueButton comes while the voice runs: packets that are overtaken by later
// ones and arrive after it count as lost. Below a jitter of one packet that is improbable.
// Janus and LiveKit return such packets, and WHIP endpoints report after the end.
func (f *facts) reportedEarly() bool {
	jitter, ok := number(f.conference.Media.UpJitterMS)
	return f.conference.probe == report.ProbeBBB && ok && jitter >= packetMS
}

func countOf(sent, lossPct float64, run *float64, ok bool) lossmodel.Count {
	if !ok || !(lossPct >= 0 && lossPct <= 100) || !(sent >= 0 && sent < roundable) {
		return lossmodel.Count{}
	}
	return lossmodel.Count{Sent: sent, Lost: math.Round(sent * lossPct / 100), RunPackets: runPackets(run)}
}

func runPackets(run *float64) float64 {
	n, ok := number(run)
	if !ok || !(n >= 1 && n < roundable) {
		return 0
	}
	return n
}

// packetMS is the length of voice in one packet.
const packetMS = 20

// shortVoice is the number of packets below which a stream may have missed the losses
// of the path's five seconds: on a lossy line the voice begins late and has little
// time.
const shortVoice = 150

// brokeOff reports that the voice stream ended early or was short, and lost almost
// nothing compared with the path: it describes another period.
func (f *facts) brokeOff(up, down lossmodel.Count) bool {
	if f.voice == nil || f.voice.State != report.MediaInterrupted && !(up.Known() && up.Sent < shortVoice) {
		return false
	}
	for _, name := range []string{atAccess, atTransit, atServer} {
		end := f.segment(name)
		if end.known() && end.sent >= shortVoice/2 && max(share(up), share(down)) < end.share()/4 {
			return true
		}
	}
	return false
}

func share(c lossmodel.Count) float64 {
	if !c.Known() {
		return 0
	}
	return c.Lost / c.Sent
}

// wasAway reports that the line was interrupted, and for how many packets of the voice:
// the upstream loss is one long gap. The reflector then receives nothing that it could
// send back, so downstream appears to lose nothing.
func (f *facts) wasAway(up lossmodel.Count) (packets float64, ok bool) {
	v := f.stream()
	if v == nil || !(up.Lost > 0) {
		return 0, false
	}
	hole, ok := number(v.LongestGapMS)
	packets = hole / packetMS
	return packets, ok && hole >= f.Link.OutageMS.Value && packets >= 0.8*up.Lost && packets <= 1.25*up.Lost
}

// degreeOf compares an estimate with the limits. A loss disturbs from the warn limit on,
// if the lower end of its interval is above the inaudible loss.
func (f *facts) degreeOf(r lossmodel.Rate, above func(float64) float64, limits Limit) degree {
	if limits.Fail != nil && r.Pct > *limits.Fail && above(*limits.Fail) >= failNeeds {
		return degree{report.SeverityFail, *limits.Fail, above(*limits.Fail)}
	}
	if limits.Warn != nil && r.Pct >= *limits.Warn && r.LowPct > f.Voice.LossCertainPct.Value {
		return degree{report.SeverityWarn, *limits.Warn, above(*limits.Warn)}
	}
	return degree{}
}

// placed returns the segment that loses packets, if the streams tell.
func (f *facts) placed(p lossmodel.Posterior) (segment string, sure float64) {
	line := p.At(lossmodel.Access) + p.At(lossmodel.Transit)
	switch {
	case p.At(lossmodel.LAN) >= placedFrom:
		return atLAN, p.At(lossmodel.LAN)
	case line >= placedFrom:
		return atAccess, line
	case p.At(lossmodel.Server) >= placedServerFrom:
		return atServer, p.At(lossmodel.Server)
	}
	return "", 0
}

// disturbs reports whether the loss is more than loss concealment covers.
func (l *losses) disturbs() bool { return l.worst.severity != "" }

// oneWay reports that the access line loses packets in one direction only. Such a loss
// has other causes than one in both directions.
func (l *losses) oneWay() bool {
	goes := func(d lossmodel.Direction) float64 {
		return (l.At(lossmodel.Access)*l.Goes(lossmodel.Access, d) + l.At(lossmodel.Transit)*l.Goes(lossmodel.Transit, d)) / l.sure
	}
	return goes(lossmodel.Up) >= oneWayFrom || goes(lossmodel.Down) >= oneWayFrom
}

// lineLoses reports that so many packets are lost that a server's silence or a slow
// handshake proves nothing.
func (f *facts) lineLoses() bool { return f.losses().disturbs() }

// lossExplains reports that single packets are lost, which causes retransmissions: a
// name lookup of one second then does not prove a slow server.
func (f *facts) lossExplains() bool {
	l := f.losses()
	return l.excluded == "" && l.Worst.Pct >= f.Voice.LossCertainPct.Value
}
