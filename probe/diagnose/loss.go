package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/report"
)

// losses is what all streams of a check say together of the loss on the way.
type losses struct {
	// excluded is why the lost packets are no loss of the line; "" where they are.
	excluded exclusion
	lossmodel.Posterior
	// up, down and worst are how bad the loss is in each direction, and in the
	// worse one, which is known better than which of the two that is.
	up, down, worst degree
	// place is the segment that loses, "" where that is not known, and sure how
	// probable it is.
	place string
	sure  float64
}

// exclusion is a reason for which lost packets are no loss of the line.
type exclusion string

// The exclusions. Where one direction alone is too narrow, the other is judged.
const (
	keptBack      exclusion = "kept_back"  // a firewall lets no more UDP pass: nothing was lost
	queueFull     exclusion = "queue_full" // a queue drops what does not fit
	tooSmall      exclusion = "too_small"  // the line is narrower than the voice: its own surplus is dropped
	uncertain     exclusion = "uncertain"  // only the next router lost packets, by one stream: it may limit its answers
	nothingIsLost exclusion = "nothing_is_lost"
)

// degree is how bad a loss is.
type degree struct {
	severity report.Severity // "" where it does not disturb
	limit    float64         // that it passed, in percent
	sure     float64         // how probable it is that the true share passes it
}

// How probable a segment must be to be named, and a direction of the access line.
// A server is nobody's line: it needs more.
const (
	placedFrom       = 0.8
	placedServerFrom = 0.9
	oneWayFrom       = 0.8
)

// failNeeds is the probability under which a loss beyond the fail limit is only
// called a disturbance: a few packets in a short stream prove no more.
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

// noLoss names what else than a loss of the line accounts for lost packets.
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
	case s.VoiceUp.Known() || s.VoiceDown.Known() || f.segment(atTransit).known() || f.segment(atServer).known() || f.faultSegment() != "":
		return ""
	case s.Gateway.Lost > 0 && s.ToLAN.Lost > 0:
		return "" // two streams at different times
	}
	return uncertain
}

// streams are the counts of the check for the model.
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
		return s // every echo passes the narrow direction too
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

// placeByPath is what network.path knows beside its counts. That this computer
// could send nothing for a while, or that no router lies in between, shows in no
// count of lost packets.
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

// gateway is network.link's stream to the next router.
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

// directions are what the voice stream lost on its way up and down.
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
			// Reports before run lengths have the burst ratio of the worse direction.
			c.RunPackets = min(c.Lost, max(1, ratio/(1-c.Lost/c.Sent)))
		}
		return c
	}
	return of(v.Sent, v.UpLossPct, v.UpLossRunPackets), of(v.DownSent, v.DownLossPct, v.DownLossRunPackets)
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

// packetMS is how much of the voice a packet carries.
const packetMS = 20

// shortVoice is a stream so short that it may have met none of what the path met in
// its five seconds: on a lossy line the voice begins late, and has little time.
const shortVoice = 150

// brokeOff says that the voice stream ended early, or was short, and had lost
// hardly anything beside what the path lost: it tells of another time.
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

// wasAway says that the line was away for a while, for how many packets of the
// voice: what it lost on the way up is one long hole. The reflector gets nothing
// then that it could send back, so that the way down seems to lose nothing.
func (f *facts) wasAway(up lossmodel.Count) (packets float64, ok bool) {
	v := f.stream()
	if v == nil || !(up.Lost > 0) {
		return 0, false
	}
	hole, ok := number(v.LongestGapMS)
	packets = hole / packetMS
	return packets, ok && hole >= f.Link.OutageMS.Value && packets >= 0.8*up.Lost && packets <= 1.25*up.Lost
}

// degreeOf holds an estimate against the limits: it disturbs from the warn limit
// on, where its interval lies above what nobody hears.
func (f *facts) degreeOf(r lossmodel.Rate, above func(float64) float64, limits Limit) degree {
	if limits.Fail != nil && r.Pct > *limits.Fail && above(*limits.Fail) >= failNeeds {
		return degree{report.SeverityFail, *limits.Fail, above(*limits.Fail)}
	}
	if limits.Warn != nil && r.Pct >= *limits.Warn && r.LowPct > f.Voice.LossCertainPct.Value {
		return degree{report.SeverityWarn, *limits.Warn, above(*limits.Warn)}
	}
	return degree{}
}

// placed is the segment that loses, where the streams tell.
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

// disturbs reports whether the loss is more than concealment covers.
func (l *losses) disturbs() bool { return l.worst.severity != "" }

// oneWay says that the access line loses in one direction alone: what fills it, or
// is wrong with it, differs by the direction.
func (l *losses) oneWay() bool {
	goes := func(d lossmodel.Direction) float64 {
		return (l.At(lossmodel.Access)*l.Goes(lossmodel.Access, d) + l.At(lossmodel.Transit)*l.Goes(lossmodel.Transit, d)) / l.sure
	}
	return goes(lossmodel.Up) >= oneWayFrom || goes(lossmodel.Down) >= oneWayFrom
}

// lineLoses reports that so much gets lost on the way that a server's silence, or
// a handshake that takes long, proves nothing.
func (f *facts) lineLoses() bool { return f.losses().disturbs() }

// lossExplains reports that packets get lost now and then, of which a single one
// makes a question be repeated: names that take a second prove no slow server then.
func (f *facts) lossExplains() bool {
	l := f.losses()
	return l.excluded == "" && l.Worst.Pct >= f.Voice.LossCertainPct.Value
}
