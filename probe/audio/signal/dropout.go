package signal

import "math"

const (
	dropoutMinS, dropoutMaxS = 0.010, 2.0
	dropoutEdgeS             = 0.002 // what counts as the edge of a gap
	dropoutAroundS           = 0.020 // and as the sound around it
	dropoutEdgeShare         = 0.063 // least power at the edge relative to the sound around: -12 dB
	dropoutJumpShare         = 0.04  // least power of the very last and first sample, likewise: -14 dB
	dropoutStepRatio         = 32    // most difference of power before and after: 15 dB
	dropoutPitchRatio        = 2.5   // most difference of the rate of zero crossings before and after
	dropoutLeastPower        = 1e-6  // -60 dBFS
	othersPerCut             = 10    // other zero runs among which one that looks like a cut is chance
	dropoutReachS            = 0.160 // what lies further back has no weight in the sound around
)

// dropoutMeter finds runs of exact zero between sounds. Where the pauses carry a background, as every real
// microphone's do, each such run is a lost buffer. A noise gate and a synthetic voice have exact zeros of
// their own, in pauses and in stops; there only a run that cuts through the middle of a sound counts, and as
// many of those as chance makes of the others are taken off.
type dropoutMeter struct {
	minRun, maxRun, edge, around int
	edgeGain, aroundGain         float64

	heard *heardSamples // since the last gap
	last  float64       // the last sample that was not zero
	zeros int

	// A gap that is waiting for the sound after it.
	gap     int
	before  edgeWave
	jump    bool // the wave before it did not come near zero
	first   float64
	resumed int
	after   edgeWave

	gaps, between, cuts        int // all; those between sounds; of those, the ones that cut through one
	longestBetween, longestCut int
}

// edgeWave describes the wave on one side of a gap.
type edgeWave struct {
	edge, around float64 // power right at the gap, and of the sound around
	crossings    float64 // zero crossings per sample
}

func (w edgeWave) loud() bool { return w.around >= dropoutLeastPower }

// cut: the sound does not fade towards the gap, nor does its outermost sample come near zero.
func (w edgeWave) cut(outermost float64) bool {
	return w.edge >= dropoutEdgeShare*w.around && outermost*outermost >= dropoutJumpShare*w.around
}

func (w edgeWave) resembles(other edgeWave) bool {
	power, crossings := w.around/other.around, (w.crossings+1e-4)/(other.crossings+1e-4)
	return max(power, 1/power) < dropoutStepRatio && max(crossings, 1/crossings) < dropoutPitchRatio
}

func newDropoutMeter(rateHz int) dropoutMeter {
	rate := float64(rateHz)
	return dropoutMeter{
		minRun: int(dropoutMinS * rate), maxRun: int(dropoutMaxS * rate),
		edge: int(dropoutEdgeS * rate), around: int(dropoutAroundS * rate),
		heard:    newHeardSamples(int(dropoutReachS * rate)),
		edgeGain: 1 - math.Exp(-1/(dropoutEdgeS*rate)), aroundGain: 1 - math.Exp(-1/(dropoutAroundS*rate)),
	}
}

// write takes a block and its survey. A gap is longer than two chunks, so it shows as one in which all is zero;
// the zeros of other chunks count where they begin or end it.
func (m *dropoutMeter) write(raw []float64, s *survey) {
	for n, c := range s.chunks {
		from := n * surveyChunk
		samples := raw[from:min(from+surveyChunk, len(raw))]
		if c.peak == 0 {
			m.zeros += len(samples)
			continue
		}
		if m.zeros > 0 {
			begin := leadingZeros(samples)
			m.endZeros(m.zeros+begin, samples[begin])
			m.zeros = 0
		}
		if m.gap > 0 {
			m.resumeWith(samples)
		}
		m.heard.add(samples)
		if c.zeros {
			m.zeros = trailingZeros(samples)
		}
		m.last = samples[len(samples)-1-m.zeros]
	}
}

func leadingZeros(samples []float64) (zeros int) {
	for samples[zeros] == 0 {
		zeros++
	}
	return zeros
}

func trailingZeros(samples []float64) (zeros int) {
	for samples[len(samples)-1-zeros] == 0 {
		zeros++
	}
	return zeros
}

// endZeros looks at a run of zeros, if it is long enough, and the first sample after it.
func (m *dropoutMeter) endZeros(zeros int, first float64) {
	if zeros < m.minRun {
		return
	}
	m.judgeZeros(zeros, first)
	m.heard.forget(m.last)
}

func (m *dropoutMeter) judgeZeros(zeros int, first float64) {
	m.gap = 0 // if there was one, the sound after it was too short to judge it by
	if m.last == 0 {
		return // the stream began with it
	}
	m.gaps++
	if zeros > m.maxRun {
		return
	}
	if before := m.heard.wave(m.edgeGain, m.aroundGain); before.loud() {
		m.gap, m.before, m.jump, m.first = zeros, before, before.cut(m.last), first
		m.resumed, m.after = 0, edgeWave{}
	}
}

func (m *dropoutMeter) resumeWith(samples []float64) {
	last := m.last
	for _, x := range samples {
		if x == 0 {
			continue
		}
		if m.resume(x*x, x*last < 0); m.gap == 0 {
			return
		}
		last = x
	}
}

// resume gathers the sound after a gap and then decides on it.
func (m *dropoutMeter) resume(square float64, crossed bool) {
	if m.resumed < m.edge {
		m.after.edge += square / float64(m.edge)
	}
	m.after.around += square / float64(m.around)
	if crossed {
		m.after.crossings += 1 / float64(m.around)
	}
	if m.resumed++; m.resumed < m.around {
		return
	}
	gap := m.gap
	m.gap = 0
	if !m.after.loud() {
		return
	}
	m.between++
	m.longestBetween = max(m.longestBetween, gap)
	if m.jump && m.after.cut(m.first) && m.after.resembles(m.before) {
		m.cuts++
		m.longestCut = max(m.longestCut, gap)
	}
}

// result is the number of dropouts and the longest of them in samples. hasBackground says that the parts
// without speech are not exactly zero.
func (m *dropoutMeter) result(hasBackground bool) (dropouts, longest int) {
	if hasBackground {
		return m.between, m.longestBetween
	}
	byChance := (m.gaps - m.cuts + othersPerCut - 1) / othersPerCut
	if m.cuts > byChance {
		return m.cuts - byChance, m.longestCut
	}
	return 0, 0
}

// heardSamples are the last samples before now, without the long runs of zeros: what a gap is compared with once
// there is one. To follow the sound around every sample would take longer than all the rest of the meter.
type heardSamples struct {
	reach   int
	samples []float64
	earlier float64 // the sample before them
}

func newHeardSamples(reach int) *heardSamples {
	return &heardSamples{reach: reach, samples: make([]float64, 0, 2*reach+blockFrames)}
}

// add appends samples, at most a block.
func (h *heardSamples) add(samples []float64) {
	if len(h.samples)+len(samples) > cap(h.samples) {
		kept := len(h.samples) - h.reach
		h.earlier = h.samples[kept-1]
		h.samples = h.samples[:copy(h.samples, h.samples[kept:])]
	}
	h.samples = append(h.samples, samples...)
}

// forget begins anew after a gap before which the last sample was this.
func (h *heardSamples) forget(last float64) { h.samples, h.earlier = h.samples[:0], last }

// wave describes the end of what was heard, by exponential averages.
func (h *heardSamples) wave(edgeGain, aroundGain float64) edgeWave {
	var edge, around, crossings float64
	before := h.earlier
	for _, x := range h.samples {
		if x == 0 {
			continue // a zero now and then has no sign to cross from
		}
		square, crossing := x*x, 0.0
		if x*before < 0 {
			crossing = 1
		}
		edge += edgeGain * (square - edge)
		around += aroundGain * (square - around)
		crossings += aroundGain * (crossing - crossings)
		before = x
	}
	return edgeWave{edge, around, crossings}
}
