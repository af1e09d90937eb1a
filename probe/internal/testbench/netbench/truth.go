package netbench

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// Direction is the direction of a packet.
type Direction int

// Directions: from the home to the server and back.
const (
	Up Direction = iota
	Down
)

func (d Direction) String() string { return [...]string{"up", "down"}[d] }

// Passage records what happened to one packet. Times are nanoseconds since the link
// began, addresses those at the sending end.
type Passage struct {
	Direction Direction
	Protocol  byte
	From, To  netip.AddrPort
	Bytes     int
	OfHome    bool // sent by the home
	RTP       bool
	Seq       uint16 // of the RTP header
	Stamp     uint32
	SSRC      uint32

	InNS int64
	// OutNS contains the arrival of each copy, in order; it is empty if the packet
	// was lost.
	OutNS []int64
	// Arrived is the host that received it; "" if it was dropped.
	Arrived string
	// Dropped states where and why, such as "access: queue".
	Dropped string
}

// DelayNS returns the delay of the first copy.
func (p *Passage) DelayNS() int64 { return p.OutNS[0] - p.InNS }

// Truth contains the packets of a check in the order in which the link received
// them.
type Truth []Passage

// RTP returns the stream with the most packets in a direction: a check may try
// several, and failed ones have very few.
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

// UDP returns the packets in a direction to or from a UDP port of the server.
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

// Figures are the statistics of one stream in one direction.
type Figures struct {
	Sent, Received int
	LossPct        float64
	// JitterMS is J of RFC 3550 §6.4.1 after the last packet, MeanAbsDMS the mean
	// of the |D| from which it is computed.
	JitterMS, MeanAbsDMS  float64
	Reordered, Duplicates int // RFC 4737 §3.3, and additional copies
	DelayP50MS            float64
}

// Figures returns the statistics of a stream selected by RTP.
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

// reordered counts as in RFC 4737 §3.3: numbers below the highest one so far.
// Differences are computed as int16 because of the wrap-around.
func reordered(inOrderOfArrival Truth) (n int) {
	for i, p := range inOrderOfArrival {
		if i == 0 {
			continue
		}
		if highest := inOrderOfArrival[0].Seq; int16(p.Seq-highest) < 0 {
			n++
		} else {
			inOrderOfArrival[0].Seq = p.Seq // its own number may not be used again
		}
	}
	return n
}

func (t Truth) arrivals() Truth {
	return t.where(func(p *Passage) bool { return len(p.OutNS) > 0 })
}

// RoundTripP50MS returns the median over the packets numbered below judged of the
// sum of both passages of the first echo; NaN if there is none. The reflector
// responds in order of arrival, so the k-th arrival, copies included, belongs to
// the k-th packet that it sends.
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
