package diagnose

import (
	"math"
)

// The names of the segments as network.path has them, nearest first.
const (
	atLAN     = "lan"
	atAccess  = "access"
	atTransit = "transit"
	atServer  = "server"
)

// counts is how many packets were sent and lost.
type counts struct{ sent, lost float64 }

// knownFrom is how many packets a stream needs before it counts.
const knownFrom = 8

func (c counts) known() bool {
	return c.sent >= knownFrom && c.sent < roundable && c.lost >= 0 && c.lost < c.sent
}

func (c counts) share() float64 { return c.lost / c.sent }

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

// targetNeverAnswered reports that the machine behind network.web's server kept
// silent to a whole stream of packets, which no loss on the way brings about.
func (f *facts) targetNeverAnswered() bool {
	if f.path == nil {
		return false
	}
	for _, name := range segmentsToward(f.webEnd()) {
		for _, s := range f.path.Segments {
			if sent, ok := count(s.Sent); s.Name == name {
				return ok && sent >= knownFrom && s.Lost == nil
			}
		}
	}
	return false
}
