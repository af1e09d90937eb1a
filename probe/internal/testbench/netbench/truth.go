package netbench

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// Direction is the way of a packet.
type Direction int

// The directions: from the home to the server and back.
const (
	Up Direction = iota
	Down
)

func (d Direction) String() string { return [...]string{"up", "down"}[d] }

// Passage is the truth about one packet. Times are nanoseconds since the link
// began, addresses those at the end where the packet was sent.
type Passage struct {
	Direction Direction
	Protocol  byte
	From, To  netip.AddrPort
	Bytes     int
	OfHome    bool // sent by the home
	RTP       bool
	Seq       uint16 // of RTP
	SSRC      uint32

	InNS int64
	// OutNS has one entry for each copy that arrived, first the first; empty: lost.
	OutNS []int64
	// Arrived names the host that got it; "" when it was dropped.
	Arrived string
	// Dropped says where and why, such as "access: queue".
	Dropped string
}

// DelayNS is that of the first copy.
func (p *Passage) DelayNS() int64 { return p.OutNS[0] - p.InNS }

// Truth is what the link did to a check's packets, in the order in which it
// took them in.
type Truth []Passage

// RTP is the stream of the direction with most packets: a check may try
// several, and those that did not get on have next to none.
func (t Truth) RTP(d Direction) Truth {
	count := map[uint32]int{}
	for _, p := range t {
		if p.RTP && p.Direction == d {
			count[p.SSRC]++
		}
	}
	most := uint32(0)
	for ssrc, n := range count {
		if n > count[most] || n == count[most] && ssrc < most {
			most = ssrc
		}
	}
	return t.where(func(p *Passage) bool { return p.RTP && p.Direction == d && p.SSRC == most })
}

// UDP is the direction's packets to or from a port of the server's.
func (t Truth) UDP(d Direction, serverPort uint16) Truth {
	return t.where(func(p *Passage) bool {
		far := p.To
		if d == Down {
			far = p.From
		}
		return p.Protocol == protoUDP && p.Direction == d && far.Port() == serverPort
	})
}

func (t Truth) where(keep func(*Passage) bool) Truth {
	var out Truth
	for i := range t {
		if keep(&t[i]) {
			out = append(out, t[i])
		}
	}
	return out
}

// Figures are those of one stream in one direction.
type Figures struct {
	Sent, Received int
	LossPct        float64
	// JitterMS is the J of RFC 3550 §6.4.1 after the last packet, MeanAbsDMS the
	// mean of the |D| it is made of.
	JitterMS, MeanAbsDMS  float64
	Reordered, Duplicates int // RFC 4737 §3.3, and further copies
	DelayP50MS            float64
}

// Figures of a stream that RTP has selected.
func (t Truth) Figures() Figures {
	f := Figures{Sent: len(t)}
	arrived := t.arrivals()
	for _, p := range arrived {
		f.Duplicates += len(p.OutNS) - 1
	}
	f.Received = len(arrived)
	if f.Sent > 0 {
		f.LossPct = 100 * float64(f.Sent-f.Received) / float64(f.Sent)
	}
	slices.SortStableFunc(arrived, func(a, b Passage) int { return cmp.Compare(a.OutNS[0], b.OutNS[0]) })
	var delays []float64
	sumAbsD := 0.0
	for i, p := range arrived {
		delays = append(delays, float64(p.DelayNS())/1e6)
		if i == 0 {
			continue
		}
		d := math.Abs(delays[i] - delays[i-1]) // (Rj-Ri)-(Sj-Si)
		f.JitterMS += (d - f.JitterMS) / 16
		sumAbsD += d
	}
	if n := len(arrived) - 1; n > 0 {
		f.MeanAbsDMS = sumAbsD / float64(n)
	}
	f.Reordered = reordered(arrived)
	f.DelayP50MS = median(delays)
	return f
}

// reordered counts as RFC 4737 §3.3 does: numbers below the highest seen. A
// difference of int16 survives the wrap.
func reordered(inOrderOfArrival Truth) (n int) {
	for i, p := range inOrderOfArrival {
		if i == 0 {
			continue
		}
		if highest := inOrderOfArrival[0].Seq; int16(p.Seq-highest) < 0 {
			n++
		} else {
			inOrderOfArrival[0].Seq = p.Seq // its own number has been used up
		}
	}
	return n
}

func (t Truth) arrivals() Truth {
	return t.where(func(p *Passage) bool { return len(p.OutNS) > 0 })
}

// RoundTripP50MS adds the two passages of the first echo of each packet numbered
// below judged. The reflector answers every arrival in turn, so that the k-th
// arrival, copies included, belongs to the k-th packet it sends. NaN without any.
func RoundTripP50MS(up, down Truth, judged int) float64 {
	type arrival struct {
		outNS, delayNS int64
		counts         bool
	}
	var arrivals []arrival
	for _, p := range up.arrivals() {
		for copied, out := range p.OutNS {
			arrivals = append(arrivals, arrival{out, out - p.InNS, copied == 0 && int(p.Seq) < judged})
		}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.outNS, b.outNS) })
	var trips []float64
	for k, p := range down {
		if k < len(arrivals) && arrivals[k].counts && len(p.OutNS) > 0 {
			trips = append(trips, float64(arrivals[k].delayNS+p.DelayNS())/1e6)
		}
	}
	return median(trips)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
