package stats

// Direction contains the data of one direction of a stream.
type Direction struct {
	// FirstSeq is the first number; Sent is the count of numbers from there on. A packet that the
	// sender's own socket refused has no number.
	FirstSeq   uint32
	Sent       int
	IntervalNS int64    // planned, between two packets
	Packets    []Packet // in order of arrival, duplicates included
	// PlayoutMS is the playout buffer beyond which a packet counts as discarded for bursts and gaps;
	// 0 means [DefaultPlayoutMS].
	PlayoutMS float64
}

// DefaultPlayoutMS is the playout buffer of the voice scores, three packets. It is our own choice; Late
// contains others.
const DefaultPlayoutMS = 60

// Summary contains all statistics of one direction. nil means not measurable.
type Summary struct {
	Loss       *Loss       // nil: nothing was sent
	Duplicates int         // repeated arrivals of a number
	Foreign    int         // arrivals with a number that was never sent; ignored
	Jitter     *Jitter     // nil: fewer than two arrivals
	SkewPPM    float64     // removed from PDV; 0 if none was detected
	PDVMS      *Quantiles  // nil: nothing arrived
	IPDVMS     *Quantiles  // nil: no two consecutive numbers arrived
	QueueMS    *float64    // see [QueueSwingMS]; nil: too short to say
	Slowed     *float64    // see [SlowedInterval], ns; nil: the line kept up
	Reordering *Reordering // nil: nothing arrived
	Late       []LateLoss  // one per buffer of [PlayoutBuffersMS]; nil: nothing arrived

	PlayoutMS    float64  // the buffer Bursts, Runs and BurstR are for
	Bursts       Bursts   // lost and discarded
	Runs         LossRuns // lost and discarded
	BurstR       *float64 // nil: no loss, or nothing but loss
	LongestGapMS *float64 // nil: nothing was sent
}

// Summarise computes all statistics of one direction.
func Summarise(d Direction) Summary {
	a := Sort(d.Packets, d.FirstSeq, d.Sent)
	skew := Skew(a.First)
	pdv := PDV(a.First, skew)
	playout := d.PlayoutMS
	if playout <= 0 {
		playout = DefaultPlayoutMS
	}
	fates := FatesOf(a, pdv, playout)
	return Summary{
		Loss:       LossOf(a),
		Duplicates: a.Duplicates,
		Foreign:    a.Foreign,
		Jitter:     JitterOf(a.First),
		SkewPPM:    skew,
		PDVMS:      Spread(pdv),
		IPDVMS:     Spread(IPDV(a)),
		QueueMS:    QueueSwingMS(a.First, skew),
		Slowed:     SlowedInterval(a.First, d.IntervalNS),
		Reordering: ReorderingOf(a),
		Late:       LateLosses(pdv, a.sent),

		PlayoutMS:    playout,
		Bursts:       BurstsOf(fates, Gmin),
		Runs:         LossRunsOf(fates),
		BurstR:       BurstR(fates),
		LongestGapMS: LongestGapMS(a, d.IntervalNS),
	}
}

// FatesOf returns the fate of each sent number. pdv belongs to a.First.
func FatesOf(a Arrivals, pdv []float64, playoutMS float64) []Fate {
	fates := make([]Fate, a.sent)
	for i, p := range a.First {
		fates[a.offset(p)] = Received
		if pdv[i] > playoutMS {
			fates[a.offset(p)] = Discarded
		}
	}
	return fates
}

// LatePct returns the share of packets that were too late for a playout buffer of bufferMS, one of
// [PlayoutBuffersMS]; nil if not measured.
func (s Summary) LatePct(bufferMS float64) *float64 {
	for _, l := range s.Late {
		if l.BufferMS == bufferMS {
			return new(l.LatePct)
		}
	}
	return nil
}
