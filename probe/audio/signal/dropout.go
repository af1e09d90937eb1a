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
)

// dropoutMeter finds runs of exact zero between sounds. Where the pauses carry a background, as every real
// microphone's do, each such run is a lost buffer. A noise gate and a synthetic voice have exact zeros of
// their own, in pauses and in stops; there only a run that cuts through the middle of a sound counts, and as
// many of those as chance makes of the others are taken off.
type dropoutMeter struct {
	minRun, maxRun, edge, around int
	edgeGain, aroundGain         float64

	last  float64  // the last sample that was not zero
	wave  edgeWave // before the current or last run of zeros
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
		edgeGain: 1 - math.Exp(-1/(dropoutEdgeS*rate)), aroundGain: 1 - math.Exp(-1/(dropoutAroundS*rate)),
	}
}

func (m *dropoutMeter) write(raw []float64) {
	wave, last := m.wave, m.last
	for _, x := range raw {
		if x == 0 {
			m.zeros++
			continue
		}
		if m.zeros > 0 {
			if m.zeros >= m.minRun {
				m.endZeros(wave, last, x)
				wave = edgeWave{}
			}
			m.zeros = 0
		}
		square, crossing := x*x, 0.0
		if x*last < 0 {
			crossing = 1
		}
		last = x
		wave.edge += m.edgeGain * (square - wave.edge)
		wave.around += m.aroundGain * (square - wave.around)
		wave.crossings += m.aroundGain * (crossing - wave.crossings)
		if m.gap > 0 {
			m.resume(square, crossing)
		}
	}
	m.wave, m.last = wave, last
}

// endZeros looks at a run of zeros between two samples.
func (m *dropoutMeter) endZeros(before edgeWave, last, first float64) {
	m.gap = 0 // if there was one, the sound after it was too short to judge it by
	if last == 0 {
		return // the stream began with it
	}
	m.gaps++
	if m.zeros <= m.maxRun && before.loud() {
		m.gap, m.before, m.jump, m.first = m.zeros, before, before.cut(last), first
		m.resumed, m.after = 0, edgeWave{}
	}
}

// resume gathers the sound after a gap and then decides on it.
func (m *dropoutMeter) resume(square, crossing float64) {
	if m.resumed < m.edge {
		m.after.edge += square / float64(m.edge)
	}
	m.after.around += square / float64(m.around)
	m.after.crossings += crossing / float64(m.around)
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
