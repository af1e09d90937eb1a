package diagnose

import (
	"math"
)

// Names of the segments in network.path, nearest first.
const (
	atLAN     = "lan"
	atAccess  = "access"
	atTransit = "transit"
	atServer  = "server"
)

// counts is the number of packets sent and lost.
type counts struct{ sent, lost float64 }

// knownFrom is the minimum number of packets of a stream that is evaluated.
const knownFrom = 8

func (c counts) known() bool {
	return c.sent >= knownFrom && c.sent < roundable && c.lost >= 0 && c.lost < c.sent
}

func (c counts) share() float64 { return c.lost / c.sent }

// segment returns the stream to the far end of a segment of network.path.
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

// delayPlace returns the nearest segment from which on the round trips vary as much as
// on the whole path; "" if they do not or that is unknown. A router whose answers are
// slow while those behind it are fast is alone in its variation and does not count.
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
		shared := i < len(all)-1 || a.name != atLAN // a path that ends at the router proves nothing
		for _, behind := range all[i+1:] {
			shared = shared && behind.ms >= a.ms/2
		}
		if shared {
			return a.name, limit
		}
	}
	return "", 0
}

// targetNeverAnswered reports that the machine of network.web's server answered none of
// a whole stream of packets, which loss does not explain.
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
