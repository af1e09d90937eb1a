package stats

// Fate is the outcome of a packet, in order of number.
type Fate uint8

// The fates of RFC 3611 §4.7.2.
const (
	Lost      Fate = iota // never arrived
	Received              // arrived in time to be played
	Discarded             // arrived too late to be played
)

// Gmin is the number of consecutively received packets that ends a burst; RFC 3611 §4.7.2 recommends 16.
const Gmin = 16

// Bursts are the bursts and gaps of RFC 3611 §4.7.2, in packets. A burst begins and ends with a loss or
// discard and contains no run of Gmin or more received packets. An isolated loss belongs to the surrounding
// gap. Everything outside of bursts is gap.
type Bursts struct {
	Bursts       int // number of bursts
	BurstPackets int // packets inside bursts
	BurstLost    int // of them lost or discarded
	Gaps         int // number of gaps
	GapPackets   int
	GapLost      int
}

// BurstsOf finds bursts and gaps with the given gmin (at least 1).
func BurstsOf(fates []Fate, gmin int) Bursts {
	var b Bursts
	end := 0 // end of the last burst
	for at := 0; at < len(fates); {
		if fates[at] == Received {
			at++
			continue
		}
		last, lost := burstFrom(fates, at, gmin)
		if lost == 1 {
			b.GapLost++
		} else {
			b.addGap(at - end)
			b.Bursts++
			b.BurstPackets += last + 1 - at
			b.BurstLost += lost
			end = last + 1
		}
		at = last + 1
	}
	b.addGap(len(fates) - end)
	return b
}

// burstFrom follows the losses from at while fewer than gmin received packets are between them.
func burstFrom(fates []Fate, at, gmin int) (last, lost int) {
	last, lost = at, 1
	for i := at + 1; i < len(fates) && i-last <= gmin; i++ {
		if fates[i] != Received {
			last = i
			lost++
		}
	}
	return last, lost
}

func (b *Bursts) addGap(packets int) {
	if packets > 0 {
		b.Gaps++
		b.GapPackets += packets
	}
}

// BurstDensity returns the share of packets lost or discarded within bursts, 0 to 1; 0 without bursts.
func (b Bursts) BurstDensity() float64 { return share(b.BurstLost, b.BurstPackets) }

// GapDensity returns the share lost or discarded within gaps, 0 to 1.
func (b Bursts) GapDensity() float64 { return share(b.GapLost, b.GapPackets) }

// MeanBurstPackets is the mean length of a burst; 0 without bursts.
func (b Bursts) MeanBurstPackets() float64 { return share(b.BurstPackets, b.Bursts) }

// MeanGapPackets is the mean length of a gap; 0 without gaps.
func (b Bursts) MeanGapPackets() float64 { return share(b.GapPackets, b.Gaps) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// LossRuns are the runs of packets that were lost or discarded.
type LossRuns struct {
	Runs    int
	Lost    int
	Longest int // packets
}

// LossRunsOf counts the runs of lost or discarded packets.
func LossRunsOf(fates []Fate) LossRuns {
	var r LossRuns
	run := 0
	for _, f := range fates {
		if f == Received {
			run = 0
			continue
		}
		if run == 0 {
			r.Runs++
		}
		run++
		r.Lost++
		r.Longest = max(r.Longest, run)
	}
	return r
}

// BurstR returns the burst ratio of G.107 §7.3: the mean run of losses relative to the mean run 1/(1-p) of
// random loss with the same rate p. 1 is random, more is bursty, less is regular. It is nil without loss, and
// if everything is lost.
func BurstR(fates []Fate) *float64 {
	r := LossRunsOf(fates)
	if r.Lost == 0 || r.Lost == len(fates) {
		return nil
	}
	p := float64(r.Lost) / float64(len(fates))
	return new(float64(r.Lost) / float64(r.Runs) * (1 - p))
}
