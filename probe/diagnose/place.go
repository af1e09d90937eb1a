package diagnose

import (
	"math"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// The names of the segments as network.path has them, nearest first.
const (
	atLAN     = "lan"
	atAccess  = "access"
	atTransit = "transit"
	atServer  = "server"
)

const (
	// byChance is how likely a difference between two shares may be by chance to
	// be called one.
	byChance = 0.05
	// rarelyByChance is for what blames a server: of a hundred lines that lose
	// 12 %, three have a stream to the provider that loses so much less.
	rarelyByChance = 0.01
)

// lossPlace is where the loss comes about, and how that is known.
type lossPlace struct {
	segment    string // "" where that is not known
	confidence float64
	evidence   []report.Evidence
}

// placeOfLoss believes network.path where it names a segment. Its streams are
// shorter than the voice, so that a loss of a few percent may stay below their
// own threshold: then what the voice lost is the proof that there is one, and
// the streams only say where.
func (f *facts) placeOfLoss() lossPlace {
	if f.udpCut() {
		return lossPlace{} // what somebody keeps back is lost nowhere
	}
	if _, _, full := f.overflows(); full {
		return lossPlace{} // at no place of the line, but for want of room
	}
	if up, down := f.narrow(); up || down {
		return lossPlace{} // what does not fit is lost at the narrow place, and is no fault of it
	}
	voice := f.worseDirection()
	switch s := f.faultSegment(); {
	case s == atServer && f.providerMayLose(voice):
		// The path's streams differ by chance; the voice has the last word.
	case slices.Contains([]string{atLAN, atAccess, atTransit, atServer}, s):
		return lossPlace{s, likely, []report.Evidence{ofFaultSegment(s)}}
	}
	if f.path == nil || len(f.voiceLost()) == 0 {
		return lossPlace{}
	}
	lan, access := f.segment(atLAN), f.segment(atAccess)
	if !voice.known() || !lan.known() || f.endsContradict(voice) {
		return lossPlace{}
	}
	switch {
	case !lan.fewerThan(voice):
		// As much at the first router as on all of the way, or too little to tell.
		if voice.fewerThan(lan) || !lan.loses() || lan.share() < voice.share()/2 {
			return lossPlace{}
		}
		return placed(atLAN, lan)
	case !access.known():
		return lossPlace{}
	case lan.fewerThan(access) && access.share() >= voice.share()/2:
		return placed(atAccess, access)
	case access.mostlySpared(voice):
		return placed(atServer, access)
	}
	return lossPlace{}
}

// providerMayLose says that the provider's router, which is held against a single
// end, did not lose clearly less than the voice did: what the path calls a
// server's loss may be the line's.
func (f *facts) providerMayLose(voice counts) bool {
	access := f.segment(atAccess)
	twoEnds := f.segment(atTransit).known() && f.segment(atServer).known()
	return len(f.voiceLost()) > 0 && voice.known() && access.known() && !twoEnds && !access.mostlySpared(voice)
}

// placed is a place that follows from the stream to a segment's end.
func placed(segment string, c counts) lossPlace {
	return lossPlace{segment, suggested, []report.Evidence{
		observed(report.ProbeNetworkPath, "segments", segment, ""),
	}}
}

// endsContradict says that a far end of the path lost clearly less than the
// voice: what the voice lost, it lost at another time or by another way.
func (f *facts) endsContradict(voice counts) bool {
	for _, name := range []string{atTransit, atServer} {
		if end := f.segment(name); end.known() && end.fewerThan(voice) {
			return true
		}
	}
	return false
}

// counts is how many packets were sent and lost.
type counts struct{ sent, lost float64 }

// knownFrom is how many packets a stream needs before it counts.
const knownFrom = 8

func (c counts) known() bool {
	return c.sent >= knownFrom && c.sent < roundable && c.lost >= 0 && c.lost < c.sent
}

func (c counts) share() float64 { return c.lost / c.sent }
func (c counts) loses() bool    { return c.lost >= 3 }

// fewerThan says whether c lost a smaller share than d beyond chance.
func (c counts) fewerThan(d counts) bool { return c.alikeWith(d) < byChance }

// mostlySpared says that most of what d lost c did not, and not by chance.
func (c counts) mostlySpared(d counts) bool {
	return c.share() < d.share()/2 && c.alikeWith(d) < rarelyByChance
}

// alikeWith is the chance that c loses so little beside d if both lose alike, by
// Fisher's exact test: how likely so few of all the lost packets are in c.
func (c counts) alikeWith(d counts) (p float64) {
	total, lost := c.sent+d.sent, c.lost+d.lost
	for k := max(0, lost-d.sent); k <= c.lost; k++ {
		p += math.Exp(logChoose(c.sent, k) + logChoose(d.sent, lost-k) - logChoose(total, lost))
	}
	return p
}

func logChoose(n, k float64) float64 {
	f := func(n float64) float64 { v, _ := math.Lgamma(n + 1); return v }
	return f(n) - f(k) - f(n-k)
}

// segment is the stream to the far end of a segment of network.path.
func (f *facts) segment(name string) counts {
	if f.path == nil {
		return counts{}
	}
	for _, s := range f.path.Segments {
		sent, haveSent := count(s.Sent)
		lost, haveLost := count(s.Lost)
		if s.Name == name && haveSent && haveLost {
			return counts{math.Round(sent), math.Round(lost)}
		}
	}
	return counts{}
}

// directions are what the voice stream lost on its way up and down.
func (f *facts) directions() (up, down counts) {
	v := f.stream()
	if v == nil {
		return up, down
	}
	of := func(sent *int, pct *float64) counts {
		n, ok := count(sent)
		share, haveShare := number(pct)
		if !ok || !haveShare || !(share >= 0 && share <= 100) || !(n >= 0 && n < roundable) {
			return counts{}
		}
		return counts{n, math.Round(n * share / 100)}
	}
	return of(v.Sent, v.UpLossPct), of(v.DownSent, v.DownLossPct)
}

func (f *facts) worseDirection() counts {
	up, down := f.directions()
	switch {
	case !down.known(), up.known() && up.share() >= down.share():
		return up
	}
	return down
}

// packetMS is how much of the voice a packet carries.
const packetMS = 20

// longestGapMS is the longest hole of the voice stream in ms.
func (f *facts) longestGapMS() *float64 {
	if v := f.stream(); v != nil {
		return v.LongestGapMS
	}
	return nil
}

// oneDirection says that the voice lost clearly more one way than the other, as
// on a line whose own way up is full. While a line is away the reflector gets
// nothing that it could send back, so that only the way up seems to lose.
func (f *facts) oneDirection() bool {
	up, down := f.directions()
	if !up.known() || !down.known() || up.fewerThan(down) {
		return up.known() && down.known()
	}
	hole, ok := number(f.longestGapMS())
	away := ok && hole >= f.Link.OutageMS.Value && hole/packetMS >= 0.8*up.lost
	return down.fewerThan(up) && !away
}

// delayPlace is the nearest segment from which on round trips vary as much as
// they do on the whole way; "" where they do not, or that is not known. A
// router that is slow to answer while all behind it is swift varies alone.
func (f *facts) delayPlace() (segment string, limit float64) {
	if f.path == nil {
		return "", 0
	}
	type at struct {
		name string
		ms   float64
	}
	var all []at
	for _, name := range []string{atLAN, atAccess, atTransit, atServer} {
		for _, s := range f.path.Segments {
			least, ok1 := number(s.RTTMinMS)
			p95, ok2 := number(s.RTTP95MS)
			if s.Name == name && ok1 && ok2 && f.segment(name).known() {
				all = append(all, at{name, p95 - least})
			}
		}
	}
	for i, a := range all {
		_, limit, passed := f.Link.DelaySpreadMS.above(a.ms)
		if !passed {
			continue
		}
		shared := i < len(all)-1 || a.name != atLAN // an end that is the router itself proves nothing
		for _, behind := range all[i+1:] {
			shared = shared && behind.ms >= a.ms/2
		}
		if shared {
			return a.name, limit
		}
	}
	return "", 0
}

// pathLossSeverity is how bad the path's own loss is where no whole voice stream
// was measured. A packet of the path goes both ways, so that about half of its
// loss is what a voice would meet.
func (f *facts) pathLossSeverity() report.Severity {
	worst := 0.0
	for _, name := range []string{atTransit, atServer} {
		if end := f.segment(name); end.known() {
			worst = max(worst, 50*end.share())
		}
	}
	if lan := f.segment(atLAN); worst == 0 && lan.known() {
		worst = 50 * lan.share() // nothing behind it could be asked at all
	}
	if severity, _, passed := f.Voice.UpLossPct.above(worst); passed {
		return severity
	}
	return report.SeverityWarn
}

// routerLoses reports that the way to the own router lost packets of two probes
// while no voice stream came about: routers leave answers out, but not so that
// everything behind them fails as well.
func (f *facts) routerLoses() bool {
	lan := f.segment(atLAN)
	if f.stream() != nil || f.gatewayLost() == nil || !lan.known() {
		return false
	}
	_, _, passed := f.Link.GatewayLossPct.above(wilson(lan.lost, lan.sent)[0])
	return passed
}

// lineLoses reports that so much gets lost in the own network, on the line or on
// the way to a far end that did answer, that a server's silence proves nothing.
func (f *facts) lineLoses() bool {
	for _, name := range []string{atTransit, atServer} {
		end := f.segment(name)
		if !end.known() {
			continue
		}
		if _, _, passed := f.Voice.UpLossPct.above(50 * end.share()); passed {
			return true
		}
	}
	place := f.placeOfLoss().segment
	return place == atLAN || place == atAccess || f.routerLoses()
}

// targetNeverAnswered reports that the machine behind network.web's server kept
// silent to a whole stream of packets, which no loss on the way brings about.
func (f *facts) targetNeverAnswered() bool {
	if f.path == nil {
		return false
	}
	ends := []string{atTransit}
	if f.target != "" {
		ends = []string{atServer, atTransit} // one machine may be both
	}
	for _, name := range ends {
		for _, s := range f.path.Segments {
			if sent, ok := count(s.Sent); s.Name == name {
				return ok && sent >= knownFrom && s.Lost == nil
			}
		}
	}
	return false
}
