package stats

import "math"

// Jitter is the interarrival jitter of RFC 3550 §6.4.1 in ms: D = (Rj-Ri)-(Sj-Si) for successive
// packets in order of arrival, J += (|D|-J)/16.
//
// J depends on the last few dozen packets only, so its final value says little about a whole stream;
// reports should use MeanAbsD.
type Jitter struct {
	FinalMS float64 // J after the last packet, as RTCP sends it
	MeanMS  float64 // mean of J over the stream from the second packet on, as tshark shows it
	MaxMS   float64 // highest J
	// MeanAbsDMS is the mean of |D|, which J estimates, without J's start at zero and its short memory.
	MeanAbsDMS float64
}

// JitterOf returns the jitter of packets in order of arrival, or nil for fewer than two. The caller
// removes duplicates.
func JitterOf(packets []Packet) *Jitter {
	var r jitterRun
	for i := 1; i < len(packets); i++ {
		r.add(float64(packets[i].delayNS() - packets[i-1].delayNS()))
	}
	return r.result()
}

// RTPArrival is an RTP packet as seen by a receiver without our own timestamps.
type RTPArrival struct {
	ArrivedNS int64
	Stamp     uint32 // RTP time stamp
}

// JitterRTP computes the jitter from RTP timestamps at clockHz. Differences are computed as int32, so
// a wrap-around is not a jump.
func JitterRTP(packets []RTPArrival, clockHz uint32) *Jitter {
	if clockHz == 0 {
		return nil
	}
	var r jitterRun
	for i := 1; i < len(packets); i++ {
		step := int32(packets[i].Stamp - packets[i-1].Stamp)
		r.add(float64(packets[i].ArrivedNS-packets[i-1].ArrivedNS) - float64(step)*1e9/float64(clockHz))
	}
	return r.result()
}

// jitterRun is the running estimate in ns.
type jitterRun struct {
	n                      int
	j, sumJ, maxJ, sumAbsD float64
}

func (r *jitterRun) add(d float64) {
	d = math.Abs(d)
	r.j += (d - r.j) / 16
	r.sumJ += r.j
	r.maxJ = max(r.maxJ, r.j)
	r.sumAbsD += d
	r.n++
}

func (r *jitterRun) result() *Jitter {
	if r.n == 0 {
		return nil
	}
	n := float64(r.n)
	return &Jitter{
		FinalMS:    r.j / nsPerMS,
		MeanMS:     r.sumJ / n / nsPerMS,
		MaxMS:      r.maxJ / nsPerMS,
		MeanAbsDMS: r.sumAbsD / n / nsPerMS,
	}
}
