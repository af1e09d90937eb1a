package signal

import "math"

const (
	dropoutMinS, dropoutMaxS = 0.010, 2.0
	dropoutEdgeS             = 0.002 // the edge of a gap
	dropoutAroundS           = 0.020 // the sound around it
	dropoutEdgeShare         = 0.063 // least power at the edge relative to the sound around it: -12 dB
	dropoutJumpShare         = 0.04  // least power of the adjacent sample, likewise: -14 dB
	dropoutLeastPower        = 1e-6  // -60 dBFS
	breakBelowActiveDB       = 12    // softer sounds do not distinguish a lost buffer from a closing gate
	breakShare               = 4     // if at least one in breakShare interrupts a loud sound, all runs are dropouts
	othersPerBreak           = 10    // number of other runs per one that interrupts a sound by chance
	breakLevels              = 7 - FloorDBFS
)

// dropoutMeter detects runs of exact zero between sounds: lost buffers, but also the pauses behind a noise gate. A
// gate closes after the sound has become soft, far below the level of the voice. A buffer is lost at any time, most
// often within the voice. If enough of the runs interrupt a loud sound, all of them are dropouts; otherwise those
// that do, less the expected number of chance hits among the others. Background noise in the pauses is less
// conclusive: a voice without pauses provides none.
type dropoutMeter struct {
	minRun, maxRun, around int
	ofSample, ofChunk      gains

	heard soundBefore // sound since the last gap
	zeros int

	// A gap that waits for the sound after it.
	gap     int
	before  soundBefore
	resumed int
	first   float64 // power of the first sample after the gap
	after   float64 // power of the sound after it

	between gapCount              // gaps between sounds
	breaks  [breakLevels]gapCount // those of them that interrupt a sound, by its level in dB
}

// soundBefore is the power of the sound before a gap: of its last sample, at the edge, and around it.
type soundBefore struct{ last, edge, around float64 }

// interrupted reports whether the gap interrupts a sound: the sound did not fade towards the gap, and there is a
// step into or out of the gap. Pauses of a synthetic voice have neither.
func (s soundBefore) interrupted(first, after float64) bool {
	leaps := s.last >= dropoutJumpShare*s.around || first >= dropoutJumpShare*after
	return leaps && s.edge >= dropoutEdgeShare*s.around
}

// add updates the exponential averages. Isolated zeros do not matter.
func (s *soundBefore) add(samples []float64, g gains) {
	for _, x := range samples {
		if x != 0 {
			s.addPower(x*x, g)
			s.last = x * x
		}
	}
}

func (s *soundBefore) addPower(power float64, g gains) {
	s.edge += g.edge * (power - s.edge)
	s.around += g.around * (power - s.around)
}

// gains are the weights of a new sample in the averages.
type gains struct{ edge, around float64 }

func gainsOf(seconds float64) gains {
	return gains{1 - math.Exp(-seconds/dropoutEdgeS), 1 - math.Exp(-seconds/dropoutAroundS)}
}

func newDropoutMeter(rateHz int) dropoutMeter {
	rate := float64(rateHz)
	return dropoutMeter{
		minRun: int(dropoutMinS * rate), maxRun: int(dropoutMaxS * rate), around: int(dropoutAroundS * rate),
		ofSample: gainsOf(1 / rate), ofChunk: gainsOf(surveyChunk / rate),
	}
}

// write processes a block and its survey. A gap is longer than two chunks, so at least one chunk is all zero. Zeros in
// other chunks matter only next to such a chunk.
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
		m.hear(samples, c)
	}
}

// hear updates the averages by whole chunks, which is cheap. A chunk in which a gap may begin or end is examined
// sample by sample.
func (m *dropoutMeter) hear(samples []float64, c chunk) {
	last := samples[len(samples)-1]
	if samples[0] != 0 && last != 0 && len(samples) == surveyChunk {
		m.heard.addPower(c.squares/surveyChunk, m.ofChunk)
		m.heard.last = last * last
		return
	}
	m.heard.add(samples, m.ofSample)
	m.zeros = trailingZeros(samples)
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

// endZeros examines a run of zeros, if it is long enough, and the first sample after it.
func (m *dropoutMeter) endZeros(zeros int, first float64) {
	if zeros < m.minRun {
		return
	}
	m.judgeZeros(zeros, first)
	m.heard = soundBefore{}
}

func (m *dropoutMeter) judgeZeros(zeros int, first float64) {
	m.gap = 0 // the sound after the previous gap was too short to classify it
	if zeros > m.maxRun {
		return
	}
	if m.heard.around >= dropoutLeastPower {
		m.gap, m.before = zeros, m.heard
		m.first, m.resumed, m.after = first*first, 0, 0
	}
}

func (m *dropoutMeter) resumeWith(samples []float64) {
	for _, x := range samples {
		if x == 0 {
			continue
		}
		if m.resume(x * x); m.gap == 0 {
			return
		}
	}
}

// resume gathers the sound after a gap and then classifies the gap.
func (m *dropoutMeter) resume(square float64) {
	m.after += square / float64(m.around)
	if m.resumed++; m.resumed < m.around {
		return
	}
	gap := m.gap
	m.gap = 0
	if m.after < dropoutLeastPower {
		return
	}
	m.between.add(gap)
	if m.before.interrupted(m.first, m.after) {
		m.breaks[breakLevel(powerDB(m.before.around))].add(gap)
	}
}

func breakLevel(dBFS float64) int { return max(0, min(breakLevels-1, int(dBFS-FloorDBFS))) }

// result returns the number of dropouts and the longest of them in samples, for a voice of this active level.
func (m *dropoutMeter) result(activeDBFS float64) (dropouts, longest int) {
	var breaks gapCount
	for _, c := range m.breaks[breakLevel(activeDBFS-breakBelowActiveDB):] {
		breaks.merge(c)
	}
	others := m.between.count - breaks.count
	if breaks.count > 0 && breaks.count*breakShare >= m.between.count {
		return m.between.count, m.between.longest
	}
	if byChance := (others + othersPerBreak - 1) / othersPerBreak; breaks.count > byChance {
		return breaks.count - byChance, breaks.longest
	}
	return 0, 0
}

// gapCount is a number of gaps and the length of the longest.
type gapCount struct{ count, longest int }

func (c *gapCount) add(gap int) { c.merge(gapCount{1, gap}) }

func (c *gapCount) merge(other gapCount) {
	c.count, c.longest = c.count+other.count, max(c.longest, other.longest)
}
